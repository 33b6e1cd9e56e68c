#include "report/svg_axis.h"

#include <stdlib.h>

enum { VISIBLE = 9 };                    /* width at which a gap can be seen */
#define LEAST_GAP (5 * HR_NSEC_PER_USEC) /* smaller ones are no reason for a break */

static int compare_times(const void *x, const void *y)
{
    hr_nsec a = *(const hr_nsec *)x;
    hr_nsec b = *(const hr_nsec *)y;
    return (a > b) - (a < b);
}

static void take_points(struct svg_axis *a, hr_nsec *times, size_t count)
{
    if (count > 0) {
        qsort(times, count, sizeof(*times), compare_times);
    }
    for (size_t i = 0; i < count && a->count < AXIS_POINTS_MAX; i++) {
        bool is_new = a->count == 0 || times[i] != a->at[a->count - 1];
        if (times[i] != HR_NSEC_INFINITE && is_new) {
            a->at[a->count++] = times[i];
        }
    }
}

static hr_nsec gap(const struct svg_axis *a, size_t i)
{
    return hr_nsec_sub(a->at[i + 1], a->at[i]);
}

/* What the gaps are like that are not broken. */
struct gaps {
    double sum;
    hr_nsec least; /* of those worth seeing; 0: none */
    size_t largest;
    size_t count;
    size_t breaks;
};

static struct gaps look(const struct svg_axis *a)
{
    struct gaps g = {.count = 0};
    for (size_t i = 0; i + 1 < a->count; i++) {
        const hr_nsec width = gap(a, i);
        if (a->is_break[i]) {
            g.breaks++;
            continue;
        }
        g.sum += (double)width;
        g.largest = g.count == 0 || width > gap(a, g.largest) ? i : g.largest;
        g.count++;
        const bool is_worth_seeing = width >= LEAST_GAP || a->at[i + 1] == a->focus;
        if (is_worth_seeing && (g.least == 0 || width < g.least)) {
            g.least = width;
        }
    }
    return g;
}

static double break_width(const struct svg_axis *a)
{
    return a->to_x - a->from_x < AXIS_NARROW ? AXIS_BREAK_WIDTH_NARROW : AXIS_BREAK_WIDTH;
}

static double scale_of(const struct svg_axis *a, const struct gaps *g)
{
    double room = a->to_x - a->from_x - (double)g->breaks * break_width(a);
    return g->sum > 0 ? room / g->sum : 0;
}

void svg_axis_init(struct svg_axis *a, hr_nsec *times, size_t count, hr_nsec focus, double from_x,
                   double to_x)
{
    *a = (struct svg_axis){.from_x = from_x, .to_x = to_x, .focus = focus};
    take_points(a, times, count);
    struct gaps g = look(a);
    while (g.count > 1 && g.breaks < AXIS_BREAKS_MAX && g.least > 0 &&
           (double)g.least * scale_of(a, &g) < VISIBLE) {
        a->is_break[g.largest] = true;
        g = look(a);
    }
    a->width_per_nsec = scale_of(a, &g);
    double x = from_x;
    for (size_t i = 0; i < a->count; i++) {
        a->x[i] = x;
        if (i + 1 < a->count) {
            x += a->is_break[i] ? break_width(a) : (double)gap(a, i) * a->width_per_nsec;
        }
    }
}

double svg_axis_x(const struct svg_axis *a, hr_nsec at)
{
    if (a->count == 0 || at <= a->at[0]) {
        return a->from_x;
    }
    for (size_t i = 0; i + 1 < a->count; i++) {
        if (at <= a->at[i + 1]) {
            double part = (double)hr_nsec_sub(at, a->at[i]) / (double)gap(a, i);
            return a->x[i] + part * (a->x[i + 1] - a->x[i]);
        }
    }
    return a->x[a->count - 1];
}

hr_nsec svg_axis_unit(const struct svg_axis *a)
{
    static const hr_nsec steps[] = {1, 2, 5};
    for (hr_nsec power = 1; power <= HR_NSEC_PER_SEC * 100000; power *= 10) {
        for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
            double width = (double)(steps[i] * power) * a->width_per_nsec;
            if (width >= 40 && width <= 110) {
                return steps[i] * power;
            }
        }
    }
    return 0;
}
