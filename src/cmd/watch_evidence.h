/*
 * cmd/watch_evidence.h - evidence of what a watch tells, cut from its ring at once (--evidence-dir). It is a
 * sink beside those of alerts: what could not be written waits in the store, and outlives a restart.
 */
#ifndef HR_CMD_WATCH_EVIDENCE_H
#define HR_CMD_WATCH_EVIDENCE_H

#include "cmd/options.h"
#include "daemon/sink.h"
#include "store/store.h"

#include <sys/types.h>

struct watch_evidence_config {
    const struct cmd_args *args; /* borrowed for the sink's life, as all here */
    const char *db;              /* where its name leads */
    const char *ring;            /* folder; NULL: no packets are kept */
    const struct hr_key *key;    /* of the database */
    uid_t uid;                   /* who goes on */
    gid_t gid;
};

/**
 * While folders may still be made.
 * @param ret_sink  NULL where no evidence is asked for
 * @return -1: go on; else the exit status
 */
int watch_evidence_open(const struct watch_evidence_config *config, struct sink **ret_sink);
/** Once all is given up that is not needed: can files be written there? @return as above */
int watch_evidence_check(const struct cmd_args *args);

#endif
