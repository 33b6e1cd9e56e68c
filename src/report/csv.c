#include "report/csv.h"

#include "report/record.h"

void report_csv_render(const struct report *r, struct hr_buf *out)
{
    /* Spreadsheets take a file without a byte order mark for one in the system's old code page. */
    hr_buf_append_str(out, "\xef\xbb\xbf");
    record_append_csv_header(out, &record_finding);
    for (size_t i = 0; i < r->finding_count; i++) {
        record_append_csv(out, &record_finding, report_whole(r, &r->findings[i]));
        report_spill(r, out);
    }
}
