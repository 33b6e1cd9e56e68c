#include "report/quality.h"

#include "base/alloc.h"
#include "report/display.h"

#include <inttypes.h>
#include <string.h>

/* What a kind of loss (store/write.h) is in words. */
static const struct {
    const char *kind;
    const char *one; /* behind the number 1 */
    const char *many;
    const char *means; /* what follows from it, or NULL */
} kinds[] = {
    {"gap",         "hole in the byte streams",                      "holes in the byte streams",            NULL                                          },
    {"midstream",   "connection that began before the capture",
     "connections that began before the capture",                                                            NULL                                          },
    {"one-sided",   "connection of which one direction is missing",
     "connections of which one direction is missing",                                                        "capture where both directions pass"          },
    {"snaplen",     "frame cut off by the snap length",              "frames cut off by the snap length",
     "capture with -s 0"                                                                                                                                   },
    {"dropped",     "frame dropped while capturing",                 "frames dropped while capturing",
     "use a larger buffer (tcpdump -B)"                                                                                                                    },
    {"clock-set",   "time that the clock was set",                   "times that the clock was set",
     "nothing is proven across that"                                                                                                                       },
    {"bound",       "thing given up at a bound of this program",
     "things given up at a bound of this program",                                                           "see the bounds in headrace audit --help"     },
    {"undecoded",   "body that could not be decoded",                "bodies that could not be decoded",     NULL                                          },
    {"tls",         "connection that is encrypted (TLS)",            "connections that are encrypted (TLS)",
     "not looked at"                                                                                                                                       },
    {"http2",       "connection that is HTTP/2",                     "connections that are HTTP/2",          "not looked at"                               },
    {"not-http",    "connection that is not HTTP to its end",
     "connections that are not HTTP to their ends",                                                          NULL                                          },
    {"capture-cut", "capture file that ends in the middle",          "capture files that end in the middle",
     NULL                                                                                                                                                  },
    {"ambiguous",   "exchange that servers may have read otherwise",
     "exchanges that servers may have read otherwise",                                                       "see the anomalies in headrace list exchanges"},
    {"shed",        "frame of a connection that watch left out",
     "frames of connections that watch left out",                                                            "it could not keep pace"                      },
};

