#include "report/csv.h"

#include "report/record.h"

void report_csv_render(const struct report *r, struct hr_buf *out)
{
    /* Spreadsheets take a file without a byte order mark for one in the system's old code page. */
    hr_buf_append_str(out, "\xef\xbb\xbf");
    /* Some guess from the first quotes what separates cells: these stand beside commas for sure. */
    for (size_t i = 0; i < record_finding.field_count; i++) {
        hr_buf_appendf(out, "%s\"%s\"", i > 0 ? "," : "", record_finding.fields[i].key);
    }
    hr_buf_append_str(out, "\r\n");
    for (size_t i = 0; i < r->finding_count; i++) {
        record_append_csv(out, &record_finding, report_whole(r, &r->findings[i]));
        report_spill(r, out);
    }
}
