/*
 * base/counter.h - counters belong to their stage: one X-macro list there makes the struct and the
 * table that reports read. One thread writes a struct; others read a copy.
 *
 *     #define TCP_COUNTERS(X) X(retransmissions, "segments", "Segments whose bytes were seen before")
 *     struct tcp_counters { TCP_COUNTERS(HR_COUNTER_FIELD) };
 *     static const struct hr_counter_info info[] = { TCP_COUNTERS(HR_COUNTER_INFO) };
 */
#ifndef HR_BASE_COUNTER_H
#define HR_BASE_COUNTER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct hr_counter_info {
    const char *name; /* snake_case, unique within its stage */
    const char *unit; /* plural noun */
    const char *help; /* one sentence without a full stop */
};

#define HR_COUNTER_FIELD(name, unit, help) uint64_t name;
#define HR_COUNTER_INFO(name, unit, help) {#name, unit, help},

/** Called once a counter, in the order of the list. */
typedef void (*hr_counter_fn)(const struct hr_counter_info *info, uint64_t value, void *user);

/**
 * All of a struct that is made of HR_COUNTER_FIELDs.
 * @param info  of the same list, `count` entries
 */
static inline void hr_counters_emit(const struct hr_counter_info *info, size_t count,
                                    const void *counters, hr_counter_fn emit, void *user)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value;
        memcpy(&value, (const unsigned char *)counters + i * sizeof(value), sizeof(value));
        emit(&info[i], value, user);
    }
}

/** Saturates: the counts that a database gives may be any numbers. */
static inline void hr_count_add(int64_t *sum, int64_t count)
{
    if (__builtin_add_overflow(*sum, count, sum)) {
        *sum = count > 0 ? INT64_MAX : INT64_MIN;
    }
}

#endif
