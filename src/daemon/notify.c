#include "daemon/notify.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct notify {
    int fd;
    hr_nsec interval; /* 0: no watchdog */
    hr_nsec sent_at;
};

/* Half of what systemd waits, as sd_watchdog_enabled(3) asks. */
static hr_nsec watchdog_interval(void)
{
    const char *usec = getenv("WATCHDOG_USEC");
    const char *pid = getenv("WATCHDOG_PID");
    if (usec == NULL || (pid != NULL && strtol(pid, NULL, 10) != (long)getpid())) {
        return 0;
    }
    long long n = strtoll(usec, NULL, 10);
    return n > 0 && n < INT64_MAX / 1000 ? n * HR_NSEC_PER_USEC / 2 : 0;
}

struct notify *notify_create(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    const char *path = getenv("NOTIFY_SOCKET");
    size_t len = path != NULL ? strlen(path) : 0;
    if (len < 2 || len >= sizeof(to.sun_path)) {
        return NULL;
    }
    memcpy(to.sun_path, path, len);
    if (to.sun_path[0] == '@') {
        to.sun_path[0] = '\0';
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, size) < 0) {
        if (fd >= 0) {
            close(fd);
        }
        return NULL;
    }
    struct notify *n = hr_xcalloc(1, sizeof(*n));
    *n = (struct notify){.fd = fd, .interval = watchdog_interval()};
    return n;
}

void notify_destroy(struct notify *n)
{
    if (n != NULL) {
        close(n->fd);
        free(n);
    }
}

void notify_send(struct notify *n, const char *state)
{
    if (n != NULL) {
        send(n->fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
}

void notify_watchdog(struct notify *n, hr_nsec now)
{
    if (n != NULL && n->interval > 0 && now - n->sent_at >= n->interval) {
        notify_send(n, "WATCHDOG=1");
        n->sent_at = now;
    }
}
