/*
 * daemon/notify.h - tells systemd how it goes, where it started us: sd_notify(3)'s datagrams, which
 * need no library. Does nothing elsewhere.
 */
#ifndef HR_DAEMON_NOTIFY_H
#define HR_DAEMON_NOTIFY_H

#include "base/time.h"

struct notify;

/** Before privileges are dropped: the socket may be out of reach afterwards. NULL: nobody listens. */
struct notify *notify_create(void);
void notify_destroy(struct notify *n);
/** "READY=1", "STOPPING=1", "RELOADING=1", "WATCHDOG=1" */
void notify_send(struct notify *n, const char *state);
/** "WATCHDOG=1", as often as systemd wants it. @param now  steady */
void notify_watchdog(struct notify *n, hr_nsec now);

#endif
