#include "daemon/look.h"

#include "base/alloc.h"
#include "daemon/clock.h"
#include "report/show.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_INTERVAL HR_NSEC_PER_SEC
#define LOOK_SHARE 20 /* at most this part of the time is spent looking */
#define HEAT_SPAN (3600 * HR_NSEC_PER_SEC)
#define SESSION_SPAN (60 * HR_NSEC_PER_SEC)
#define BUSY_MS 200

struct look {
    struct store *store;
    struct hr_arena texts; /* of the findings */
    struct look_view view;
    hr_nsec due; /* steady */
};

int look_open(const char *path, struct look **ret_look)
{
    struct store_config config = {.path = path, .mode = STORE_READ, .busy_timeout_ms = BUSY_MS};
    struct look *l = hr_xcalloc(1, sizeof(*l));
    hr_arena_init(&l->texts);
    hr_arena_init(&l->view.heat.arena);
    int r = store_open(&config, &l->store);
    if (r < 0) {
        look_close(l);
        return r;
    }
    *ret_look = l;
    return 0;
}

void look_close(struct look *l)
{
    if (l != NULL) {
        store_close(l->store);
        overview_finish(&l->view.heat);
        hr_arena_finish(&l->texts);
        free(l);
    }
}

static int add_finding(const struct finding_view *x, void *user)
{
    struct look *l = user;
    l->view.findings[l->view.finding_count++] = (struct look_finding){
        .id = x->id,
        .severity = hr_arena_text(&l->texts, x->severity),
        .verdict = hr_arena_text(&l->texts, x->verdict),
        .at = x->at,
        .site = hr_arena_text(&l->texts, x->site),
        .summary = hr_arena_text(&l->texts, x->summary),
    };
    return l->view.finding_count == LOOK_FINDINGS_MAX;
}

static void read_all(struct look *l, hr_nsec packet_at)
{
    struct read_filter recent = READ_FILTER_ALL;
    recent.since = hr_nsec_sub(packet_at, HEAT_SPAN);
    hr_arena_reset(&l->texts);
    overview_finish(&l->view.heat);
    l->view.finding_count = 0;
    l->view.sessions = 0;
    read_newest_findings(l->store, LOOK_FINDINGS_MAX, add_finding, l);
    overview_load_heat(&l->view.heat, l->store, &recent);
    read_recent_sessions(l->store, hr_nsec_sub(packet_at, SESSION_SPAN), &l->view.sessions);
}

bool look_refresh(struct look *l, hr_nsec now, hr_nsec packet_at)
{
    if (now < l->due || packet_at == INT64_MIN) {
        return false;
    }
    read_all(l, packet_at);
    hr_nsec done = clock_steady();
    hr_nsec pause = LOOK_SHARE * (done - now);
    l->due = done + (pause > LOOK_INTERVAL ? pause : LOOK_INTERVAL);
    return true;
}

const struct look_view *look_get(const struct look *l)
{
    return &l->view;
}

int look_show(struct look *l, int64_t finding_id, const struct report_paint *paint,
              struct hr_buf *out)
{
    return report_show_finding(l->store, finding_id, paint, out);
}
