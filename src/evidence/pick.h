/*
 * evidence/pick.h - which frames of a connection belong to the exchanges that are wanted: those that
 * carry a byte of them, that acknowledge one for the first time or while some are missing, that end
 * the connection right behind them; and the handshake.
 */
#ifndef HR_EVIDENCE_PICK_H
#define HR_EVIDENCE_PICK_H

#include "evidence/conn.h"

struct pick_sink {
    struct evidence *evidence; /* gets the segments picked and the connection's messages */
    struct frame_picks *picks;
};

/** @param wanted  exchanges of the connection, as it saw them itself; none: only the handshake */
void conn_pick(const struct scan_conn *c, const struct scan_exchange *const *wanted, size_t count,
               struct pick_sink *sink);

#endif
