/*
 * Kernels without Landlock, or with an older one: files are guarded as far as it goes, and the rest
 * of the confinement holds all the same. What the kernel answers is made up here.
 */
#include "base/alloc.h"
#include "base/buf.h"
#include "daemon/trust.h"
#include "support/test.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define REFER_BIT (UINT64_C(1) << 13)    /* of version 2 */
#define TRUNCATE_BIT (UINT64_C(1) << 14) /* of version 3 */

static struct {
    bool is_made_up;
    int error;    /* of asking for the version; 0: */
    long version; /* it is that */
} kernel;

static long forward(long number, const long a[6])
{
    long (*real)(long, ...);
    *(void **)&real = dlsym(RTLD_NEXT, "syscall");
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static long answer(long code)
{
    errno = code < 0 ? (int)-code : errno;
    return code < 0 ? -1 : code;
}

static long make_ruleset(const long a[6])
{
    const struct landlock_ruleset_attr *attr = (const void *)(uintptr_t)a[0];
    if ((a[2] & LANDLOCK_CREATE_RULESET_VERSION) != 0) {
        return answer(kernel.error != 0 ? -kernel.error : kernel.version);
    }
    uint64_t known = kernel.version >= 3   ? UINT64_MAX
                     : kernel.version == 2 ? TRUNCATE_BIT - 1
                                           : REFER_BIT - 1;
    if (kernel.error != 0 || (attr->handled_access_fs & ~known) != 0) {
        return answer(kernel.error != 0 ? -kernel.error : -EINVAL);
    }
    return forward(SYS_landlock_create_ruleset, a);
}

/* In place of the C library's. */
long syscall(long number, ...)
{
    long a[6];
    va_list list;
    va_start(list, number);
    for (size_t i = 0; i < HR_ARRAY_LEN(a); i++) {
        a[i] = va_arg(list, long);
    }
    va_end(list);
    bool is_ours = kernel.is_made_up && number == SYS_landlock_create_ruleset;
    return is_ours ? make_ruleset(a) : forward(number, a);
}

/* In a process of its own: bits of what holds there. */
enum {
    IS_CONFINED = 1,
    HAS_LANDLOCK = 2,
    READS_OUTSIDE = 4,
    RUNS_PROGRAMS = 8,
    IS_EXPLAINED = 16,
};

static int look(const char *inside, const char *outside)
{
    const char *const read[] = {inside};
    const struct trust_needs needs = {.read = read, .read_count = 1};
    struct hr_buf error;
    bool has_landlock = false;
    char *argv[] = {"/bin/true", NULL};
    int packet = 0;
    hr_buf_init(&error, SIZE_MAX);
    kernel.is_made_up = true;
    if (trust_drop(geteuid(), getegid(), &error) < 0 ||
        trust_confine(&needs, &has_landlock, &error) < 0) {
        return error.len > 0 ? IS_EXPLAINED : 0;
    }
    packet |= IS_CONFINED | (has_landlock ? HAS_LANDLOCK : 0);
    packet |= open(outside, O_RDONLY | O_CLOEXEC) >= 0 ? READS_OUTSIDE : 0;
    execv(argv[0], argv);
    return packet | (errno == EPERM ? 0 : RUNS_PROGRAMS);
}

static int seen(const char *inside, const char *outside)
{
    int status = 0;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(look(inside, outside));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void every_kernel_confines_as_far_as_it_can(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int error;
        long version;
        int want;
    } cases[] = {
        {"built without it", ENOSYS,     0, IS_CONFINED | READS_OUTSIDE},
        {"not switched on",  EOPNOTSUPP, 0, IS_CONFINED | READS_OUTSIDE},
        {"forbidden",        EPERM,      0, IS_EXPLAINED               },
        {"of Linux 5.13",    0,          1, IS_CONFINED | HAS_LANDLOCK },
        {"of Linux 5.19",    0,          2, IS_CONFINED | HAS_LANDLOCK },
        {"of Linux 6.2",     0,          3, IS_CONFINED | HAS_LANDLOCK },
        {"to come",          0,          9, IS_CONFINED | HAS_LANDLOCK },
    };
    char folder[] = "/tmp/headrace-landlock-XXXXXX";
    char outside[64];
    const long own = syscall(SYS_landlock_create_ruleset, NULL, 0, 1L);
    assert_non_null(mkdtemp(folder));
    snprintf(outside, sizeof(outside), "%s/file", folder);
    int fd = open(outside, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; i < HR_ARRAY_LEN(cases); i++) {
        if (cases[i].error == 0 && own < (cases[i].version < 3 ? cases[i].version : 3)) {
            print_message("%s: this kernel has none, or an older one\n", cases[i].name);
            continue;
        }
        kernel.error = cases[i].error;
        kernel.version = cases[i].version;
        int got = seen("/usr", outside);
        if (got != cases[i].want) {
            fail_msg("%s: %d, not %d", cases[i].name, got, cases[i].want);
        }
    }
    unlink(outside);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_confines_as_far_as_it_can),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
