/* OpenMetrics 1.0,
 * https://github.com/OpenObservability/OpenMetrics/blob/main/specification/OpenMetrics.md */
#include "base/alloc.h"
#include "daemon/metrics.h"
#include "daemon/shed.h"

#include <inttypes.h>

struct family {
    const char *name; /* without headrace_ */
    const char *unit; /* "" none; the name ends in it */
    bool is_counter;
    const char *help;
    uint64_t value;
};

static void put_family(const struct family *f, struct hr_buf *out)
{
    hr_buf_appendf(out, "# TYPE headrace_%s %s\n", f->name, f->is_counter ? "counter" : "gauge");
    if (f->unit[0] != '\0') {
        hr_buf_appendf(out, "# UNIT headrace_%s %s\n", f->name, f->unit);
    }
    hr_buf_appendf(out, "# HELP headrace_%s %s\n", f->name, f->help);
    hr_buf_appendf(out, "headrace_%s%s %" PRIu64 "\n", f->name, f->is_counter ? "_total" : "",
                   f->value);
}

static void put_ratio(const char *name, const char *help, double value, struct hr_buf *out)
{
    hr_buf_appendf(out, "# TYPE headrace_%s gauge\n# HELP headrace_%s %s\nheadrace_%s %.6f\n", name,
                   name, help, name, value);
}

/* Buckets are cumulative. */
static void put_latency(const struct watch_stats *s, struct hr_buf *out)
{
    uint64_t sum = 0;
    hr_buf_append_str(out, "# TYPE headrace_alert_latency_seconds histogram\n"
                           "# UNIT headrace_alert_latency_seconds seconds\n"
                           "# HELP headrace_alert_latency_seconds From the last byte of the "
                           "exchange of a finding to its alert.\n");
    for (size_t i = 0; i < STATS_LATENCY_BUCKETS; i++) {
        sum += s->latency[i];
        if (i < STATS_LATENCY_BUCKETS - 1) {
            /* As canonical numbers are: 0.1, 1.0. */
            const char *zero = stats_latency_bounds[i] % HR_NSEC_PER_SEC == 0 ? ".0" : "";
            hr_buf_appendf(out, "headrace_alert_latency_seconds_bucket{le=\"%g%s\"} %" PRIu64 "\n",
                           (double)stats_latency_bounds[i] / 1e9, zero, sum);
        }
    }
    hr_buf_appendf(out,
                   "headrace_alert_latency_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n"
                   "headrace_alert_latency_seconds_count %" PRIu64 "\n"
                   "headrace_alert_latency_seconds_sum %.6f\n",
                   sum, sum, (double)s->latency_sum / 1e9);
}

static void begin_labelled(const char *name, const char *help, struct hr_buf *out)
{
    hr_buf_appendf(out, "# TYPE headrace_%s gauge\n# HELP headrace_%s %s\n", name, name, help);
}

/* Names are of lower-case letters, digits and hyphens. */
static void put_rules(const struct watch_totals *t, struct hr_buf *out)
{
    begin_labelled("findings", "Findings in the database that stand, counted now and then.", out);
    for (size_t i = 0; i < t->rule_count; i++) {
        hr_buf_appendf(out, "headrace_findings{rule=\"%s\"} %" PRIu64 "\n", t->rules[i].rule,
                       t->rules[i].findings);
    }
}

static void put_uses(const struct watch_stats *s, struct hr_buf *out)
{
    begin_labelled("bound_used", "What is held of what a bound limits.", out);
    for (size_t i = 0; i < INGEST_USES; i++) {
        hr_buf_appendf(out, "headrace_bound_used{bound=\"%s\"} %" PRIu64 "\n", s->uses[i].name,
                       s->uses[i].used);
    }
    begin_labelled("bound_limit", "The bounds themselves.", out);
    for (size_t i = 0; i < INGEST_USES; i++) {
        hr_buf_appendf(out, "headrace_bound_limit{bound=\"%s\"} %" PRIu64 "\n", s->uses[i].name,
                       s->uses[i].limit);
    }
}

