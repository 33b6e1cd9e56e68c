/*
 * report/problem.h - findings by problem: those of one `group` (rule, site, method and endpoint), which
 * baselines compare and pages show together.
 */
#ifndef HR_REPORT_PROBLEM_H
#define HR_REPORT_PROBLEM_H

#include "report/model.h"

enum { PROBLEM_VERDICTS = 4 }; /* by report_verdict_rank(); 0 is no verdict */

struct report_problem {
    const char *group;
    const char *rule;
    const char *title;
    const char *severity; /* the worst in it */
    const char *verdict;  /* the surest in it */
    const char *site;     /* NULL: none */
    const char *endpoint; /* NULL: none */
    const char *baseline; /* "new", "unchanged"; NULL: compared with nothing */
    const struct rule *about; /* NULL: a rule that is not loaded any more */
    hr_nsec known_since;      /* when it was found first */
    bool suppressed;          /* all of it, or nothing */
    size_t verdicts[PROBLEM_VERDICTS]; /* how many findings of each */
    hr_nsec first_at;
    hr_nsec last_at;
    const struct finding_view **findings; /* the surest first, then by time */
    size_t count;
};

struct report_problems {
    struct report_problem *items; /* suppressed ones last, worst first; those of a rule together */
    size_t count;
    const struct finding_view **findings; /* of all */
};

void problems_load(struct report_problems *p, const struct report *r);
void problems_finish(struct report_problems *p);

#endif
