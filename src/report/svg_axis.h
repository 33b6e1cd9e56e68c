/*
 * report/svg_axis.h - a time axis that shows microseconds and hours in one picture: one scale all
 * along, with breaks where nothing happens for long.
 */
#ifndef HR_REPORT_SVG_AXIS_H
#define HR_REPORT_SVG_AXIS_H

#include "base/time.h"

#include <stdbool.h>
#include <stddef.h>

enum { AXIS_POINTS_MAX = 128, AXIS_BREAKS_MAX = 8, AXIS_BREAK_WIDTH = 34,
       AXIS_NARROW = 400, AXIS_BREAK_WIDTH_NARROW = 16 };

struct svg_axis {
    hr_nsec at[AXIS_POINTS_MAX]; /* when something happens, ascending, each once */
    double x[AXIS_POINTS_MAX];   /* where that is */
    hr_nsec focus;
    bool is_break[AXIS_POINTS_MAX]; /* between this point and the next time is left out */
    size_t count;
    double from_x;
    double to_x;
    double width_per_nsec; /* outside breaks; 0: a single point */
};

/**
 * Infinite times are left out, and those beyond the limit. The array is sorted.
 * @param focus  the time before which even the shortest gap is to be seen
 */
void svg_axis_init(struct svg_axis *a, hr_nsec *times, size_t count, hr_nsec focus, double from_x,
                   double to_x);
/** Where a time is; before the first and behind the last point: at its edge. */
double svg_axis_x(const struct svg_axis *a, hr_nsec at);
/** @return a length of 1, 2 or 5 times a power of ten that is between 40 and 110 wide; 0: none fits */
hr_nsec svg_axis_unit(const struct svg_axis *a);

#endif
