#include "cmd/options.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/yaml.h"
#include "cmd/cmd.h"
#include "cmd/conf.h"
#include "cmd/help.h"
#include "cmd/suggest.h"
#include "cmd/value.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVIDENCE_MAX_BYTES ((size_t)1024 * 1024 * 1024)
#define SNAP_BYTES 262144
#define KERNEL_BUFFER_BYTES ((size_t)64 * 1024 * 1024)
#define AT(member) offsetof(struct cmd_args, member)

/* In the order of --help. */
static const struct cmd_option_info infos[] = {
    {OPT_INTERFACE,        'i', "interface",           "IFACE",
     "listen there; any: everywhere; may be given several times",                                                                               SET_LIST,    AT(interfaces)                    },
    {OPT_READ,             'r', "read",                "CAPTURE",            "read a capture in place of an interface",                         SET_LIST,
     AT(files)                                                                                                                                                                                 },
    {OPT_REALTIME,         0,   "realtime",            NULL,                 "with -r: each frame when its time comes, as it once did",
     SET_FLAG,                                                                                                                                               AT(realtime)                      },
    {OPT_DB_KEEP,          0,   "db",                  "FILE",
     "the database; else $HEADRACE_DB, else ./headrace.db; made where there is none",                                                           SET_TEXT,
     AT(db)                                                                                                                                                                                    },
    {OPT_DB,               0,   "db",                  "FILE",
     "keep what is learned in this database; without it a temporary one is used",                                                               SET_TEXT,    AT(db)                            },
    {OPT_DB_READ,          0,   "db",                  "FILE",               "the database; else $HEADRACE_DB, else ./headrace.db",             SET_TEXT,
     AT(db)                                                                                                                                                                                    },
    {OPT_KEY_FILE,         0,   "key-file",            "FILE",
     "the key of the database's hashes, instead of one of its own",                                                                             SET_TEXT,    AT(key_file)                      },
    {OPT_RULES,            0,   "rules",               "DIR",                "a folder of further rules; may be given several times",
     SET_LIST,                                                                                                                                               AT(rule_folders)                  },
    {OPT_PROFILE,          0,   "profile",             "FILE",               "what you know about sites; may be given several times",
     SET_LIST,                                                                                                                                               AT(profiles)                      },
    {OPT_SUPPRESSIONS,     0,   "suppressions",        "FILE",
     "findings that you have accepted: marked, and no build fails on them",                                                                     SET_TEXT,
     AT(suppressions)                                                                                                                                                                          },
    {OPT_FILTER,           0,   "filter",              "BPF",                "look only at frames that this expression selects",                SET_TEXT,
     AT(filter)                                                                                                                                                                                },
    {OPT_SNAPLEN,          0,   "snaplen",             "SIZE",               "most bytes of a frame (default 256K: all)",                       SET_SIZE,
     AT(snaplen)                                                                                                                                                                               },
    {OPT_BUFFER,           0,   "buffer",              "SIZE",
     "bytes that the kernel may hold, of each interface (default 64M)",                                                                         SET_SIZE,    AT(buffer_bytes)                  },
    {OPT_PROMISC,          0,   "promisc",             NULL,                 "take frames that are for other machines too",                     SET_FLAG,
     AT(promisc)                                                                                                                                                                               },
    {OPT_ALERT,            0,   "alert",               "TARGET",
     "send alerts there too: syslog, file:PATH, exec:PROGRAM, http://...",                                                                      SET_LIST,    AT(alerts)                        },
    {OPT_ALERT_SEVERITY,   0,   "min-severity",        "SEVERITY",
     "alert of findings of this severity or worse",                                                                                             SET_TEXT,    AT(min_severity)                  },
    {OPT_ALERT_ON_LOSS,    0,   "alert-on-loss",       "PERCENT",
     "alert when more of a minute's frames are lost, as 1 or 0.1",                                                                              SET_PERCENT, AT(alert_on_loss)                 },
    {OPT_REPEAT,           0,   "repeat",              "SPAN",
     "what is found anew within this span is counted, not told (default 1h)",                                                                   SET_SPAN,    AT(repeat)                        },
    {OPT_METRICS,          0,   "metrics",             "ADDRESS",
     "answer there for monitoring, as 127.0.0.1:9464: /metrics, /healthz",                                                                      SET_TEXT,    AT(metrics)                       },
    {OPT_RETAIN,           0,   "retain",              "SPAN",               "delete what ended longer ago, as 30d (default: keep all)",
     SET_SPAN,                                                                                                                                               AT(retain)                        },
    {OPT_RUN_AS,           0,   "user",                "NAME",
     "become this user once the interfaces are open (default for root: nobody)",                                                                SET_TEXT,
     AT(run_as)                                                                                                                                                                                },
    {OPT_NO_UI,            0,   "no-ui",               NULL,                 "plain lines on a terminal too, in place of the screen",           SET_FLAG,
     AT(no_ui)                                                                                                                                                                                 },
    {OPT_RING_KEEP,        0,   "keep",                "SIZE|SPAN",
     "keep the last packets on disk, as 10GB or 2h; both: the narrower",                                                                        SET_LIST,    AT(ring_keep)                     },
    {OPT_RING,             0,   "ring",                "DIR",
     "the folder of packets kept (default: the database's name and .ring)",                                                                     SET_TEXT,    AT(ring)                          },
    {OPT_EVIDENCE_DIR,     0,   "evidence-dir",        "DIR",
     "write the frames of each finding told there, as FINGERPRINT.pcapng",                                                                      SET_TEXT,
     AT(evidence_dir)                                                                                                                                                                          },
    {OPT_FORMAT,           0,   "format",              "FORMAT",             NULL,                                                              SET_TEXT,    AT(format)                        },
    {OPT_FORMATS,          0,   "format",              "FORMAT",             NULL,                                                              SET_LIST,    AT(formats)                       },
    {OPT_OUTPUTS,          'o', "output",              "FILE|DIR",
     "write there; one for each format, or a folder for all of them",                                                                           SET_LIST,    AT(outputs)                       },
    {OPT_OUTPUT,           'o', "output",              "FILE",               "write there instead of to standard output",                       SET_TEXT,
     AT(output)                                                                                                                                                                                },
    {OPT_FAIL_ON,          0,   "fail-on",             "SEVERITY[/VERDICT]",
     "end with 1 only on findings at or above this (default low/contradiction)",                                                                SET_TEXT,
     AT(fail_on)                                                                                                                                                                               },
    {OPT_ONLY_RULE,        0,   "rule",                "SLUG",               "run this rule only; may be given several times",                  SET_LIST,
     AT(only_rules)                                                                                                                                                                            },
    {OPT_NO_RULE,          0,   "no-rule",             "SLUG",               "do not run this rule; may be given several times",
     SET_LIST,                                                                                                                                               AT(no_rules)                      },
    {OPT_SET,              0,   "set",                 "SLUG.NAME=VALUE",    "set a parameter of a rule",                                       SET_LIST,    AT(assignments)                   },
    {OPT_ALL,              0,   "all",                 NULL,                 "show every finding of a group instead of the first few",          SET_FLAG,
     AT(all)                                                                                                                                                                                   },
    {OPT_DAY,              0,   "day",                 "DATE",               "only of this day, as 2026-01-31, yesterday or today",             SET_TEXT,
     AT(day)                                                                                                                                                                                   },
    {OPT_SITE,             0,   "site",                "SITE",               "only of this site",                                               SET_TEXT,    AT(site)                          },
    {OPT_SESSION,          0,   "session",             "NAME",               "only of this session",                                            SET_TEXT,    AT(session)                       },
    {OPT_USER,             0,   "user",                "NAME",               "only of this user",                                               SET_TEXT,    AT(user)                          },
    {OPT_WHERE_RULE,       0,   "rule",                "SLUG",               "only findings of this rule; may be given several times",
     SET_LIST,                                                                                                                                               AT(only_rules)                    },
    {OPT_VERDICT,          0,   "verdict",             "VERDICT",            "only proven, contradiction or suspect findings",
     SET_TEXT,                                                                                                                                               AT(verdict)                       },
    {OPT_MIN_SEVERITY,     0,   "min-severity",        "SEVERITY",           "only findings of this severity or worse",
     SET_TEXT,                                                                                                                                               AT(min_severity)                  },
    {OPT_BASELINE,         0,   "baseline",            "FILE|DAY",
     "compare with a report in JSON, or with a day: new, unchanged, gone",                                                                      SET_TEXT,    AT(baseline)                      },
    {OPT_SINCE,            0,   "since",               "TIME",
     "only from then on: RFC 3339, local time, or -2h before the last packet",                                                                  SET_TEXT,    AT(since)                         },
    {OPT_UNTIL,            0,   "until",               "TIME",               "only until then",                                                 SET_TEXT,    AT(until)                         },
    {OPT_TZ,               0,   "tz",                  "ZONE",               "the zone of local times, as Europe/Rome (default: the system's)",
     SET_TEXT,                                                                                                                                               AT(tz)                            },
    {OPT_STREAM,           0,   "stream",              "N",                  "only of the connection with this number (tcp.stream)",
     SET_COUNT,                                                                                                                                              AT(stream)                        },
    {OPT_LIMIT,            0,   "limit",               "N",                  "at most so many rows",                                            SET_COUNT,   AT(limit)                         },
    {OPT_KEEP,             0,   "keep",                "SPAN",
     "prune: keep what ended within this span before the last packet, as 30d",                                                                  SET_SPAN,    AT(keep)                          },
    {OPT_RING_READ,        0,   "ring",                "DIR",
     "where a watch kept packets (default: the database's name and .ring)",                                                                     SET_TEXT,    AT(ring)                          },
    {OPT_FROM,             0,   "from",                "DIR",                "look for the captures in this folder first, under whatever name",
     SET_TEXT,                                                                                                                                               AT(from)                          },
    {OPT_ANONYMIZE,        0,   "anonymize",           NULL,
     "replace tokens, passwords, names, contents and addresses; lengths stay",                                                                  SET_FLAG,
     AT(anonymize)                                                                                                                                                                             },
    {OPT_MAX_EVIDENCE,     0,   "max-evidence",        "SIZE",               "most bytes of frames (default 1G)",                               SET_SIZE,
     AT(max_evidence)                                                                                                                                                                          },
    {OPT_CLOCK_ERROR,      0,   "clock-error",         "SPAN",
     "how far the capture clock may be wrong, as 2ms (default: what the captures show)",                                                        SET_SPAN,
     AT(config.clock_error)                                                                                                                                                                    },
    {OPT_VERIFY_CHECKSUMS, 0,   "verify-checksums",    NULL,
     "leave out packets whose IPv4 or TCP checksum is wrong",                                                                                   SET_FLAG,
     AT(config.decode.verify_checksums)                                                                                                                                                        },
    {OPT_REDACT_USERS,     0,   "redact-users",        NULL,                 "store hashes in place of user names",                             SET_FLAG,
     AT(config.extract.redact_users)                                                                                                                                                           },
 /* Bounds: name in pipeline_config's words. */
    {OPT_BOUNDS,           0,   "max-connections",     "N",                  "open connections",                                                SET_SIZE,
     AT(config.tcp.connection_limit)                                                                                                                                                           },
    {OPT_BOUNDS,           0,   "max-held-connection", "SIZE",               "out-of-order bytes of one direction",                             SET_SIZE,
     AT(config.tcp.held_conn_bytes)                                                                                                                                                            },
    {OPT_BOUNDS,           0,   "max-held",            "SIZE",               "out-of-order bytes of all",                                       SET_SIZE,
     AT(config.tcp.held_total_bytes)                                                                                                                                                           },
    {OPT_BOUNDS,           0,   "idle-timeout",        "SPAN",               "silence that ends a connection",                                  SET_SPAN,
     AT(config.tcp.idle_timeout)                                                                                                                                                               },
    {OPT_BOUNDS,           0,   "opening-timeout",     "SPAN",               "silence after a SYN that had no answer",                          SET_SPAN,
     AT(config.tcp.opening_timeout)                                                                                                                                                            },
    {OPT_BOUNDS,           0,   "closed-linger",       "SPAN",               "how long a closed connection is remembered",                      SET_SPAN,
     AT(config.tcp.closed_linger)                                                                                                                                                              },
    {OPT_BOUNDS,           0,   "hole-timeout",        "SPAN",               "how long missing bytes are waited for",                           SET_SPAN,
     AT(config.tcp.hole_timeout)                                                                                                                                                               },
    {OPT_BOUNDS,           0,   "max-header",          "SIZE",               "bytes of a message's start line and fields",                      SET_SIZE,
     AT(config.http.header_bytes)                                                                                                                                                              },
    {OPT_BOUNDS,           0,   "max-fields",          "N",                  "fields of a message",                                             SET_SIZE,
     AT(config.http.field_limit)                                                                                                                                                               },
    {OPT_BOUNDS,           0,   "max-body",            "SIZE",               "bytes of a page kept for features; of others a quarter",
     SET_SIZE,                                                                                                                                               AT(config.http.content_bytes)     },
    {OPT_BOUNDS,           0,   "max-decoded-body",    "SIZE",               "bytes of a decoded body looked at",                               SET_SIZE,
     AT(config.extract.content_bytes)                                                                                                                                                          },
    {OPT_BOUNDS,           0,   "max-expansion",       "N",                  "decoded bytes looked at for each coded one, past 64K",
     SET_SIZE,                                                                                                                                               AT(config.extract.expansion_limit)},
    {OPT_BOUNDS,           0,   "max-waiting",         "N",                  "requests without a response on a connection",                     SET_SIZE,
     AT(config.http.waiting_limit)                                                                                                                                                             },
    {OPT_BOUNDS,           0,   "max-kept",            "SIZE",               "bytes of messages under way and their readers",                   SET_SIZE,
     AT(config.http.kept_bytes)                                                                                                                                                                },
    {OPT_BOUNDS,           0,   "max-fragments",       "N",                  "datagrams being put together",                                    SET_SIZE,
     AT(config.decode.fragment_limit)                                                                                                                                                          },
    {OPT_BOUNDS,           0,   "max-fragment-bytes",  "SIZE",               "bytes of fragments held",                                         SET_SIZE,
     AT(config.decode.fragment_budget_bytes)                                                                                                                                                   },
    {OPT_BOUNDS,           0,   "fragment-timeout",    "SPAN",               "how long the rest of a datagram is waited for",
     SET_SPAN,                                                                                                                                               AT(config.decode.fragment_timeout)},
    {OPT_BOUNDS,           0,   "max-tokens",          "N",                  "tokens remembered to hide them in targets",                       SET_SIZE,
     AT(config.extract.known_token_limit)                                                                                                                                                      },
    {OPT_CONFIG,           0,   "config",              "FILE",               "take options from this file too; the command line wins",
     SET_TEXT,                                                                                                                                               AT(conf_path)                     },
    {OPT_QUIET,            'q', "quiet",               NULL,                 "no progress and no remarks on stderr, errors only",               SET_FLAG,
     AT(quiet)                                                                                                                                                                                 },
    {OPT_COLOR,            0,   "color",               "WHEN",               "auto, always or never (default auto; NO_COLOR is honoured)",
     SET_TEXT,                                                                                                                                               AT(color)                         },
    {OPT_HELP,             'h', "help",                NULL,                 "show this help",                                                  SET_NOTHING, 0                                 },
    {OPT_VERSION,          'V', "version",             NULL,                 "show the version",                                                SET_NOTHING, 0                                 },
};

