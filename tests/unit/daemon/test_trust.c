/*
 * What somebody who has taken the process over would try next. Each attempt is made by a process of
 * its own that was confined as watch is: nothing can be taken back.
 */
#include "base/alloc.h"
#include "daemon/trust.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* What an attempt sees. */
struct place {
    char folder[64]; /* in it: readable/file, writable/file, outside/file, scratch/file */
    int packets;     /* stands for a packet socket: one end of a pair */
    int other;       /* the same, of which nobody said that packets come from it */
};

static int made(long result)
{
    return result < 0 ? errno : 0;
}

static int open_at(const struct place *p, const char *name, int flags)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", p->folder, name);
    return made(open(path, flags, 0600));
}

/* --- attempts: 0, or the errno ---------------------------------------------------------------- */

static int read_readable(const struct place *p)
{
    return open_at(p, "readable/file", O_RDONLY);
}

static int write_readable(const struct place *p)
{
    return open_at(p, "readable/file", O_WRONLY);
}

static int truncate_readable(const struct place *p)
{
    return open_at(p, "readable/file", O_RDONLY | O_TRUNC);
}

static int make_writable(const struct place *p)
{
    return open_at(p, "writable/new", O_RDWR | O_CREAT);
}

static int read_outside(const struct place *p)
{
    return open_at(p, "outside/file", O_RDONLY);
}

static int make_outside(const struct place *p)
{
    return open_at(p, "outside/new", O_RDWR | O_CREAT);
}

static int make_scratch(const struct place *p)
{
    return open_at(p, "scratch/new", O_RDWR | O_CREAT);
}

static int list_scratch(const struct place *p)
{
    return open_at(p, "scratch", O_RDONLY | O_DIRECTORY);
}

static int link_out(const struct place *p)
{
    char from[128];
    char to[128];
    snprintf(from, sizeof(from), "%s/outside/file", p->folder);
    snprintf(to, sizeof(to), "%s/writable/link", p->folder);
    return made(link(from, to));
}

static int run_program(const struct place *p)
{
    char *argv[] = {"/bin/true", NULL};
    (void)p;
    return made(execv(argv[0], argv));
}

static int make_process(const struct place *p)
{
    (void)p;
    return made(syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL));
}

static int make_user_space(const struct place *p)
{
    (void)p;
    return made(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL));
}

static int make_process_otherwise(const struct place *p)
{
    struct clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
    (void)p;
    return made(syscall(SYS_clone3, &args, sizeof(args)));
}

static void *do_nothing(void *user)
{
    return user;
}

static int make_thread(const struct place *p)
{
    pthread_t thread;
    (void)p;
    int r = pthread_create(&thread, NULL, do_nothing, NULL);
    return r == 0 ? pthread_join(thread, NULL) : r;
}

static int become_root(const struct place *p)
{
    (void)p;
    return made(setresuid(0, 0, 0));
}

static int kill_parent(const struct place *p)
{
    (void)p;
    return made(kill(getppid(), 0));
}

static int signal_parent_thread(const struct place *p)
{
    (void)p;
    return made(syscall(SYS_tgkill, getppid(), getppid(), 0));
}

static int signal_self(const struct place *p)
{
    (void)p;
    return made(syscall(SYS_tgkill, getpid(), getpid(), 0));
}