static void put_cuts(const struct watch_stats *s, struct hr_buf *out)
{
    hr_buf_append_str(out, "# TYPE headrace_bound_cut counter\n"
                           "# HELP headrace_bound_cut What bounds cut off, by counter.\n");
    for (size_t i = 0; i < INGEST_CUTS; i++) {
        hr_buf_appendf(out, "headrace_bound_cut_total{counter=\"%s\"} %" PRIu64 "\n",
                       s->cuts[i].name, s->cuts[i].count);
    }
}

static void put_ring(const struct watch_stats *s, struct hr_buf *out)
{
    const struct keeper_state *r = &s->ring;
    const struct family families[] = {
        {"ring_bytes",         "bytes", false, "Packets kept on disk.",              r->bytes     },
        {"ring_missed_frames", "",      true,  "Frames left out of the ring.",       r->missed    },
        {"ring_stopped",       "",      false, "1: the ring cannot be written now.", r->is_stopped},
    };
    for (size_t i = 0; s->keeps_packets && i < HR_ARRAY_LEN(families); i++) {
        put_family(&families[i], out);
    }
    if (s->keeps_packets && r->oldest_at != HR_NSEC_INFINITE) {
        put_ratio("ring_oldest_packet_time_seconds", "Time of the oldest packet kept.",
                  (double)r->oldest_at / 1e9, out);
    }
}

void metrics_format(const struct watch_stats *s, const struct watch_totals *t, struct hr_buf *out)
{
    const struct family families[] = {
        {"frames",                "",      true,  "Frames captured.",                                 s->frames          },
        {"captured_bytes",        "bytes", true,  "Bytes of those frames.",                           s->bytes           },
        {"dropped_frames",        "",      true,  "Frames that the kernel or the interface dropped.", s->drops           },
        {"cut_frames",            "",      true,  "Frames longer than the snap length.",              s->cut_frames      },
        {"shed_connections",      "",      true,  "Connections left out for want of time.",
         s->shed_connections                                                                                             },
        {"shed_frames",           "",      true,  "Frames of those connections.",                     s->shed_frames     },
        {"gaps",                  "",      true,  "Holes in connections.",                            s->gaps            },
        {"connections",           "",      false, "TCP connections open now.",                        s->connections     },
        {"sessions",              "",      false, "Sessions in the database, counted now and then.",  t->sessions        },
        {"exchanges",             "",      true,  "HTTP exchanges stored.",                           s->exchanges       },
        {"rounds",                "",      true,  "Rounds of storing and judging.",                   s->rounds          },
        {"findings_told",         "",      true,  "Findings told, updates included.",                 s->findings        },
        {"alerts_sent",           "",      true,  "Alerts that came to a target.",                    s->alerts_sent     },
        {"alerts_failed",         "",      true,  "Alerts given up.",                                 s->alerts_failed   },
        {"evidence_files",        "",      true,  "Files of evidence written.",                       s->evidence_written},
        {"evidence_failed",       "",      true,  "Files of evidence given up.",                      s->evidence_failed },
        {"resident_memory_bytes", "bytes", false, "Memory of the process.",                           s->resident_bytes  },
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(families); i++) {
        put_family(&families[i], out);
    }
    put_ratio("shed_ratio", "Which share of new connections is left out now.",
              (double)s->shed_share / SHED_SHARES, out);
    put_ratio("store_queue_fill", "How full the way to the store is, 1 at most.", s->queue_fill,
              out);
    put_ratio("round_duration_seconds", "How long the last round took.",
              (double)s->round_time / 1e9, out);
    put_latency(s, out);
    put_rules(t, out);
    put_family(&(struct family){"rules_left_out", "", false,
                                "Rules whose findings are not counted: too many, or no names.",
                                t->rules_left_out},
               out);
    if (s->uses[0].name != NULL) {
        put_uses(s, out);
        put_cuts(s, out);
    }
    put_ring(s, out);
    hr_buf_append_str(out, "# EOF\n");
}