/* Bounds that were reached and oddities that matter, by the name of the counter. */
static const struct {
    const char *name;
    const char *one; /* behind the number 1 */
    const char *many;
} noted_counters[] = {
    {"other_link",             "frame of a link type that is not decoded",
     "frames of link types that are not decoded"                                                                                                                                            },
    {"checksums_wrong",        "segment has a wrong checksum",                                   "segments have wrong checksums"                                                            },
    {"checksums_refused",
     "frame was left out for its checksum, as --verify-checksums asks: wrong, or captured on the "
     "sending host before its network card filled it in",                                        "frames were left out for their checksums, as --verify-checksums asks: wrong, or captured on "
     "the sending host before its network card filled them in"                                                                     },
    {"fragments_dropped",      "IP fragment given up: too late, or too many",
     "IP fragments given up: too late, or too many"                                                                                                                                         },
    {"connections_evicted",    "connection given up because too many were open",
     "connections given up because too many were open"                                                                                                                                      },
    {"copies",                 "segment was captured twice: the first copy counts",
     "segments were captured twice: the first copies count"                                                                                                                                 },
    {"copies_shared",          "of these is in two captures, which overlap",
     "of these are in two captures, which overlap"                                                                                                                                          },
    {"overlaps_differing",     "segment repeats bytes with other content: the first counts",
     "segments repeat bytes with other content: the first counts"                                                                                                                           },
    {"budget_gaps",            "hole declared because too much was held back",
     "holes declared because too much was held back"                                                                                                                                        },
    {"fields_cut",             "message with a longer header section than is kept",
     "messages with longer header sections than are kept"                                                                                                                                   },
    {"waiting_dropped",        "request given up because too many waited on its connection",
     "requests given up because too many waited on their connections"                                                                                                                       },
    {"parse_errors",           "message that could not be followed to its end",
     "messages that could not be followed to their ends"                                                                                                                                    },
    {"tokens_dropped",         "cookie or token beyond the limit of one exchange",
     "cookies and tokens beyond the limit of one exchange"                                                                                                                                  },
    {"parts_unread",           "exchange with more members, cookies or tags than are looked at",
     "exchanges with more members, cookies or tags than are looked at"                                                                                                                      },
    {"contents_undecoded",     "body in a coding that could not be decoded",
     "bodies in codings that could not be decoded"                                                                                                                                          },
    {"orders_unknown",
     "session with too many logins at one time to tell an order: nothing is claimed of that",    "sessions with too many logins at one time to tell an order: nothing is claimed of that"   },
    {"sessions_unjudged",
     "session past the bounds, or with too many operations: nothing is claimed of it",           "sessions past the bounds, or with too many operations: nothing is claimed of them"        },
    {"contradictions_dropped",
     "operation that contradicts another one is past the bound: nothing is claimed of it",       "operations that contradict others are past the bound: nothing is claimed of them"         },
    {"endpoints_dropped",
     "endpoint past the bound: whether it needs a session is not known, which lowers verdicts",  "endpoints past the bound: whether they need a session is not known, which lowers verdicts"},
    {"values_unchained",
     "value of a rolling token past the bound: it was judged as if it stood alone",              "values of rolling tokens past the bound: they were judged as if they stood alone"         },
    {"twins_cut",              "site of which not all kindred sites were looked at for a login",
     "sites of which not all kindred sites were looked at for a login"                                                                                                                      },
};

static bool is_blindness(const char *kind)
{
    return strcmp(kind, "tls") == 0 || strcmp(kind, "http2") == 0;
}

void quality_describe_bytes(struct hr_buf *out, uint64_t bytes)
{
    if (bytes < 10000) {
        hr_buf_appendf(out, "%" PRIu64 " bytes", bytes);
    } else if (bytes < 10000000) {
        hr_buf_appendf(out, "%.1f kB", (double)bytes / 1e3);
    } else {
        hr_buf_appendf(out, "%.1f MB", (double)bytes / 1e6);
    }
}

void quality_describe_blind(const struct report *r, struct hr_buf *out)
{
    bool has_tls = false;
    bool has_http2 = false;
    for (size_t i = 0; i < r->loss_count; i++) {
        has_tls = has_tls || strcmp(r->losses[i].kind, "tls") == 0;
        has_http2 = has_http2 || strcmp(r->losses[i].kind, "http2") == 0;
    }
    const char *what = has_tls && has_http2 ? "encrypted (TLS) or HTTP/2"
                       : has_tls            ? "encrypted (TLS)"
                                            : "HTTP/2";
    hr_buf_appendf(out,
                   "Most of this traffic is %s and was not looked at: %" PRIu64 " connections, ",
                   what, r->blind_connections);
    quality_describe_bytes(out, r->blind_bytes);
    hr_buf_append_char(out, '.');
}

const char *quality_blind_advice(void)
{
    return "Capture where it is plain HTTP/1: between the TLS terminator (reverse proxy, load "
           "balancer, ingress) and the application, often on the application's own host "
           "with tcpdump -i lo or -i any and the application's port.";
}

void quality_append_blind(const struct report *r, const struct report_paint *paint,
                          struct hr_buf *out)
{
    paint_begin(paint, out, COLOR_YELLOW);
    quality_describe_blind(r, out);
    hr_buf_append_char(out, '\n');
    paint_end(paint, out, COLOR_YELLOW);
    paint_wrapped(paint, out, quality_blind_advice(), 0, 0);
}

