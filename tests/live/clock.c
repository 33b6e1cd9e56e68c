/*
 * clock.so - loaded before a program, sets its wall clock: the file that HEADRACE_CLOCK names holds
 * by how many nanoseconds, as a number of eight bytes, and may change at any time.
 */
#include <fcntl.h>
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

int clock_gettime(clockid_t id, struct timespec *ret_time)
{
    int r = (int)syscall(SYS_clock_gettime, id, ret_time);
    if (r == 0 && id == CLOCK_REALTIME && lead != NULL) {
        int64_t at = ret_time->tv_sec * SECOND + ret_time->tv_nsec + *lead;
        ret_time->tv_sec = at / SECOND;
        ret_time->tv_nsec = at % SECOND;
    }
    return r;
}