enum { OPTION_MAX = HR_ARRAY_LEN(infos), FIRST_CODE = 1000 };

static bool takes(const struct cmd_usage *usage, enum cmd_option id)
{
    if (id == OPT_CONFIG || id == OPT_QUIET || id == OPT_HELP || id == OPT_VERSION) {
        return true;
    }
    for (const enum cmd_option *o = usage->options; *o != OPT_END; o++) {
        if (*o == id) {
            return true;
        }
    }
    return false;
}

size_t cmd_option_list(const struct cmd_usage *usage, const struct cmd_option_info **ret_infos,
                       size_t limit)
{
    size_t n = 0;
    for (size_t i = 0; i < HR_ARRAY_LEN(infos) && n < limit; i++) {
        if (takes(usage, infos[i].id)) {
            ret_infos[n++] = &infos[i];
        }
    }
    return n;
}

int cmd_usage_error(const char *command, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    hr_error("%s; see headrace %s --help", text, command);
    return CMD_USAGE;
}

int cmd_unknown_word(const char *command, const char *what, const char *word,
                     const char *const *known, size_t known_count)
{
    const char *meant = cmd_suggest(word, known, known_count);
    if (meant != NULL) {
        return cmd_usage_error(command, "there is no %s %s (did you mean %s?)", what, word, meant);
    }
    return cmd_usage_error(command, "there is no %s %s", what, word);
}