void quality_describe_format(const struct capture_view *c, struct hr_buf *out)
{
    hr_buf_append_str(out, c->format);
    if (c->link_type != NULL && c->link_type[0] != '\0') {
        hr_buf_appendf(out, ", %s", c->link_type);
    }
}

/* What is known of a capture that was read to its end. */
static void describe_notes(const struct capture_view *c, struct hr_buf *out)
{
    const size_t before = out->len;
    char span[HR_TIME_TEXT_SIZE];
    if (c->time_source != NULL) {
        hr_buf_appendf(out, "time stamps of the %s", c->time_source);
    }
    if (c->cut_frames > 0) {
        hr_buf_appendf(out, "%s%" PRId64 " frames cut off by the snap length (capture with -s 0)",
                       out->len > before ? "; " : "", c->cut_frames);
    }
    if (c->clock_doubt > 0) {
        hr_buf_appendf(out, "%sits times are in doubt by up to %s", out->len > before ? "; " : "",
                       hr_duration_format(c->clock_doubt, span));
    }
}

void quality_describe_capture(const struct capture_view *c, struct hr_buf *out)
{
    const size_t before = out->len;
    describe_notes(c, out);
    if (c->error != NULL) {
        hr_buf_appendf(out, "%s%s", out->len > before ? "; " : "", c->error);
    }
}

static void append_capture(const struct capture_view *c, const struct report_paint *paint,
                           struct hr_buf *out)
{
    char span[HR_TIME_TEXT_SIZE];
    struct hr_buf text;
    hr_buf_append_str(out, "  ");
    paint_foreign(out, strcmp(c->path, "-") == 0 ? "standard input" : c->path);
    hr_buf_append_str(out, ": ");
    if (c->frames == 0 && c->error != NULL) {
        paint_wrapped(paint, out, c->error, 4, 4);
        return;
    }
    hr_buf_init(&text, SIZE_MAX);
    quality_describe_format(c, &text);
    paint_foreign(out, hr_buf_str(&text));
    hr_buf_clear(&text);
    hr_buf_appendf(out, ", %" PRId64 " frames", c->frames);
    if (c->frames > 0 && c->first_at != HR_NSEC_INFINITE) {
        hr_buf_appendf(out, " in %s",
                       hr_duration_format(hr_nsec_sub(c->last_at, c->first_at), span));
    }
    hr_buf_appendf(out, ", %" PRId64 " exchanges", c->exchanges);
    describe_notes(c, &text);
    hr_buf_appendf(out, "%s%s\n", text.len > 0 ? "; " : "", hr_buf_str(&text));
    hr_buf_finish(&text);
    if (c->error != NULL) {
        hr_buf_append_str(out, "    ");
        paint_text(paint, out, COLOR_RED, "incomplete: ");
        paint_wrapped(paint, out, c->error, 16, 4);
    }
}

/* "; 3 of them ..." */
static void append_share(int64_t part, int64_t whole, const char *text, struct hr_buf *out)
{
    if (part > 0 && part < whole) {
        hr_buf_appendf(out, "; %" PRId64 " of them %s", part, text);
    } else if (part > 0) {
        hr_buf_appendf(out, "; %s", text);
    }
}

void quality_describe_loss(const struct report_loss *l, struct hr_buf *out)
{
    const char *what = l->kind;
    const char *means = NULL;
    for (size_t i = 0; i < HR_ARRAY_LEN(kinds); i++) {
        if (strcmp(kinds[i].kind, l->kind) == 0) {
            what = l->count == 1 ? kinds[i].one : kinds[i].many;
            means = kinds[i].means;
        }
    }
    hr_buf_appendf(out, "%" PRId64 " %s", l->count, what);
    if (l->bytes > 0) {
        hr_buf_append_str(out, ", ");
        quality_describe_bytes(out, (uint64_t)l->bytes);
    }
    if (l->hides_exchanges && !is_blindness(l->kind)) {
        hr_buf_append_str(out, "; may hide exchanges, which lowers verdicts");
    }
    if (means != NULL) {
        hr_buf_appendf(out, "; %s", means);
    }
    append_share(l->all_sites, l->count, "counted for all sites together", out);
    append_share(l->beyond_span, l->count, "in a time that goes beyond this report's", out);
}

