/*
 * What is not named here fails with EPERM; it does not end a watch that ran for months. Arguments
 * are compared in the 32 bits that the kernel looks at: it ignores what stands above them.
 */
#include "daemon/calls.h"

#include "base/alloc.h"
#include "daemon/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#define LOW_32 UINT64_C(0xffffffff)
/* Far above what is ever open; a power of two. */
#define FD_LIMIT 65536u

/* What SQLite, libpcap, the C library and threads need, whatever the arguments. */
static const char *const calls[] = {
    "accept4",
    "access",
    "brk",
    "clock_getres",
    "clock_gettime",
    "clock_nanosleep",
    "close",
    "epoll_create1",
    "epoll_ctl",
    "epoll_pwait",
    "epoll_wait",
    "eventfd2",
    "exit",
    "exit_group",
    "faccessat",
    "faccessat2",
    "fallocate",
    "fchmod",
    "fdatasync",
    "fstat",
    "fstatfs",
    "fsync",
    "ftruncate",
    "futex",
    "getcwd",
    "getdents64",
    "getegid",
    "geteuid",
    "getgid",
    "getpeername",
    "getpid",
    "getppid",
    "getrandom",
    "getrlimit",
    "getrusage",
    "getsockname",
    "getsockopt",
    "gettid",
    "gettimeofday",
    "getuid",
    "lseek",
    "lstat",
    "madvise",
    "mkdir",
    "mkdirat",
    "mremap",
    "munmap",
    "nanosleep",
    "newfstatat",
    "open",
    "openat",
    "pipe2",
    "poll",
    "ppoll",
    "pread64",
    "pselect6",
    "read",
    "readlink",
    "readlinkat",
    "readv",
    "recv",
    "recvfrom",
    "recvmsg",
    "rename",
    "renameat",
    "renameat2",
    "restart_syscall",
    "rmdir",
    "rseq",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "rt_sigtimedwait",
    "sched_getaffinity",
    "sched_yield",
    "select",
    "set_robust_list",
    "shutdown",
    "sigaltstack",
    "signalfd4",
    "stat",
    "statfs",
    "statx",
    "sysinfo",
    "time",
    "timerfd_create",
    "timerfd_settime",
    "uname",
    "unlink",
    "unlinkat",
    "utimensat",
    "wait4",
};
static const char *const network_calls[] = {"connect", "recvmmsg", "socketpair", "listen"};
static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK /* to look up names */};
/* No copies of descriptors, no signals for what happens to them. */
static const int fcntl_commands[] = {F_GETFD, F_SETFD, F_GETFL, F_SETFL,
                                     F_GETLK, F_SETLK, F_SETLKW};
/* Above all not TIOCSTI, which types into the terminal of whoever started us. */
static const unsigned long ioctl_requests[] = {
    TCGETS,     TCSETS,   TCSETSW,      TCSETSF,      TCXONC,      TCFLSH,
    TIOCGWINSZ, FIONREAD, SIOCGIFFLAGS, SIOCGIFINDEX, SIOCGIFNAME,
};

/* --- rules ------------------------------------------------------------------------------------ */

/* As all these: 0, also where the architecture has no such call. */
static int allow(scmp_filter_ctx filter, const char *name, const struct scmp_arg_cmp *tests,
                 unsigned count)
{
    int call = seccomp_syscall_resolve_name(name);
    if (call == __NR_SCMP_ERROR) {
        return 0;
    }
    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, count, tests);
}

static int allow_all(scmp_filter_ctx filter, const char *const *names, size_t count)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = allow(filter, names[i], NULL, 0);
    }
    return r;
}

/* Where those bits of that argument have that value. */
static int allow_bits(scmp_filter_ctx filter, const char *name, unsigned argument, uint64_t mask,
                      uint64_t value)
{
    struct scmp_arg_cmp test = SCMP_CMP64(argument, SCMP_CMP_MASKED_EQ, mask, value);
    return allow(filter, name, &test, 1);
}

static int allow_value(scmp_filter_ctx filter, const char *name, unsigned argument, uint64_t value)
{
    return allow_bits(filter, name, argument, LOW_32, value & LOW_32);
}

/* A call with a descriptor. */
struct fd_rule {
    const char *name;
    bool
        is_connected; /* nowhere but where the descriptor leads: the fifth argument is no address */
};

static int allow_fd_block(scmp_filter_ctx filter, const struct fd_rule *rule, uint32_t begin,
                          uint32_t size)
{
    struct scmp_arg_cmp tests[] = {
        SCMP_CMP64(0, SCMP_CMP_MASKED_EQ, LOW_32 & ~(uint64_t)(size - 1), begin),
        SCMP_CMP64(4, SCMP_CMP_EQ, 0),
    };
    return allow(filter, rule->name, tests, rule->is_connected ? 2 : 1);
}

/* Descriptors from begin to before end: as few blocks as they can be cut into. */
static int allow_fds(scmp_filter_ctx filter, const struct fd_rule *rule, uint32_t begin,
                     uint32_t end)
{
    int r = 0;
    while (r == 0 && begin < end) {
        uint32_t size = begin == 0 ? FD_LIMIT : begin & (~begin + 1);
        while (size > end - begin) {
            size /= 2;
        }
        r = allow_fd_block(filter, rule, begin, size);
        begin += size;
    }
    return r;
}