void cmd_words_add(struct cmd_words *words, const char *word)
{
    words->items = hr_xrealloc(words->items, (words->count + 1) * sizeof(*words->items));
    words->items[words->count++] = word;
}

static int set_value(const struct cmd_usage *usage, const struct cmd_option_info *o,
                     const char *value, struct cmd_args *args)
{
    const char *expected = cmd_value_set(o, value, args);
    if (expected == NULL) {
        return -1;
    }
    if (value[0] == '\0') {
        return cmd_usage_error(usage->name, "--%s needs %s", o->name, o->argument);
    }
    return cmd_usage_error(usage->name, "--%s takes %s, not %s", o->name, expected, value);
}

/* The words of infos that getopt_long reads. */
struct getopt_table {
    const struct cmd_option_info *infos[OPTION_MAX];
    bool given[OPTION_MAX];
    size_t count;
    struct option longs[OPTION_MAX + 1];
    char shorts[2 * OPTION_MAX + 2];
};

static void make_table(const struct cmd_usage *usage, struct getopt_table *t)
{
    size_t s = 0;
    *t = (struct getopt_table){0};
    t->count = cmd_option_list(usage, t->infos, OPTION_MAX);
    t->shorts[s++] = ':';
    for (size_t i = 0; i < t->count; i++) {
        const struct cmd_option_info *o = t->infos[i];
        int has_argument = o->argument != NULL ? required_argument : no_argument;
        t->longs[i] = (struct option){o->name, has_argument, NULL, FIRST_CODE + (int)i};
        if (o->letter != 0) {
            t->shorts[s++] = o->letter;
            if (o->argument != NULL) {
                t->shorts[s++] = ':';
            }
        }
    }
}

