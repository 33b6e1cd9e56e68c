/*
 * report/wording.h - sentences that pages of several formats share.
 */
#ifndef HR_REPORT_WORDING_H
#define HR_REPORT_WORDING_H

#include "report/problem.h"

/** "1 finding", "3 findings" */
void wording_count(struct hr_buf *out, uint64_t n, const char *one, const char *many);
/** The answer: how many findings, or that there are none. */
void wording_answer(struct hr_buf *out, const struct report *r);
/** How many findings are new and how many problems are gone; nothing without a baseline. */
void wording_baseline(struct hr_buf *out, const struct report *r);
/** "2185 exchanges, 284 sessions, 3 sites; 2026-03-02 08:00:00 to 08:00:19 UTC (19.3 s)" */
void wording_traffic(struct hr_buf *out, const struct report *r);
/** When that was: "2026-03-02 08:00:00 to 08:00:19 UTC (19.3 s)" */
void wording_times(struct hr_buf *out, const struct report *r);
/** What the report is about: "2026-03-02", "everything in the database". */
void wording_scope(struct hr_buf *out, const struct report *r);
/** "3 proven, 1 suspect" */
void wording_verdicts(struct hr_buf *out, const struct report_problem *p);
/** "headrace show finding 24 --db site.db", for a shell; nothing where the database is temporary. */
void wording_command(struct hr_buf *out, const struct report *r, const char *command);
/** "headrace evidence 24 --db site.db -o finding-24.pcapng", for a shell */
void wording_evidence_command(struct hr_buf *out, const char *db_path, int64_t finding);
/** A display filter for Wireshark, for the evidence that stands in that capture; "" where none does. */
void wording_filter(struct hr_buf *out, const struct finding_view *f, const char *capture);
/** Captures that the finding's evidence stands in, one by one. @return NULL behind the last */
const char *wording_capture(const struct finding_view *f, size_t index);
/** When the story of a finding begins. */
hr_nsec wording_story_begin(const struct finding_view *f);
/** The evidence in order of time; of the caller. */
struct evidence_view *wording_sorted_evidence(const struct finding_view *f);

/** Whether the problem was found before what the report is about. */
bool wording_is_known(const struct report *r, hr_nsec known_since);
/** "2 of them are of problems that were not found before"; nothing where the report has no beginning. */
void wording_first_found(struct hr_buf *out, const struct report *r);
/** "known since 2026-01-31", "not found before"; nothing where the report has no beginning before which
 * that could be. */
void wording_known(struct hr_buf *out, const struct report *r, hr_nsec known_since);
/** "findings", "clean", "not exercised", "failed"; "not known": how often its situation occurred. */
const char *wording_rule_state(const struct report_rule *rule);

#endif
