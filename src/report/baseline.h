/*
 * report/baseline.h - what a report is compared with: the problems of an earlier span of time in the
 * store, or those of an earlier report in JSON. Problems are compared by `group`.
 */
#ifndef HR_REPORT_BASELINE_H
#define HR_REPORT_BASELINE_H

#include "base/arena.h"
#include "base/buf.h"
#include "store/read.h"

struct baseline_entry { /* one problem */
    const char *group;
    const char *rule;
    const char *severity;
    const char *verdict;
    const char *site;     /* NULL: none */
    const char *endpoint; /* NULL: none */
    const char *summary;  /* of its first finding */
    bool suppressed;      /* all of its findings */
    hr_nsec last_at;
    size_t count; /* findings */
};

struct report_baseline {
    struct hr_arena arena;
    const char *name; /* of the file, or the day: for people; borrowed */
    struct baseline_entry *entries; /* by group */
    size_t count;
};

/** Finish it in every case. @return 0 or a negative errno of the store */
int baseline_load_span(struct report_baseline *b, struct store *s, const struct read_filter *filter);
/** @return 0; -EINVAL: not a report in JSON, with why; else a negative errno of reading the file */
int baseline_load_file(struct report_baseline *b, struct store *s, const char *path,
                       struct hr_buf *ret_error);
void baseline_finish(struct report_baseline *b);
/** @return NULL where it has no such problem */
const struct baseline_entry *baseline_find(const struct report_baseline *b, const char *group);

#endif