/* @return its place in infos; their count: there is none */
static size_t find_option(const struct getopt_table *t, int code)
{
    size_t i = 0;
    while (i < t->count && code != FIRST_CODE + (int)i &&
           (code == 0 || code != t->infos[i]->letter)) {
        i++;
    }
    return i;
}

static int unknown_option(const struct cmd_usage *usage, const struct getopt_table *t, char **argv,
                          int letter)
{
    const char *names[OPTION_MAX];
    char word[64];
    if (letter != 0 && find_option(t, letter) == t->count) {
        return cmd_usage_error(usage->name, "there is no option -%c", letter);
    }
    const char *given = argv[optind - 1];
    while (*given == '-') {
        given++;
    }
    snprintf(word, sizeof(word), "%.*s", (int)strcspn(given, "="), given);
    for (size_t i = 0; i < t->count; i++) {
        names[i] = t->infos[i]->name;
        if (strcmp(names[i], word) == 0) {
            return cmd_usage_error(usage->name, "--%s takes no value", word);
        }
    }
    const char *meant = cmd_suggest(word, names, t->count);
    if (meant != NULL) {
        return cmd_usage_error(usage->name, "there is no option --%s (did you mean --%s?)", word,
                               meant);
    }
    return cmd_usage_error(usage->name, "there is no option --%s", word);
}

