/*
 * daemon/trust.h - what a process that reads raw packets gives up: root, capabilities, the means to
 * gain any, the files it does not need, and the system calls it does not make.
 */
#ifndef HR_DAEMON_TRUST_H
#define HR_DAEMON_TRUST_H

#include "base/buf.h"

#include <stdbool.h>
#include <sys/types.h>

/**
 * @param name  NULL: "nobody" for root, nothing changes for others
 * @return 0 and the ids to become; -ENOENT: there is no such user
 */
int trust_find_user(const char *name, uid_t *ret_uid, gid_t *ret_gid);
/**
 * Becomes that user, without further groups, without capabilities, without the means to gain any;
 * files are made for the owner alone from now on.
 * @return 0; or a negative errno with one line for people
 */
int trust_drop(uid_t uid, gid_t gid, struct hr_buf *ret_error);

/**
 * Makes a folder for who goes on alone, where there is none.
 * @return 0, also where it is there already, or a negative errno
 */
int trust_make_folder(const char *folder, uid_t uid, gid_t gid);

/* What stays allowed after trust_confine(). Strings are borrowed; a folder means all in it. */
struct trust_needs {
    const char *const *read; /* paths; those that do not exist are passed over */
    size_t read_count;
    const char *const *write;
    size_t write_count;
    const char *const *scratch; /* folders of temporary files: made, written, removed, not listed */
    size_t scratch_count;
    const int *packet_fds; /* from which packets are read: nothing is written to them */
    size_t packet_fd_count;
    bool network; /* connections to web hooks or the system's log */
    bool serves;  /* clients on a socket that listens already */
};
/**
 * Landlock where the kernel has it, then a seccomp filter. Of all threads made from now on.
 * @param ret_has_landlock  false: the kernel has none
 * @return 0; or a negative errno with one line for people
 */
int trust_confine(const struct trust_needs *needs, bool *ret_has_landlock, struct hr_buf *ret_error);

#endif
