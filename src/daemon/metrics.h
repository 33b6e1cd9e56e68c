/*
 * daemon/metrics.h - figures for a monitoring system: OpenMetrics text at /metrics, and /healthz. On
 * a thread of its own, from copies (stats.h): who asks keeps nobody waiting.
 */
#ifndef HR_DAEMON_METRICS_H
#define HR_DAEMON_METRICS_H

#include "daemon/stats.h"

struct metrics;

/**
 * Opens the socket, before privileges are given up.
 * @param address  "127.0.0.1:9464", "[::1]:9464"; ":9464" is every address of this machine
 * @param ret_error  one line for people
 * @return 0; -EINVAL: no address; -ENOTSUP: built without libmicrohttpd; or why it cannot be had
 */
int metrics_open(const char *address, struct metrics **ret_metrics, struct hr_buf *ret_error);
/** Starts to answer. @param stats  borrowed. @return 0 or a negative errno */
int metrics_start(struct metrics *m, struct stats *stats);
void metrics_close(struct metrics *m);

/** The text at /metrics. */
void metrics_format(const struct watch_stats *s, const struct watch_totals *t, struct hr_buf *out);

#endif