static int read_options(const struct cmd_usage *usage, struct getopt_table *t, int argc,
                        char **argv, struct cmd_args *args)
{
    int code;
    int r = -1;
    opterr = 0;
    optind = 0; /* GNU: start anew */
    while (r < 0 && (code = getopt_long(argc, argv, t->shorts, t->longs, NULL)) != -1) {
        size_t at = find_option(t, code == ':' ? optopt : code);
        const struct cmd_option_info *o = at < t->count ? t->infos[at] : NULL;
        if (code == '?') {
            r = unknown_option(usage, t, argv, optopt >= FIRST_CODE ? 0 : optopt);
        } else if (code == ':') {
            r = cmd_usage_error(usage->name, "--%s needs %s", o->name, o->argument);
        } else if (o->id == OPT_HELP) {
            r = cmd_help_print(usage);
        } else if (o->id == OPT_VERSION) {
            r = cmd_version_print();
        } else {
            r = set_value(usage, o, optarg, args);
            t->given[at] = true;
        }
    }
    return r;
}

static int check_format(const struct cmd_usage *usage, struct cmd_args *args)
{
    if (usage->formats == NULL) {
        return -1;
    }
    if (args->format == NULL) {
        args->format = usage->formats[0];
    }
    size_t count = 0;
    for (; usage->formats[count] != NULL; count++) {
        if (strcmp(args->format, usage->formats[count]) == 0) {
            return -1;
        }
    }
    return cmd_unknown_word(usage->name, "format", args->format, usage->formats, count);
}

