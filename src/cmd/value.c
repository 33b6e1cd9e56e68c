#include "cmd/value.h"

#include "base/alloc.h"
#include "daemon/sink.h"

#include <string.h>

/* Bytes of packets: less is no ring. */
#define KEEP_LEAST 65536u

static bool is_one_of(const char *value, const char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++) {
        if (strcmp(value, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_severity(const char *value)
{
    static const char *const words[] = {"low", "medium", "high", "critical", NULL};
    return is_one_of(value, words);
}

static bool is_verdict(const char *value)
{
    static const char *const words[] = {"proven", "contradiction", "suspect", NULL};
    return is_one_of(value, words);
}

static bool is_color(const char *value)
{
    static const char *const words[] = {"auto", "always", "never", NULL};
    return is_one_of(value, words);
}

static bool is_keep(const char *value)
{
    uint64_t size;
    hr_nsec span;
    bool is_span = cmd_parse_span(value, &span) && span > 0;
    return is_span || (cmd_parse_size(value, &size) && size >= KEEP_LEAST);
}

/* Texts that must be more than that. */
static const struct {
    enum cmd_option id;
    bool (*is_good)(const char *value);
    const char *expected;
} checks[] = {
    {OPT_MIN_SEVERITY,   is_severity,     "low, medium, high or critical"               },
    {OPT_ALERT_SEVERITY, is_severity,     "low, medium, high or critical"               },
    {OPT_VERDICT,        is_verdict,      "proven, contradiction or suspect"            },
    {OPT_COLOR,          is_color,        "auto, always or never"                       },
    {OPT_TZ,             cmd_zone_exists, "a zone that the system knows, as Europe/Rome"},
    {OPT_RING_KEEP,      is_keep,         "a size from 64K, as 10GB, or a span, as 2h"  },
    {OPT_ALERT,          sink_is_kind,
     "stdout, syslog, file:PATH, exec:PROGRAM, http://... "
     "or https://..."                                                                   },
};

static const char *check_text(const struct cmd_option_info *o, const char *value)
{
    if (value[0] == '\0') {
        return o->argument;
    }
    for (size_t i = 0; i < HR_ARRAY_LEN(checks); i++) {
        if (checks[i].id == o->id && !checks[i].is_good(value)) {
            return checks[i].expected;
        }
    }
    return NULL;
}

const char *cmd_value_set(const struct cmd_option_info *o, const char *value, struct cmd_args *args)
{
    char *to = (char *)args + o->offset;
    const char *expected = NULL;
    uint64_t number;
    switch (o->kind) {
    case SET_NOTHING:
        break;
    case SET_FLAG:
        *(bool *)to = true;
        break;
    case SET_TEXT:
        expected = check_text(o, value);
        *(const char **)to = expected == NULL ? value : *(const char **)to;
        break;
    case SET_LIST:
        expected = check_text(o, value);
        if (expected == NULL) {
            cmd_words_add((struct cmd_words *)to, value);
        }
        break;
    case SET_COUNT:
        if (!hr_span_to_u64(hr_span_str(value), &number) || number > INT64_MAX) {
            return "a number";
        }
        *(int64_t *)to = (int64_t)number;
        break;
    case SET_SIZE:
        if (!cmd_parse_size(value, &number) || number == 0 || number > SIZE_MAX / 2) {
            return "a number above 0 as 4096 or 64M";
        }
        *(size_t *)to = (size_t)number;
        break;
    case SET_SPAN:
        if (!cmd_parse_span(value, (hr_nsec *)to)) {
            return "a span as 5ms, 10s or 30d";
        }
        break;
    case SET_PERCENT:
        if (!cmd_parse_percent(value, (int64_t *)to)) {
            return "a percentage below 100, as 5 or 0.1, with at most four decimals";
        }
        break;
    }
    return expected;
}
