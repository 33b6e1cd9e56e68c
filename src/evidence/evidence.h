/*
 * evidence/evidence.h - the frames behind findings, cut out of the captures: which (plan, locate,
 * scan), read (collect), made fit to leave the house (anonymize), written (write).
 */
#ifndef HR_EVIDENCE_EVIDENCE_H
#define HR_EVIDENCE_EVIDENCE_H

#include "decode/decode.h"
#include "evidence/frames.h"
#include "http/exchange.h"
#include "store/store.h"
#include "tcp/conn.h"

struct evidence_job {
    struct store *store;
    const int64_t *findings;
    size_t finding_count;
    const char *folder; /* where captures may lie now; NULL: where they were */
    const char *ring;   /* folder in which a watch kept packets; NULL: none */
    bool anonymize;
    const struct decode_config *decode; /* as of the audit */
    const struct tcp_config *tcp;
    const struct http_config *http;
    size_t bytes_limit;       /* of all frames together; they are held in memory */
    const volatile int *stop; /* becomes non-zero: end with -EINTR; may be NULL */
};

/** What was done, for a line to people. */
struct evidence_result {
    size_t exchanges;
    size_t connections;
    size_t blanked_bodies;  /* anonymize: contents that cannot be rewritten, as gzip */
    size_t blanked_frames;  /* anonymize: frames whose headers are not known whole */
};

/**
 * @param ret_evidence  release with evidence_finish(), in every case
 * @param ret_error     lines for people where the result is negative; where it is 0, of exchanges that are
 *                   not in the ring any more, and are left out
 * @return 0; -ENOENT no such finding; -ENODATA none of them has frames; -ESTALE a capture is not
 *         there or not what it was; -EFBIG too much; -EINTR stopped; else the store's error
 */
int evidence_cut(const struct evidence_job *job, struct evidence *ret_evidence,
                 struct evidence_result *ret_result, struct hr_buf *ret_error);
/** Writes it as a pcapng file. Deterministic: same evidence, same bytes. */
void evidence_write(const struct evidence *e, void (*emit)(struct hr_span bytes, void *user),
                    void *user);

#endif