int cmd_args_parse(const struct cmd_usage *usage, int argc, char **argv, struct cmd_args *ret_args)
{
    struct getopt_table table;
    struct cmd_args args = {.stream = -1,
                            .limit = -1,
                            .keep = -1,
                            .max_evidence = EVIDENCE_MAX_BYTES,
                            .snaplen = SNAP_BYTES,
                            .buffer_bytes = KERNEL_BUFFER_BYTES,
                            .alert_on_loss = -1,
                            .repeat = 3600 * HR_NSEC_PER_SEC};
    pipeline_config_init(&args.config);
    make_table(usage, &table);
    int r = read_options(usage, &table, argc, argv, &args);
    if (r < 0 && args.conf_path != NULL) {
        r = cmd_conf_load(usage, table.infos, table.given, table.count, &args);
    }
    if (r < 0) {
        r = check_format(usage, &args);
    }
    if (r >= 0) {
        cmd_args_finish(&args);
        return r;
    }
    args.operands = argv + optind;
    args.operand_count = (size_t)(argc - optind);
    if (args.quiet) {
        hr_log_set_level(HR_LOG_ERROR);
    }
    *ret_args = args;
    return -1;
}

void cmd_args_finish(struct cmd_args *args)
{
    free(args->rule_folders.items);
    free(args->profiles.items);
    free(args->only_rules.items);
    free(args->no_rules.items);
    free(args->assignments.items);
    free(args->formats.items);
    free(args->outputs.items);
    free(args->interfaces.items);
    free(args->files.items);
    free(args->alerts.items);
    hr_yaml_finish(args->conf);
    free(args->conf);
}