static int be_dumpable(const struct place *p)
{
    (void)p;
    return made(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int type_into_terminal(const struct place *p)
{
    (void)p;
    return made(ioctl(STDIN_FILENO, TIOCSTI, "x"));
}

/* The kernel looks at 32 bits of a request. */
static int type_by_wide_request(const struct place *p)
{
    (void)p;
    return made(syscall(SYS_ioctl, STDIN_FILENO, (UINT64_C(1) << 32) | TIOCSTI, "x"));
}

static int ask_size(const struct place *p)
{
    struct winsize size;
    int r = made(ioctl(p->other, TIOCGWINSZ, &size));
    return r == ENOTTY ? 0 : r;
}

static int send_packet(const struct place *p)
{
    return made(syscall(SYS_sendto, p->packets, "x", 1, 0, NULL, 0));
}

static int write_packet(const struct place *p)
{
    return made(write(p->packets, "x", 1));
}

static int write_packet_by_wide_fd(const struct place *p)
{
    return made(syscall(SYS_write, (UINT64_C(1) << 32) | (unsigned)p->packets, "x", 1));
}

static int copy_packet_fd(const struct place *p)
{
    return made(dup(p->packets));
}

static int copy_packet_fd_to(const struct place *p)
{
    return made(dup2(p->packets, 100));
}

static int copy_packet_fd_by_fcntl(const struct place *p)
{
    return made(fcntl(p->packets, F_DUPFD, 100));
}

static int widen_filter(const struct place *p)
{
    return made(setsockopt(p->packets, SOL_SOCKET, SO_DETACH_FILTER, NULL, 0));
}

static int read_packet(const struct place *p)
{
    char c;
    int r = made(recv(p->packets, &c, 1, MSG_DONTWAIT));
    return r == EAGAIN ? 0 : r;
}

static int send_other(const struct place *p)
{
    return made(send(p->other, "x", 1, MSG_NOSIGNAL));
}

static int write_far(const struct place *p)
{
    (void)p;
    int r = made(write(1000, "x", 1));
    return r == EBADF ? 0 : r;
}

static int send_elsewhere(const struct place *p)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = "/nowhere"};
    int r = made(sendto(p->other, "x", 1, MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof(to)));
    return r == ENOENT ? 0 : r; /* tried, and not there */
}

static int make_socket(const struct place *p)
{
    (void)p;
    return made(socket(AF_INET, SOCK_STREAM, 0));
}

static int make_packet_socket(const struct place *p)
{
    (void)p;
    return made(socket(AF_PACKET, SOCK_RAW, 0));
}

static int make_odd_socket(const struct place *p)
{
    (void)p;
    return made(socket(AF_ALG, SOCK_SEQPACKET, 0));
}

static int map_code(const struct place *p)
{
    (void)p;
    void *m = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return m == MAP_FAILED ? errno : 0;
}

/* --- the tables ------------------------------------------------------------------------------- */

struct attempt {
    const char *name;
    int (*make)(const struct place *p);
    int want;
};

static const struct attempt file_attempts[] = {
    {"reads what it may read",              read_readable,  0     },
    {"writes what it may read",             write_readable, EACCES},
    {"makes a file where it may write",     make_writable,  0     },
    {"reads outside",                       read_outside,   EACCES},
    {"makes a file outside",                make_outside,   EACCES},
    {"makes a temporary file",              make_scratch,   0     },
    {"lists the folder of temporary files", list_scratch,   EACCES},
};
/* Of Linux 6.2. */
static const struct attempt truncating = {"truncates what it may read", truncate_readable, EACCES};

static const struct attempt attempts[] = {
    {"links a file from outside",         link_out,                EPERM },
    {"runs a program",                    run_program,             EPERM },
    {"makes a process",                   make_process,            EPERM },
    {"makes a user name space",           make_user_space,         EPERM },
    {"makes a process by clone3",         make_process_otherwise,  ENOSYS},
    {"makes a thread",                    make_thread,             0     },
    {"becomes root",                      become_root,             EPERM },
    {"kills another process",             kill_parent,             EPERM },
    {"signals another process",           signal_parent_thread,    EPERM },
    {"signals itself",                    signal_self,             0     },
    {"lets itself be traced",             be_dumpable,             EPERM },
    {"types into the terminal",           type_into_terminal,      EPERM },
    {"types, by bits that are ignored",   type_by_wide_request,    EPERM },
    {"asks for the size of the screen",   ask_size,                0     },
    {"sends a packet",                    send_packet,             EPERM },
    {"writes a packet",                   write_packet,            EPERM },
    {"writes a packet, by ignored bits",  write_packet_by_wide_fd, EPERM },
    {"copies the packets' descriptor",    copy_packet_fd,          EPERM },
    {"copies it to a number",             copy_packet_fd_to,       EPERM },
    {"copies it by fcntl",                copy_packet_fd_by_fcntl, EPERM },
    {"takes the filter off",              widen_filter,            EPERM },
    {"reads packets",                     read_packet,             0     },
    {"sends to where it is connected",    send_other,              0     },
    {"may write to any other descriptor", write_far,               0     },
    {"makes a packet socket",             make_packet_socket,      EPERM },
    {"makes a socket of an odd family",   make_odd_socket,         EPERM },
};
static const struct attempt offline_attempts[] = {
    {"makes a socket",  make_socket,    EPERM},
    {"sends elsewhere", send_elsewhere, EPERM},
    {"maps code",       map_code,       EPERM},
};
static const struct attempt network_attempts[] = {
    {"makes a socket",  make_socket,    0},
    {"sends elsewhere", send_elsewhere, 0},
};

