/* base/order.h - comparisons for qsort() and bsearch(). */
#ifndef HR_BASE_ORDER_H
#define HR_BASE_ORDER_H

#include <stdint.h>

/** Of two int64_t, ascending. */
static inline int hr_compare_int64(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

#endif
