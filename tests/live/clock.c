/*
 * clock.so - loaded before a program, sets its wall clock and the times of the frames it captures:
 * the file that HEADRACE_CLOCK names holds by how many nanoseconds, as a number of eight bytes, and
 * may change at any time.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

static const volatile int64_t *lead;

/* Mapped once, for a program may give up opening files. */
__attribute__((constructor)) static void map_lead(void)
{
    const char *path = getenv("HEADRACE_CLOCK");
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *at = fd >= 0 ? mmap(NULL, sizeof(*lead), PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    lead = at != MAP_FAILED ? at : NULL;
    if (fd >= 0) {
        close(fd);
    }
}

static int64_t lead_now(void)
{
    return lead != NULL ? *lead : 0;
}

int clock_gettime(clockid_t id, struct timespec *ret_time)
{
    int r = (int)syscall(SYS_clock_gettime, id, ret_time);
    if (r == 0 && id == CLOCK_REALTIME) {
        int64_t at = ret_time->tv_sec * SECOND + ret_time->tv_nsec + lead_now();
        ret_time->tv_sec = at / SECOND;
        ret_time->tv_nsec = at % SECOND;
    }
    return r;
}

struct reader {
    pcap_handler handler;
    u_char *user;
    int64_t fraction; /* of a second, in which its times count */
};

static void on_frame(u_char *user, const struct pcap_pkthdr *header, const u_char *bytes)
{
    const struct reader *r = (const void *)user;
    struct pcap_pkthdr moved = *header;
    int64_t at =
        header->ts.tv_sec * r->fraction + header->ts.tv_usec + lead_now() / (SECOND / r->fraction);
    moved.ts.tv_sec = at / r->fraction;
    moved.ts.tv_usec = at % r->fraction;
    r->handler(r->user, &moved, bytes);
}

int pcap_dispatch(pcap_t *p, int count, pcap_handler handler, u_char *user)
{
    int (*real)(pcap_t *, int, pcap_handler, u_char *);
    struct reader r = {.handler = handler, .user = user, .fraction = SECOND};
    *(void **)&real = dlsym(RTLD_NEXT, "pcap_dispatch");
    if (pcap_get_tstamp_precision(p) != PCAP_TSTAMP_PRECISION_NANO) {
        r.fraction = SECOND / 1000;
    }
    return real(p, count, on_frame, (u_char *)&r);
}
