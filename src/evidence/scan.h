/*
 * evidence/scan.h - reads the captures of a plan again, through the same stages as an audit, and
 * picks the frames of the exchanges that are wanted.
 */
#ifndef HR_EVIDENCE_SCAN_H
#define HR_EVIDENCE_SCAN_H

#include "decode/decode.h"
#include "evidence/frames.h"
#include "evidence/plan.h"
#include "http/exchange.h"
#include "tcp/conn.h"

struct scan_config {
    const struct decode_config *decode; /* as of the audit */
    const struct tcp_config *tcp;
    const struct http_config *http;
    size_t segment_limit; /* most segments remembered */
    bool is_private;      /* comments tell no names */
    const volatile int *stop;
};

/**
 * @param first_source  number in the evidence of the import's first source
 * @return 0; -ESTALE with a text where an exchange is not where it was; -EFBIG, -EINTR
 */
int scan_import(struct plan *p, struct plan_import *import, size_t first_source,
                const struct scan_config *config, struct evidence *e, struct frame_picks *picks,
                struct hr_buf *ret_error);

#endif