/* Descriptors, in order. */
struct fd_list {
    uint32_t *items;
    size_t count;
};

static int allow_other_fds(scmp_filter_ctx filter, const struct fd_rule *rules, size_t rule_count,
                           const struct fd_list *fds)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < rule_count; i++) {
        uint32_t begin = 0;
        for (size_t k = 0; r == 0 && k < fds->count; k++) {
            r = allow_fds(filter, &rules[i], begin, fds->items[k]);
            begin = fds->items[k] + 1;
        }
        r = r == 0 ? allow_fds(filter, &rules[i], begin, FD_LIMIT) : r;
    }
    return r;
}

static int compare_fds(const void *a, const void *b)
{
    const uint32_t *x = a;
    const uint32_t *y = b;
    return *x < *y ? -1 : *x > *y;
}

static struct fd_list copy_fds(const struct trust_needs *needs)
{
    struct fd_list fds = {.items = hr_xcalloc(needs->packet_fd_count + 1, sizeof(*fds.items)),
                          .count = needs->packet_fd_count};
    for (size_t i = 0; i < fds.count; i++) {
        fds.items[i] = (uint32_t)needs->packet_fds[i];
    }
    qsort(fds.items, fds.count, sizeof(*fds.items), compare_fds);
    return fds;
}

/* --- the filter ------------------------------------------------------------------------------- */

static int allow_threads(scmp_filter_ctx filter)
{
    int r = allow_bits(filter, "clone", 0, CLONE_THREAD, CLONE_THREAD);
    /* Its arguments lie in memory, where a filter cannot look; without it clone() is called. */
    r = r == 0 ? seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) : r;
    return r == 0 ? allow_value(filter, "tgkill", 0, (uint32_t)getpid()) : r;
}

/* Looking up names may load libraries. */
static int allow_memory(scmp_filter_ctx filter, bool may_load)
{
    uint64_t mask = may_load ? 0 : PROT_EXEC;
    int r = allow_bits(filter, "mmap", 2, mask, 0);
    return r == 0 ? allow_bits(filter, "mprotect", 2, mask, 0) : r;
}

static int allow_requests(scmp_filter_ctx filter)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < HR_ARRAY_LEN(fcntl_commands); i++) {
        r = allow_value(filter, "fcntl", 1, (uint64_t)fcntl_commands[i]);
    }
    for (size_t i = 0; r == 0 && i < HR_ARRAY_LEN(ioctl_requests); i++) {
        r = allow_value(filter, "ioctl", 1, ioctl_requests[i]);
    }
    return r;
}

static int allow_network(scmp_filter_ctx filter)
{
    int r = allow_all(filter, network_calls, HR_ARRAY_LEN(network_calls));
    for (size_t i = 0; r == 0 && i < HR_ARRAY_LEN(families); i++) {
        r = allow_value(filter, "socket", 0, (uint64_t)families[i]);
    }
    return r;
}

/* An open packet socket needs no privilege to put frames on the wire, to change its filter or to go
 * to another interface. */
static int allow_writing(scmp_filter_ctx filter, const struct trust_needs *needs)
{
    static const struct fd_rule always[] = {
        {"write",      false},
        {"writev",     false},
        {"pwrite64",   false},
        {"setsockopt", false},
        {"dup2",       false},
        {"dup3",       false}
    };
    static const struct fd_rule connected[] = {
        {"send",   false},
        {"sendto", true }
    };
    static const struct fd_rule network[] = {
        {"send",     false},
        {"sendto",   false},
        {"sendmsg",  false},
        {"sendmmsg", false},
        {"bind",     false}
    };
    static const struct fd_rule serving[] = {
        {"sendmsg", false}
    };
    struct fd_list fds = copy_fds(needs);
    int r = allow_other_fds(filter, always, HR_ARRAY_LEN(always), &fds);
    if (r == 0) {
        r = needs->network ? allow_other_fds(filter, network, HR_ARRAY_LEN(network), &fds)
                           : allow_other_fds(filter, connected, HR_ARRAY_LEN(connected), &fds);
    }
    if (r == 0 && needs->serves && !needs->network) {
        r = allow_other_fds(filter, serving, HR_ARRAY_LEN(serving), &fds);
    }
    free(fds.items);
    return r;
}

int calls_confine(const struct trust_needs *needs)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (filter == NULL) {
        return -ENOMEM;
    }
    int r = allow_all(filter, calls, HR_ARRAY_LEN(calls));
    r = r == 0 ? allow_threads(filter) : r;
    r = r == 0 ? allow_memory(filter, needs->network) : r;
    r = r == 0 ? allow_requests(filter) : r;
    r = r == 0 ? allow_writing(filter, needs) : r;
    r = r == 0 && needs->network ? allow_network(filter) : r;
    r = r == 0 ? seccomp_load(filter) : r;
    seccomp_release(filter);
    return r;
}
