/*
 * daemon/heat.h - the heat map on a screen: how often each endpoint answered what.
 */
#ifndef HR_DAEMON_HEAT_H
#define HR_DAEMON_HEAT_H

#include "daemon/line.h"
#include "report/overview.h"

/** A head, and so many rows under it. The paint is BOARD_COLUMNS_MIN wide at least. */
void heat_render(const struct overview *o, size_t rows, struct line *l);

#endif