bool quality_goes_beyond(const struct report *r)
{
    const struct read_filter *f = &r->job.filter;
    for (size_t i = 0; i < r->capture_count; i++) {
        const struct capture_view *c = &r->captures[i];
        const bool is_late = f->until != HR_NSEC_INFINITE && c->last_at != HR_NSEC_INFINITE &&
                             c->last_at >= f->until;
        if (c->first_at < f->since || is_late) {
            return true;
        }
    }
    return false;
}

const char *quality_part_note(const struct report *r)
{
    const bool is_of_site = r->job.filter.site != NULL && r->capture_count > 0;
    const bool goes_beyond = quality_goes_beyond(r);
    return is_of_site && goes_beyond
               ? "Captures are told as a whole: their numbers are of all sites, and of what lies "
                 "before and after this report's time, too."
           : is_of_site  ? "Captures are told as a whole: their numbers are of all sites."
           : goes_beyond ? "Captures are told as a whole: their numbers are of what lies before "
                           "and after this report's time, too."
                         : NULL;
}

const char *quality_behind_note(const struct report *r)
{
    return r->is_behind
               ? "Not all of this traffic was judged as a whole since the database changed: "
                 "findings may still come, change or go. A watch that is running makes up "
                 "for it, else the next watch or audit into this database."
               : NULL;
}

bool quality_next_counter(const struct report *r, size_t *position, struct hr_buf *out)
{
    const size_t count = r->run != NULL ? r->run->counter_count : 0;
    while (*position < count) {
        const struct pipeline_counter *c = &r->run->counters[(*position)++];
        for (size_t k = 0; k < HR_ARRAY_LEN(noted_counters); k++) {
            if (c->value > 0 && strcmp(c->info.name, noted_counters[k].name) == 0) {
                hr_buf_clear(out);
                hr_buf_appendf(out, "%" PRIu64 " %s", c->value,
                               c->value == 1 ? noted_counters[k].one : noted_counters[k].many);
                return true;
            }
        }
    }
    return false;
}

bool quality_is_whole(const struct report *r)
{
    bool is_whole = r->loss_count == 0;
    for (size_t i = 0; i < r->capture_count; i++) {
        is_whole = is_whole && r->captures[i].error == NULL && r->captures[i].cut_frames == 0;
    }
    return is_whole;
}

static void append_line(const struct report_paint *paint, struct hr_buf *out, struct hr_buf *line)
{
    hr_buf_append_str(out, "  ");
    paint_wrapped(paint, out, hr_buf_str(line), 2, 4);
    hr_buf_clear(line);
}

void quality_append(const struct report *r, const struct report_paint *paint, struct hr_buf *out)
{
    struct hr_buf line;
    hr_buf_init(&line, SIZE_MAX);
    paint_text(paint, out, COLOR_BOLD, "\nWhat was captured\n");
    for (size_t i = 0; i < r->capture_count; i++) {
        append_capture(&r->captures[i], paint, out);
    }
    if (quality_part_note(r) != NULL) {
        hr_buf_append_str(&line, quality_part_note(r));
        append_line(paint, out, &line);
    }
    for (size_t i = 0; i < r->loss_count; i++) {
        quality_describe_loss(&r->losses[i], &line);
        append_line(paint, out, &line);
    }
    if (quality_is_whole(r) && r->capture_count > 0) {
        hr_buf_append_str(out, "  Nothing was lost, and nothing was unreadable.\n");
    }
    for (size_t i = 0; quality_next_counter(r, &i, &line);) {
        append_line(paint, out, &line);
    }
    hr_buf_finish(&line);
}
