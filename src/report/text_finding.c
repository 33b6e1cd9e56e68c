#include "base/alloc.h"
#include "base/local.h"
#include "report/caveats.h"
#include "report/display.h"
#include "report/text.h"
#include "report/wording.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { INDENT = 4, EVIDENCE_INDENT = 8, NARROW_INDENT = 24, ROOM = 16 };

static void append_evidence_line(const struct evidence_view *e, hr_nsec first_at,
                                 const struct report_paint *paint, bool with_file,
                                 struct hr_buf *out)
{
    char when[DISPLAY_OFFSET_SIZE] = "";
    struct hr_buf line;
    hr_buf_init(&line, SIZE_MAX);
    if (e->at != HR_NSEC_INFINITE) {
        display_offset(hr_nsec_sub(e->at, first_at), when);
    }
    hr_buf_appendf(out, "%*s%14s  ", INDENT, "", when);
    if (e->frame > 0) {
        hr_buf_appendf(&line, "frame %" PRId64 ", stream %" PRId64, e->frame, e->stream);
    }
    const char *file = with_file && e->capture != NULL ? display_file_name(e->capture) : NULL;
    const size_t before = INDENT + 14 + 2;
    const bool is_beside =
        file != NULL && before + line.len + 4 + strlen(file) + 2 + ROOM <= paint->width;
    if (is_beside) {
        hr_buf_append_str(&line, " of ");
        paint_foreign(&line, file);
    }
    const bool is_below = file != NULL && !is_beside;
    const size_t column = is_below ? NARROW_INDENT : before + (line.len > 24 ? line.len : 24) + 2;
    if (is_below) {
        hr_buf_appendf(out, "%s\n%*s", hr_buf_str(&line), NARROW_INDENT, "");
    } else {
        hr_buf_appendf(out, "%-24s  ", hr_buf_str(&line));
    }
    hr_buf_clear(&line);
    if (is_below) {
        hr_buf_appendf(&line, "(%s) ", file);
    }
    if (e->role != NULL && e->role[0] != '\0') {
        hr_buf_append_str(&line, e->role);
        hr_buf_append_str(&line, e->text != NULL && e->text[0] != '\0' ? ": " : "");
    }
    hr_buf_append_str(&line, e->text != NULL ? e->text : "");
    paint_wrapped(paint, out, hr_buf_str(&line), column,
                  column < paint->width / 2 ? column : NARROW_INDENT);
    hr_buf_finish(&line);
}

/* One display filter a capture, for stream numbers are counted in each. */
static void append_filters(const struct finding_view *f, const struct report_paint *paint,
                           bool with_file, struct hr_buf *out)
{
    const char *capture;
    for (size_t i = 0; (capture = wording_capture(f, i)) != NULL; i++) {
        struct hr_buf filter;
        hr_buf_init(&filter, SIZE_MAX);
        wording_filter(&filter, f, capture);
        if (filter.len > 0) {
            hr_buf_appendf(out, "%*s", EVIDENCE_INDENT, "");
            paint_text(paint, out, COLOR_CYAN, hr_buf_str(&filter));
            if (with_file) {
                hr_buf_append_str(out, " in ");
                paint_foreign(out, display_file_name(capture));
            }
            hr_buf_append_char(out, '\n');
        }
        hr_buf_finish(&filter);
    }
}

static void append_caveats(const struct finding_view *f, const struct report_paint *paint,
                           struct hr_buf *out)
{
    const char *rest = f->caveats;
    struct hr_buf text;
    hr_buf_init(&text, SIZE_MAX);
    while (caveats_next(&rest, &text)) {
        hr_buf_appendf(out, "%*s", EVIDENCE_INDENT, "");
        paint_text(paint, out, COLOR_YELLOW, "but: ");
        paint_wrapped(paint, out, hr_buf_str(&text), EVIDENCE_INDENT + 5, EVIDENCE_INDENT + 5);
    }
    hr_buf_finish(&text);
}

/* "suppressed by OWNER until DATE: REASON" */
void report_text_suppression(const struct finding_view *f, const struct report_paint *paint,
                             size_t column, struct hr_buf *out)
{
    char at[HR_TIME_TEXT_SIZE];
    struct hr_buf line;
    hr_buf_init(&line, SIZE_MAX);
    hr_buf_appendf(&line, "suppressed by %s", f->suppression_owner);
    if (f->suppression_expires_at != HR_NSEC_INFINITE) {
        hr_buf_appendf(&line, " until %s",
                       hr_local_format(f->suppression_expires_at, HR_LOCAL_MINUTE, at));
        hr_buf_appendf(&line, " %s", hr_local_format(f->suppression_expires_at, HR_LOCAL_MARK, at));
    }
    hr_buf_appendf(&line, ": %s", f->suppression_reason);
    hr_buf_appendf(out, "%*s", (int)column, "");
    paint_wrapped(paint, out, hr_buf_str(&line), column, column);
    hr_buf_finish(&line);
}

void report_text_finding(const struct finding_view *f, const char *known,
                         const struct report_paint *paint, bool with_file, struct hr_buf *out)
{
    char text[HR_TIME_TEXT_SIZE];
    struct hr_buf head;
    hr_nsec first_at = wording_story_begin(f);
    hr_buf_init(&head, SIZE_MAX);
    hr_buf_appendf(&head, "#%" PRId64 " %s%s%s%s", f->id, f->verdict,
                   f->baseline != NULL && strcmp(f->baseline, "new") == 0 ? ", new" : "",
                   known[0] != '\0' ? ", " : "", known);
    hr_buf_appendf(out, "%*s", INDENT, "");
    paint_text(paint, out, COLOR_BOLD, hr_buf_str(&head));
    hr_buf_append_str(out, "  ");
    size_t column = INDENT + head.len + 2;
    paint_wrapped(paint, out, f->summary, column, EVIDENCE_INDENT);
    if (first_at != HR_NSEC_INFINITE) {
        hr_buf_clear(&head);
        hr_buf_appendf(&head, "from %s", hr_local_format(first_at, HR_LOCAL_MICRO, text));
        hr_buf_appendf(&head, " %s", hr_local_format(first_at, HR_LOCAL_MARK, text));
        if (f->client != NULL) {
            hr_buf_appendf(&head, ", client %s port %d", f->client, f->client_port);
        }
        hr_buf_append_char(&head, ':');
        hr_buf_appendf(out, "%*s", EVIDENCE_INDENT, "");
        paint_wrapped(paint, out, hr_buf_str(&head), EVIDENCE_INDENT, EVIDENCE_INDENT);
    }
    struct evidence_view *evidence = wording_sorted_evidence(f);
    for (size_t i = 0; i < f->evidence_count; i++) {
        append_evidence_line(&evidence[i], first_at, paint, with_file, out);
    }
    free(evidence);
    append_filters(f, paint, with_file, out);
    append_caveats(f, paint, out);
    if (f->suppressed) {
        report_text_suppression(f, paint, EVIDENCE_INDENT, out);
    }
    hr_buf_finish(&head);
}
