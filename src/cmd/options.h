/*
 * cmd/options.h - every option of every command in one table (options.c): what it is called, what
 * it takes, what --help says, and where its value goes. A command names those it takes.
 */
#ifndef HR_CMD_OPTIONS_H
#define HR_CMD_OPTIONS_H

#include "cmd/when.h"
#include "pipeline/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cmd_option {
    OPT_END = 0,
    OPT_DB,
    OPT_DB_READ,
    OPT_DB_KEEP,
    OPT_KEY_FILE,
    OPT_RULES,
    OPT_PROFILE,
    OPT_SUPPRESSIONS,
    OPT_FILTER,
    OPT_FORMAT,
    OPT_FORMATS,
    OPT_OUTPUT,
    OPT_OUTPUTS,
    OPT_FAIL_ON,
    OPT_ONLY_RULE,
    OPT_NO_RULE,
    OPT_SET,
    OPT_ALL,
    OPT_DAY,
    OPT_SITE,
    OPT_MIN_SEVERITY,
    OPT_BASELINE,
    OPT_SESSION,
    OPT_USER,
    OPT_WHERE_RULE,
    OPT_VERDICT,
    OPT_SINCE,
    OPT_UNTIL,
    OPT_TZ,
    OPT_STREAM,
    OPT_LIMIT,
    OPT_KEEP,
    OPT_FROM,
    OPT_ANONYMIZE,
    OPT_MAX_EVIDENCE,
    OPT_INTERFACE,
    OPT_READ,
    OPT_REALTIME,
    OPT_SNAPLEN,
    OPT_BUFFER,
    OPT_PROMISC,
    OPT_ALERT,
    OPT_ALERT_SEVERITY,
    OPT_ALERT_ON_LOSS,
    OPT_REPEAT,
    OPT_RETAIN,
    OPT_METRICS,
    OPT_RUN_AS,
    OPT_NO_UI,
    OPT_RING_KEEP,
    OPT_RING,
    OPT_EVIDENCE_DIR,
    OPT_RING_READ,
    OPT_CLOCK_ERROR,
    OPT_VERIFY_CHECKSUMS,
    OPT_REDACT_USERS,
    OPT_BOUNDS, /* stands for all of the bounds */
    OPT_CONFIG,
    OPT_QUIET,
    OPT_COLOR,
    OPT_HELP,
    OPT_VERSION,
};

struct hr_yaml_doc;

struct cmd_words { /* what an option gave that may be given several times */
    const char **items;
    size_t count;
};

/* Values as given; NULL, -1, false and empty where they were not. Strings are argv's, or conf's. */
struct cmd_args {
    const char *db;
    const char *key_file;
    struct cmd_words rule_folders;
    struct cmd_words profiles;
    const char *suppressions;
    const char *filter;
    const char *format;
    const char *output;
    struct cmd_words formats; /* of commands that write several at once */
    struct cmd_words outputs;
    const char *fail_on;
    struct cmd_words only_rules; /* also the filter of list */
    struct cmd_words no_rules;
    struct cmd_words assignments;
    const char *day;
    const char *site;
    const char *min_severity;
    const char *baseline;
    const char *session;
    const char *user;
    const char *verdict;
    const char *since;
    const char *until;
    const char *tz;
    int64_t stream;
    int64_t limit;
    hr_nsec keep;
    const char *from;
    size_t max_evidence;
    bool anonymize;
    struct cmd_words interfaces;
    struct cmd_words files; /* of watch -r */
    bool realtime;
    size_t snaplen;
    size_t buffer_bytes;
    bool promisc;
    struct cmd_words alerts;
    int64_t alert_on_loss; /* parts per million of frames */
    hr_nsec repeat;
    hr_nsec retain;
    const char *metrics; /* address */
    const char *run_as;
    bool no_ui;
    struct cmd_words ring_keep; /* sizes and spans */
    const char *ring;
    const char *evidence_dir;
    bool is_private; /* a file of -o is for its owner alone; set by the command */
    const char *conf_path;
    struct hr_yaml_doc *conf; /* holds the strings that the file gave; NULL: none */
    bool all;
    bool quiet;
    const char *color;
    struct pipeline_config config; /* clock error, bounds, redaction */
    char **operands;
    size_t operand_count;
};

struct cmd_usage {
    const char *name;
    const char
        *synopsis; /* what stands behind the name; several lines where there are several forms */
    const char *summary;
    const enum cmd_option
        *options;               /* ends with OPT_END; those that every command takes need no mention */
    const char *const *formats; /* for --format, the default first; NULL-terminated; may be NULL */
    const char *see;            /* the manual page */
};

/**
 * Reads the options. Complaints go to stderr.
 * @return -1: go on, and release with cmd_args_finish(); else the exit status, nothing to release
 */
int cmd_args_parse(const struct cmd_usage *usage, int argc, char **argv, struct cmd_args *ret_args);
void cmd_args_finish(struct cmd_args *args);
/** @param word  borrowed */
void cmd_words_add(struct cmd_words *words, const char *word);
/** Says that something is wrong with how a command was called. @return CMD_USAGE */
int cmd_usage_error(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/**
 * The same for a word that is none of those known, with the one that may have been meant.
 * @param what  "command", "option", "rule"
 */
int cmd_unknown_word(const char *command, const char *what, const char *word,
                     const char *const *known, size_t known_count);

#endif
