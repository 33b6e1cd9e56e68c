/*
 * cmd/watch_keep.h - what a watch keeps of packets: the ring that --keep asks for.
 */
#ifndef HR_CMD_WATCH_KEEP_H
#define HR_CMD_WATCH_KEEP_H

#include "cmd/options.h"
#include "daemon/keeper.h"

struct watch_keep_config {
    const struct cmd_args *args;
    const char *real_db; /* where its name leads */
    const char *const *captures;
    size_t capture_count;
    uid_t uid; /* who goes on */
    gid_t gid;
};

struct watch_keep {
    char *folder; /* of the ring */
    struct keeper *keeper; /* NULL: nothing is kept */
};

/** Where the packets of that database are kept. @return to be freed */
char *watch_keep_folder(const char *given, const char *db);
/** Where the packets of that database are kept. @return to be freed */
char *watch_keep_folder(const char *given, const char *db);
/** While folders may still be made. @return -1: go on; else the exit status */
int watch_keep_open(struct watch_keep *k, const struct watch_keep_config *config);
/** Adds what it writes to. */
void watch_keep_list_paths(const struct watch_keep *k, struct cmd_words *write);
/** Once all is given up that is not needed. @return as above */
int watch_keep_start(struct watch_keep *k);
void watch_keep_finish(struct watch_keep *k);

#endif
