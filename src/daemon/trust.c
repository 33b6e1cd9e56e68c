#include "daemon/trust.h"

#include "daemon/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <pwd.h>
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

int trust_make_folder(const char *folder, uid_t uid, gid_t gid)
{
    if (mkdir(folder, 0700) < 0) {
        return errno == EEXIST ? 0 : -errno;
    }
    /* Only what was made here is given away: a link of somebody else's leads nowhere. */
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int r = fd < 0 || (geteuid() == 0 && fchown(fd, uid, gid) < 0) ? -errno : 0;
    if (fd >= 0) {
        close(fd);
    }
    return r;
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
    /* Others of the same user could take over what was kept: the packets. No core file either. */
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        r = fail(ret_error, "new privileges cannot be ruled out");
    }
    return r;
}

/* --- files ------------------------------------------------------------------------------------ */

/* Of Linux 6.2, newer than the headers of Debian 12. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#define TRUNCATE_VERSION 3

#define READ_ACCESS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE_ACCESS (READ_ACCESS | SCRATCH_ACCESS)
/* No names can be listed: what others have there is not looked for. */
#define SCRATCH_ACCESS                                                                             \
    (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE |  \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG)
#define ALL_ACCESS                                                                                 \
    (WRITE_ACCESS | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                   \
     LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_SOCK |   \
     LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

struct ruleset {
    int fd;
    uint64_t handled; /* what is forbidden where no rule allows it */
};

static int allow_path(const struct ruleset *rules, const char *path, uint64_t access)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    struct stat st;
    if (fd < 0) {
        return errno == ENOENT || errno == EACCES ? 0 : -errno;
    }
    if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode)) {
        access &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                  LANDLOCK_ACCESS_FS_TRUNCATE;
    }
    struct landlock_path_beneath_attr below = {.allowed_access = access & rules->handled,
                                               .parent_fd = fd};
    long r = syscall(SYS_landlock_add_rule, rules->fd, LANDLOCK_RULE_PATH_BENEATH, &below, 0);
    int code = r < 0 ? -errno : 0;
    close(fd);
    return code;
}

static int allow_paths(const struct ruleset *rules, const char *const *paths, size_t count,
                       uint64_t access)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = allow_path(rules, paths[i], access);
    }
    return r;
}

static int confine_files(const struct trust_needs *n, bool *ret_has_landlock, struct hr_buf *error)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    *ret_has_landlock = version >= 0;
    if (version < 0) {
        return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : fail(error, "Landlock");
    }
    struct landlock_ruleset_attr attr = {
        .handled_access_fs =
            version < TRUNCATE_VERSION ? ALL_ACCESS & ~LANDLOCK_ACCESS_FS_TRUNCATE : ALL_ACCESS};
    struct ruleset rules = {.fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0),
                            .handled = attr.handled_access_fs};
    if (rules.fd < 0) {
        return fail(error, "Landlock");
    }
    int r = allow_paths(&rules, n->read, n->read_count, READ_ACCESS);
    r = r == 0 ? allow_paths(&rules, n->write, n->write_count, WRITE_ACCESS) : r;
    r = r == 0 ? allow_paths(&rules, n->scratch, n->scratch_count, SCRATCH_ACCESS) : r;
    if (r == 0 && syscall(SYS_landlock_restrict_self, rules.fd, 0) < 0) {
        r = -errno;
    }
    close(rules.fd);
    errno = -r;
    return r < 0 ? fail(error, "Landlock") : 0;
}

int trust_confine(const struct trust_needs *needs, bool *ret_has_landlock, struct hr_buf *ret_error)
{
    int r = confine_files(needs, ret_has_landlock, ret_error);
    r = r == 0 ? calls_confine(needs) : r;
    errno = -r;
    return r < 0 && ret_error->len == 0 ? fail(ret_error, "seccomp") : r;
}
