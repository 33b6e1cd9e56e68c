/*
 * report/html_page.h - the parts of the page, for its own files only. Each writes one section.
 */
#ifndef HR_REPORT_HTML_PAGE_H
#define HR_REPORT_HTML_PAGE_H

#include "report/overview.h"
#include "report/problem.h"

struct html_page {
    const struct report *report;
    struct store *store;
    struct report_problems problems;
    struct overview overview;
    bool all;
    size_t stories_left; /* pictures that the page still has room for */
    int error;           /* negative errno of the store */
};

/* page.css, page.js and their hashes for the content security policy: made by embed-page.py */
extern const char html_page_css[];
extern const char html_page_js[];
extern const char html_page_css_hash[];
extern const char html_page_js_hash[];

/** "two words" to what an id may be */
void html_section_begin(struct hr_buf *out, const char *id, const char *heading);
void html_section_end(struct hr_buf *out);
/** A row of terms and numbers in a table of class "heat": none, few, many, by the power of ten. */
void html_heat_cell(struct hr_buf *out, int64_t count, bool is_bad);

void html_findings(struct html_page *p, struct hr_buf *out);
void html_suppressed(const struct html_page *p, struct hr_buf *out);
void html_gone(const struct html_page *p, struct hr_buf *out);
void html_traffic(const struct html_page *p, struct hr_buf *out);
void html_trend(const struct html_page *p, struct hr_buf *out);
void html_ledger(const struct html_page *p, struct hr_buf *out);
void html_rules(const struct html_page *p, struct hr_buf *out);

#endif