/* --- confined --------------------------------------------------------------------------------- */

#define NOT_CONFINED 255

static void make_place(struct place *p)
{
    static const char *const folders[] = {"readable", "writable", "outside", "scratch"};
    char path[128];
    int ends[2];
    snprintf(p->folder, sizeof(p->folder), "/tmp/headrace-trust-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    for (size_t i = 0; i < HR_ARRAY_LEN(folders); i++) {
        snprintf(path, sizeof(path), "%s/%s", p->folder, folders[i]);
        assert_int_equal(mkdir(path, 0700), 0);
        snprintf(path, sizeof(path), "%s/%s/file", p->folder, folders[i]);
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        close(fd);
    }
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    p->packets = ends[0];
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    p->other = ends[0];
}

static void remove_place(const struct place *p)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -r %s", p->folder);
    assert_int_equal(system(command), 0);
}

/* In a process of its own. */
static _Noreturn void attempt_confined(const struct place *p, const struct attempt *a, bool network)
{
    char readable[128];
    char writable[128];
    char scratch[128];
    const char *const read[] = {readable};
    const char *const write[] = {writable};
    const char *const temporary[] = {scratch};
    struct trust_needs needs = {
        .read = read,
        .read_count = 1,
        .write = write,
        .write_count = 1,
        .scratch = temporary,
        .scratch_count = 1,
        .packet_fds = &p->packets,
        .packet_fd_count = 1,
        .network = network,
    };
    struct hr_buf error;
    bool has_landlock = false;
    snprintf(readable, sizeof(readable), "%s/readable", p->folder);
    snprintf(writable, sizeof(writable), "%s/writable", p->folder);
    snprintf(scratch, sizeof(scratch), "%s/scratch", p->folder);
    hr_buf_init(&error, SIZE_MAX);
    /* Root stays root here: that the files are its own is no help. */
    if (trust_drop(geteuid(), getegid(), &error) < 0 ||
        trust_confine(&needs, &has_landlock, &error) < 0) {
        fprintf(stderr, "%s\n", hr_buf_str(&error));
        _exit(NOT_CONFINED);
    }
    _exit(a->make(p));
}

static void try_all(const struct attempt *a, size_t count, bool network)
{
    struct place p;
    make_place(&p);
    for (size_t i = 0; i < count; i++) {
        int status = 0;
        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0) {
            attempt_confined(&p, &a[i], network);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != a[i].want) {
            fail_msg("%s: status %d, not %d", a[i].name, status, a[i].want);
        }
    }
    remove_place(&p);
}

static long landlock_version(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, 1u /* LANDLOCK_CREATE_RULESET_VERSION */);
}

static void files_outside_are_out_of_reach(void **state)
{
    (void)state;
    if (landlock_version() < 0) {
        print_message("this kernel has no Landlock\n");
        skip();
    }
    try_all(file_attempts, HR_ARRAY_LEN(file_attempts), false);
    try_all(&truncating, landlock_version() >= 3 ? 1 : 0, false);
}

static void calls_that_are_not_needed_fail(void **state)
{
    (void)state;
    for (int network = 0; network < 2; network++) {
        try_all(attempts, HR_ARRAY_LEN(attempts), network == 1);
    }
    try_all(offline_attempts, HR_ARRAY_LEN(offline_attempts), false);
    try_all(network_attempts, HR_ARRAY_LEN(network_attempts), true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_outside_are_out_of_reach),
        cmocka_unit_test(calls_that_are_not_needed_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
