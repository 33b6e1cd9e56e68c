/*
 * report/whole.h - a report holds of a finding what it is sorted and counted by; the evidence of one
 * is read when it is written. Many findings say the same: such texts are kept once.
 */
#ifndef HR_REPORT_WHOLE_H
#define HR_REPORT_WHOLE_H

#include "base/arena.h"
#include "store/read.h"

struct report_whole;
struct report_text;

struct report_whole *report_whole_create(struct store *s);
void report_whole_destroy(struct report_whole *w);

/* Texts by what they say; NULL: none yet. They lie in the arena. */
struct report_texts {
    struct hr_arena *arena;
    struct report_text *all;
};

/** Copies a finding without its evidence. */
void report_texts_copy(struct report_texts *t, const struct finding_view *from,
                       struct finding_view *ret_copy);
/** What was copied stays. */
void report_texts_finish(struct report_texts *t);

#endif
