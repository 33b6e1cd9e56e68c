/*
 * http/pairing.h - which request does a response answer? Requests wait in order; responses are
 * matched when their head is read, for the request's method says how the response is framed.
 *
 * As long as nothing is lost: first in, first out. Behind a hole, by position. A client that waits
 * for an answer before it sends more has acknowledged exactly the bytes before that answer, so the
 * response that begins at X answers the request that acknowledged X. Where a client pipelines in
 * bursts, X names the first request of a burst, and the others follow in turn. A client that sends
 * more while some answers are under way makes X ambiguous, and so does a burst as long as it is not
 * known that this client waits for all of its answers: then responses stay alone until the
 * connection ends. Never a guess.
 *
 * What is assumed and cannot be seen: a client whose requests came one by one as far as they were
 * captured did not pipeline those that are missing, unless offsets and acknowledgements say so.
 */
#ifndef HR_HTTP_PAIRING_H
#define HR_HTTP_PAIRING_H

#include "http/message.h"

#define HTTP_ACK_UNKNOWN UINT64_MAX

/* The end of one side, as seen. */
struct http_close {
    bool is_close; /* by FIN or RST of that side */
    struct http_place place;
};

struct http_pairing_shared {
    const struct http_callbacks *callbacks;
    struct http_counters *counters;
    size_t waiting_limit;
};

struct http_pairs {
    const struct http_pairing_shared *shared;
    void *user;              /* for the callbacks */
    struct http_kept *first; /* requests without their response, in order */
    struct http_kept *last;
    size_t count;
    size_t kept_bytes; /* memory of those that wait; content that is still coming not included */
    struct http_kept *open_request; /* the last one, still being read */
    struct http_kept *answering;    /* what the response being read answers */
    struct http_kept *early;        /* a response to a request whose head is not yet whole */
    unsigned interim_count;
    unsigned ordinal;
    bool joined;                 /* adrift only because the connection was joined midway */
    bool adrift;                 /* first in, first out does not hold any more */
    bool doubt;                  /* responses to waiting requests may be lost or stand alone */
    bool response_gap;           /* and bytes of that side are missing */
    bool request_hole;           /* requests may be missing since the last one */
    bool has_request;            /* at least one was seen */
    bool pipelines;              /* the client sends bursts */
    bool pipelines_surely;       /* as requests show that no search found */
    bool waits_for_bursts;       /* and sends the next when all of one are answered */
    bool overlaps;               /* it sends while answers to earlier ones are under way */
    bool last_whole;             /* the last request came whole */
    bool answered_in_burst;      /* another request came right before the last one answered in full */
    uint64_t last_acked;         /* of the last request */
    uint64_t number;             /* of the last request, from 1 */
    uint64_t answered_number;    /* of the last request answered in full, */
    uint64_t answered_end;       /* and where that ended */
    const struct http_close *closes[2]; /* by enum http_side; NULL: not ended */
};

void http_pairs_init(struct http_pairs *p, const struct http_pairing_shared *shared, void *user);
void http_pairs_finish(struct http_pairs *p);
/** Takes a request whose head is read. */
void http_pairs_add(struct http_pairs *p, struct http_kept *take_request);
/** What a search has found were no requests: what they taught is forgotten. */
void http_pairs_unlearn(struct http_pairs *p);
/** That request ended. */
void http_pairs_request_done(struct http_pairs *p, struct http_kept *request);

/* Where a response stands. */
struct http_position {
    uint64_t offset; /* of its first byte, or of the end of what came before it without a hole */
    uint64_t acked;  /* of the other side by its first segment; HTTP_ACK_UNKNOWN */
    uint64_t before; /* acked of the byte before it; HTTP_ACK_UNKNOWN: that byte is missing */
};

/** @return the request that it answers, now p->answering; NULL: it stands alone */
struct http_kept *http_pairs_match(struct http_pairs *p, const struct http_position *at);
/**
 * The response being read ended.
 * @param take_kept  its kept copy, NULL where it needed none so far
 * @param may_be_early  a request is being read whose head is not yet whole
 */
void http_pairs_response_done(struct http_pairs *p, const struct http_message *m,
                              struct http_kept *take_kept, enum http_cut cut, bool may_be_early);
/** @return where at or behind offset the answer to a waiting request begins for sure; UINT64_MAX: not known */
uint64_t http_pairs_next_answer(const struct http_pairs *p, uint64_t offset);
/** Responses may be missing from here on. */
void http_pairs_drift(struct http_pairs *p, bool by_gap);
/** Both sides ended: emits everything that still waits. */
void http_pairs_flush(struct http_pairs *p);

#endif
