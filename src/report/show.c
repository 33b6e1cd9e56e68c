#include "report/show.h"

#include "report/lanes.h"
#include "report/model.h"
#include "report/story.h"
#include "report/text.h"
#include "report/wording.h"

#include <errno.h>
#include <inttypes.h>

static int count_capture(const struct capture_view *x, void *user)
{
    (void)x;
    (*(size_t *)user)++;
    return 0;
}

bool report_has_several_captures(struct store *s)
{
    struct read_filter all = READ_FILTER_ALL;
    size_t count = 0;
    return read_captures(s, &all, count_capture, &count) == 0 && count > 1;
}

/* The finding, while it and its exchanges are read. */
struct finding_copy {
    struct hr_arena arena;
    struct finding_view finding;
    bool found;
};

static int keep_finding(const struct finding_view *x, void *user)
{
    struct finding_copy *copy = user;
    report_copy_finding(&copy->arena, x, &copy->finding);
    copy->found = true;
    return 0;
}

/* A session whose login was not seen could have been live all the time. */
static void draw_session(struct lanes *lanes, const struct report_story *story)
{
    const struct session_span *s = &story->span;
    if (s->login_exchange != 0) {
        lanes_session(lanes, s->login_start, LANES_MAYBE);
        lanes_session(lanes, s->login_end, LANES_LIVE);
    } else {
        lanes_session(lanes, INT64_MIN, LANES_LIVE);
    }
    if (s->logout_exchange != 0) {
        lanes_session(lanes, s->logout_start, LANES_MAYBE);
        lanes_session(lanes, s->logout_end, LANES_ENDED);
    }
}

/* Its evidence, with login and logout of its session. */
static int draw_finding(struct store *s, const struct finding_view *f,
                        const struct report_paint *paint, bool with_file, struct hr_buf *out)
{
    struct report_story story;
    struct lanes lanes;
    lanes_init(&lanes);
    int r = story_load(&story, s, f);
    for (size_t i = 0; i < story.count && r >= 0; i++) {
        const struct story_item *item = &story.items[i];
        lanes_add(&lanes, &item->x, item->is_finding ? "the finding" : item->role);
    }
    lanes_mark(&lanes, f->exchange);
    if (r >= 0 && (story.span.login_exchange != 0 || story.span.logout_exchange != 0)) {
        draw_session(&lanes, &story);
    }
    if (r >= 0 && lanes.count > 0) {
        hr_buf_append_char(out, '\n');
        lanes_render(&lanes, paint, with_file, out);
    }
    lanes_finish(&lanes);
    story_finish(&story);
    return r;
}

static void append_head(const struct finding_view *f, struct hr_buf *out)
{
    hr_buf_appendf(out, "%s, %s severity\n", f->rule, f->severity);
    paint_foreign(out, f->site);
    if (f->session != NULL) {
        hr_buf_append_str(out, ", session ");
        paint_foreign(out, f->session);
    }
    if (f->user != NULL) {
        hr_buf_append_str(out, " of ");
        paint_foreign(out, f->user);
    }
    hr_buf_append_char(out, '\n');
}

static int append_finding(struct store *s, const struct finding_view *f,
                          const struct report_paint *paint, struct hr_buf *out)
{
    bool with_file = report_has_several_captures(s);
    struct hr_buf command;
    append_head(f, out);
    report_text_finding(f, "", paint, with_file, out);
    int r = draw_finding(s, f, paint, with_file, out);
    if (f->explanation != NULL) {
        hr_buf_append_char(out, '\n');
        paint_wrapped(paint, out, f->explanation, 0, 0);
    }
    hr_buf_appendf(out, "\nfingerprint %s\ngroup       %s\nFrames: ", f->fingerprint, f->group);
    hr_buf_init(&command, SIZE_MAX);
    wording_evidence_command(&command, store_path(s), f->id);
    paint_foreign(out, hr_buf_str(&command));
    hr_buf_finish(&command);
    hr_buf_appendf(out, "\nMore: headrace rules explain %s\n", f->rule);
    return r;
}

int report_show_finding(struct store *s, int64_t id, const struct report_paint *paint,
                        struct hr_buf *out)
{
    struct finding_copy copy = {.found = false};
    hr_arena_init(&copy.arena);
    int r = read_finding(s, id, keep_finding, &copy);
    r = r == 0 && !copy.found ? -ENOENT : r;
    r = r == 0 ? append_finding(s, &copy.finding, paint, out) : r;
    hr_arena_finish(&copy.arena);
    return r;
}
