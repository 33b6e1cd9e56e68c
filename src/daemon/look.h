/*
 * daemon/look.h - what a screen shows of the store, read in short looks through a connection of its
 * own: the writer never waits for it, and it never keeps the write-ahead log from being emptied.
 */
#ifndef HR_DAEMON_LOOK_H
#define HR_DAEMON_LOOK_H

#include "report/overview.h"
#include "report/paint.h"
#include "store/store.h"

enum { LOOK_FINDINGS_MAX = 200 };

struct look_finding {
    int64_t id;
    const char *severity;
    const char *verdict;
    hr_nsec at;
    const char *site; /* NULL: none */
    const char *summary;
};

struct look_view {
    struct look_finding findings[LOOK_FINDINGS_MAX]; /* what was found, or rose, last comes first */
    size_t finding_count;
    struct overview heat; /* of the last hour of the packets; only its heat map */
    int64_t sessions;     /* met in the last minute of the packets */
};

struct look;

/** In the thread that looks. @return 0 or the store's negative errno */
int look_open(const char *path, struct look **ret_look);
void look_close(struct look *l);
/**
 * Reads all anew, at the earliest when twenty times as long has passed as the last time took.
 * @param now        steady
 * @param packet_at  of the newest packet; INT64_MIN: none came
 * @return whether it did
 */
bool look_refresh(struct look *l, hr_nsec now, hr_nsec packet_at);
/** Until the next refresh. */
const struct look_view *look_get(const struct look *l);
/** As report_show_finding(). */
int look_show(struct look *l, int64_t finding_id, const struct report_paint *paint,
              struct hr_buf *out);

#endif
