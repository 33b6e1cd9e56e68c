#include "daemon/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int trust_find_user(const char *name, uid_t *ret_uid, gid_t *ret_gid)
{
    if (name == NULL && geteuid() != 0) {
        *ret_uid = geteuid();
        *ret_gid = getegid();
        return 0;
    }
    const struct passwd *p = getpwnam(name != NULL ? name : "nobody");
    if (p == NULL) {
        return -ENOENT;
    }
    *ret_uid = p->pw_uid;
    *ret_gid = p->pw_gid;
    return 0;
}

static int fail(struct hr_buf *error, const char *what)
{
    int r = errno != 0 ? -errno : -EPERM;
    hr_buf_appendf(error, "%s: %s", what, strerror(-r));
    return r;
}

static int drop_capabilities(struct hr_buf *error)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    /* May fail without CAP_SETPCAP; then there is nothing to bound either. */
    for (unsigned long c = 0; c <= CAP_LAST_CAP; c++) {
        prctl(PR_CAPBSET_DROP, c, 0, 0, 0);
    }
    if (syscall(SYS_capset, &header, none) < 0) {
        return fail(error, "capabilities cannot be given up");
    }
    return 0;
}

int trust_drop(uid_t uid, gid_t gid, struct hr_buf *ret_error)
{
    umask(077);
    if (geteuid() == 0) {
        if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0) {
            return fail(ret_error, "groups cannot be given up");
        }
        /* While there is still the right to: it is lost with the user. */
        for (unsigned long c = 0; c <= CAP_LAST_CAP; c++) {
            prctl(PR_CAPBSET_DROP, c, 0, 0, 0);
        }
        if (setresuid(uid, uid, uid) < 0) {
            return fail(ret_error, "the user cannot be changed");
        }
    } else if (geteuid() != uid) {
        hr_buf_append_str(ret_error, "--user needs root: only root can become somebody else");
        return -EPERM;
    }
    int r = drop_capabilities(ret_error);
    if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        r = fail(ret_error, "new privileges cannot be ruled out");
    }
    return r;
}

/* --- files ------------------------------------------------------------------------------------ */

#define READ_ACCESS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE_ACCESS                                                                               \
    (READ_ACCESS | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |                \
     LANDLOCK_ACCESS_FS_MAKE_REG)
#define ALL_ACCESS                                                                                 \
    (WRITE_ACCESS | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                   \
     LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_SOCK |   \
     LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

static int allow_path(int rules, const char *path, uint64_t access)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    struct stat st;
    if (fd < 0) {
        return errno == ENOENT || errno == EACCES ? 0 : -errno;
    }
    if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode)) {
        access &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
    }
    struct landlock_path_beneath_attr below = {.allowed_access = access, .parent_fd = fd};
    long r = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &below, 0);
    int code = r < 0 ? -errno : 0;
    close(fd);
    return code;
}

static int confine_files(const struct trust_needs *n, bool *ret_has_landlock, struct hr_buf *error)
{
    struct landlock_ruleset_attr handled = {.handled_access_fs = ALL_ACCESS};
    int rules = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);
    int r = 0;
    *ret_has_landlock = rules >= 0;
    if (rules < 0) {
        return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : fail(error, "Landlock");
    }
    for (size_t i = 0; r == 0 && i < n->read_count; i++) {
        r = allow_path(rules, n->read[i], READ_ACCESS);
    }
    for (size_t i = 0; r == 0 && i < n->write_count; i++) {
        r = allow_path(rules, n->write[i], WRITE_ACCESS);
    }
    if (r == 0 && syscall(SYS_landlock_restrict_self, rules, 0) < 0) {
        r = -errno;
    }
    close(rules);
    errno = -r;
    return r < 0 ? fail(error, "Landlock") : 0;
}

/* --- system calls ----------------------------------------------------------------------------- */

/* What SQLite, libpcap, the C library and threads need. */
static const char *const calls[] = {
    "accept4",
    "access",
    "brk",
    "clock_getres",
    "clock_gettime",
    "clock_nanosleep",
    "clone",
    "clone3",
    "close",
    "dup",
    "dup2",
    "dup3",
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
    "fchown",
    "fcntl",
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
    "ioctl",
    "lseek",
    "lstat",
    "madvise",
    "mkdir",
    "mkdirat",
    "mmap",
    "mprotect",
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
    "pwrite64",
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
    "send",
    "sendmsg",
    "sendto",
    "set_robust_list",
    "setsockopt",
    "shutdown",
    "sigaltstack",
    "signalfd4",
    "stat",
    "statfs",
    "statx",
    "sysinfo",
    "tgkill",
    "time",
    "timerfd_create",
    "timerfd_settime",
    "umask",
    "uname",
    "unlink",
    "unlinkat",
    "utimensat",
    "wait4",
    "write",
    "writev",
};
static const char *const network_calls[] = {"connect", "socket",     "sendmmsg", "recvmmsg",
                                            "bind",    "socketpair", "listen"};

static int allow_calls(scmp_filter_ctx filter, const char *const *names, size_t count)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
        int call = seccomp_syscall_resolve_name(names[i]);
        if (call != __NR_SCMP_ERROR) { /* not every architecture has each */
            r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
        }
    }
    return r;
}

static int confine_calls(bool network, struct hr_buf *error)
{
    /* A call that was forgotten here fails; it does not end a watch that ran for months. */
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (filter == NULL) {
        errno = ENOMEM;
        return fail(error, "seccomp");
    }
    int r = allow_calls(filter, calls, sizeof(calls) / sizeof(calls[0]));
    if (r == 0 && network) {
        r = allow_calls(filter, network_calls, sizeof(network_calls) / sizeof(network_calls[0]));
    }
    r = r == 0 ? seccomp_load(filter) : r;
    seccomp_release(filter);
    errno = -r;
    return r < 0 ? fail(error, "seccomp") : 0;
}

int trust_confine(const struct trust_needs *needs, bool *ret_has_landlock, struct hr_buf *ret_error)
{
    int r = confine_files(needs, ret_has_landlock, ret_error);
    return r == 0 ? confine_calls(needs->network, ret_error) : r;
}
