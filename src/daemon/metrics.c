#include "daemon/metrics.h"

#include "base/alloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifdef HR_HAS_MICROHTTPD
#include "daemon/clock.h"

#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONTENT_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"
/* At a time; each is answered at once. */
#define CLIENT_LIMIT 16
#define CLIENT_SECONDS 5

struct metrics {
    int fd;
    struct MHD_Daemon *daemon;
    struct stats *stats;
};

/* "HOST:PORT", "[HOST]:PORT"; HOST may be empty. */
static int split(const char *address, char host[256], char port[16])
{
    const char *colon = strrchr(address, ':');
    size_t len = colon != NULL ? (size_t)(colon - address) : 0;
    bool is_bracketed = len >= 2 && address[0] == '[' && address[len - 1] == ']';
    const char *from = is_bracketed ? address + 1 : address;
    len -= is_bracketed ? 2 : 0;
    bool is_good = colon != NULL && len < 256 && strlen(colon + 1) < 16 && colon[1] != '\0' &&
                   colon[1 + strspn(colon + 1, "0123456789")] == '\0' &&
                   strtoul(colon + 1, NULL, 10) - 1 < UINT16_MAX &&
                   (is_bracketed || memchr(from, ':', len) == NULL);
    if (!is_good) {
        return -EINVAL;
    }
    memcpy(host, from, len);
    host[len] = '\0';
    memcpy(port, colon + 1, strlen(colon + 1) + 1);
    return 0;
}

static int listen_at(const struct addrinfo *a)
{
    int on = 1;
    int off = 0;
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
    if (fd < 0) {
        return -errno;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (a->ai_family == AF_INET6) { /* the address of all addresses is meant of both kinds */
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    }
    if (bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, CLIENT_LIMIT) < 0) {
        int r = -errno;
        close(fd);
        return r;
    }
    return fd;
}

/* Where there is no IPv6, those of IPv4. */
static const char *all_addresses(void)
{
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0 ? "::" : "0.0.0.0";
}

int metrics_open(const char *address, struct metrics **ret_metrics, struct hr_buf *ret_error)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char host[256];
    char port[16];
    if (split(address, host, port) < 0 ||
        getaddrinfo(host[0] != '\0' ? host : all_addresses(), port, &hints, &found) != 0) {
        hr_buf_appendf(ret_error, "--metrics takes 127.0.0.1:9464, [::1]:9464 or :9464, not %s",
                       address);
        return -EINVAL;
    }
    int fd = listen_at(found);
    freeaddrinfo(found);
    if (fd < 0) {
        hr_buf_appendf(ret_error, "--metrics %s: %s", address, strerror(-fd));
        return fd;
    }
    struct metrics *m = hr_xcalloc(1, sizeof(*m));
    m->fd = fd;
    *ret_metrics = m;
    return 0;
}

static enum MHD_Result answer(struct MHD_Connection *c, unsigned status, const char *type,
                              const char *text, size_t len)
{
    struct MHD_Response *r =
        MHD_create_response_from_buffer(len, (void *)text, MHD_RESPMEM_MUST_COPY);
    if (r == NULL) {
        return MHD_NO;
    }
    MHD_add_response_header(r, "Content-Type", type);
    MHD_add_response_header(r, "Cache-Control", "no-store");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        MHD_add_response_header(r, "Allow", "GET, HEAD");
    }
    enum MHD_Result queued = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return queued;
}

static enum MHD_Result answer_line(struct MHD_Connection *c, unsigned status, const char *line)
{
    return answer(c, status, "text/plain; charset=utf-8", line, strlen(line));
}

static enum MHD_Result answer_metrics(struct metrics *m, struct MHD_Connection *c,
                                      const struct watch_stats *s)
{
    struct hr_buf text;
    struct watch_totals totals;
    hr_buf_init(&text, SIZE_MAX);
    stats_get_totals(m->stats, &totals);
    metrics_format(s, &totals, &text);
    watch_totals_finish(&totals);
    enum MHD_Result r = answer(c, MHD_HTTP_OK, CONTENT_TYPE, hr_buf_str(&text), text.len);
    hr_buf_finish(&text);
    return r;
}

static enum MHD_Result answer_health(struct MHD_Connection *c, const char *trouble)
{
    char line[128];
    snprintf(line, sizeof(line), "%s\n", trouble != NULL ? trouble : "ok");
    return answer_line(c, trouble != NULL ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_OK, line);
}

static enum MHD_Result on_request(void *user, struct MHD_Connection *c, const char *path,
                                  const char *method, const char *version, const char *content,
                                  size_t *content_size, void **state)
{
    struct metrics *m = user;
    struct watch_stats s;
    (void)version;
    (void)content;
    (void)state;
    *content_size = 0; /* a content is read and forgotten */
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        return answer_line(c, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
    }
    stats_get(m->stats, &s);
    if (strcmp(path, "/metrics") == 0) {
        return answer_metrics(m, c, &s);
    }
    if (strcmp(path, "/healthz") == 0) {
        return answer_health(c, stats_trouble(&s, clock_steady()));
    }
    return answer_line(c, MHD_HTTP_NOT_FOUND, "/metrics and /healthz are here\n");
}

int metrics_start(struct metrics *m, struct stats *stats)
{
    m->stats = stats;
    m->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL, NULL, on_request, m,
        MHD_OPTION_LISTEN_SOCKET, m->fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CLIENT_LIMIT,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CLIENT_SECONDS, MHD_OPTION_END);
    return m->daemon != NULL ? 0 : errno != 0 ? -errno : -EIO;
}

void metrics_close(struct metrics *m)
{
    if (m == NULL) {
        return;
    }
    if (m->daemon != NULL) {
        MHD_stop_daemon(m->daemon); /* closes the socket */
    } else {
        close(m->fd);
    }
    free(m);
}

#else

int metrics_open(const char *address, struct metrics **ret_metrics, struct hr_buf *ret_error)
{
    (void)address;
    (void)ret_metrics;
    hr_buf_append_str(ret_error,
                      "this headrace was built without libmicrohttpd: it has no metrics; "
                      "build it where libmicrohttpd is installed");
    return -ENOTSUP;
}

int metrics_start(struct metrics *m, struct stats *stats)
{
    (void)m;
    (void)stats;
    return -ENOTSUP;
}

void metrics_close(struct metrics *m)
{
    (void)m;
}
#endif
