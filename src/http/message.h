/*
 * http/message.h - one direction of a connection: bytes and holes in, messages out. Finds where
 * messages begin and end (RFC 9112 6); contents of known length are counted, not touched, beyond
 * what is kept. Behind a hole or bytes that are no message it looks for the next start line.
 */
#ifndef HR_HTTP_MESSAGE_H
#define HR_HTTP_MESSAGE_H

#include "base/buf.h"
#include "http/parser.h"

/* A message that outlives the bytes it came in. One block: fields and head bytes stand behind. */
struct http_kept {
    struct http_kept *next; /* for the owner's list */
    struct http_message m;
    struct hr_buf content;      /* m.content points into it */
    struct http_kept *response; /* of a request: final response that came before its end; owned */
    size_t block_bytes;         /* of the block */
    size_t counted_bytes;       /* of its memory, in the sum of its owner */
    bool lost;                  /* bytes are missing, or nobody knows where it ended */
    bool burst_start;           /* a request sent when all before it were answered */
    bool after_whole;           /* the request before it, as far as known, was whole */
    uint64_t number;            /* from 1 among the requests of the connection */
    bool after_hole;            /* requests may be missing right before it */
    bool unsure;                /* found by a search: it may be none */
    bool wants_upgrade;         /* CONNECT, or Upgrade with Connection: upgrade */
    bool answered;              /* its final response has begun */
    enum http_pairing pairing;
};

/** @return an owned copy of m, whose spans point into its own head and content; never NULL */
struct http_kept *http_kept_create(const struct http_message *m, size_t content_limit);
void http_kept_destroy(struct http_kept *k);
/** @return the memory that it takes, without that of its response */
size_t http_kept_bytes(const struct http_kept *k);

enum http_reader_state {
    HTTP_READ_START,
    HTTP_READ_HEAD,
    HTTP_READ_LENGTH,
    HTTP_READ_CHUNK_SIZE,
    HTTP_READ_CHUNK_EXTENSION,
    HTTP_READ_CHUNK_DATA,
    HTTP_READ_CHUNK_END,
    HTTP_READ_TRAILER,
    HTTP_READ_CLOSE,
    HTTP_READ_SEARCH, /* for the next start line */
    HTTP_READ_IGNORE, /* not HTTP/1 */
};

/* From where on bytes were carried by one segment, and what is known of that. */
struct http_mark {
    size_t from;
    uint64_t acked;
    struct http_place place;
};

/* Why a message ended before its end. */
enum http_cut {
    HTTP_CUT_NONE,
    HTTP_CUT_GAP,
    HTTP_CUT_ERROR, /* bytes that cannot be followed */
    HTTP_CUT_END,   /* the direction ended */
};

struct http_reader;

/* What the connection does with it. r->m is the message. */
struct http_reader_ops {
    /** Bytes begin like a message of that side: the connection is HTTP/1, and r is that side. */
    void (*decide)(struct http_reader *r, enum http_side side);
    /** The first bytes are no message, and nobody knows yet what the connection is. */
    void (*refuse)(struct http_reader *r, struct hr_span bytes);
    /** Head read; sets r->m->framing, may set r->m to a kept copy. */
    void (*head)(struct http_reader *r, const struct http_head *head);
    /** Ended; r->m->complete says whether whole. r->kept, if any, now belongs to the callee. */
    void (*done)(struct http_reader *r, enum http_cut cut);
    /** Position is lost, by a hole or by bytes that are no message: messages may be hidden here. */
    void (*lost)(struct http_reader *r, enum http_cut why);
    /** A message start was found behind bytes that were lost or passed over. */
    void (*found)(struct http_reader *r, hr_nsec at);
    /** Bytes are missing inside a content whose end is known. */
    void (*skipped)(struct http_reader *r, uint64_t bytes, hr_nsec from_at, hr_nsec to_at);
    /** Bytes that are not HTTP/1. */
    void (*ignored)(struct http_reader *r, struct hr_span bytes);
};

/* What all readers of a thread share. */
struct http_reader_shared {
    const struct http_reader_ops *ops;
    struct http_parser *parser;
    size_t header_bytes;
    size_t content_bytes;
    struct http_message scratch; /* the message of the bytes being fed */
    struct hr_buf scratch_content;
    uint64_t errors; /* messages that could not be followed */
    uint64_t fields_cut;
    uint64_t odd_heads;
};

/* Some servers write the last chunk twice. */
enum http_tail {
    HTTP_TAIL_NONE,
    HTTP_TAIL_LAST_CHUNK,
    HTTP_TAIL_REPEATED,
};

struct http_reader {
    struct http_reader_shared *shared;
    void *owner; /* for the ops */
    enum http_reader_state state;
    int side;    /* enum http_side; -1: not known yet */
    bool paused; /* set by an op: feed returns behind the current message */
    bool late;   /* bytes before are unknown: look for a start further on */
    bool unsure; /* position was lost, and nothing but the bytes themselves says where it is */
    bool ended;
    bool keeps_more; /* a content that is no page is kept as far as one */
    enum http_tail tail; /* START: what the response before ended with */
    bool check_empty; /* nobody knows whether this response has a content at all */
    struct http_message *m; /* in progress; shared->scratch or kept->m; NULL: none */
    struct http_kept *kept;
    uint64_t left;        /* bytes of the content or chunk to come */
    unsigned digits;      /* of the chunk size */
    char last_byte;       /* of the latest window */
    bool held_starts_line; /* SEARCH: a line begins with held[0] */
    uint64_t next_offset; /* of the next byte */
    uint64_t boundary;    /* where the message before ended, if nothing was lost since;
                             UINT64_MAX otherwise */
    uint64_t found_at;    /* the last place found by a search: not found again */
    /* beginning of the message, or of what the search holds back */
    uint64_t start_offset;
    uint64_t start_acked;
    uint64_t start_before; /* acked of the byte before it; UINT64_MAX: that byte is missing */
    struct http_place start_place;
    struct http_place last_place; /* of the latest feed */
    uint64_t last_acked;          /* and its acked; UINT64_MAX: a gap */
    struct hr_buf held;           /* a head, or the end of searched bytes, that spans feeds */
    struct http_mark held_last;   /* the latest piece of held */
    size_t line_at;               /* HEAD: where the current line begins */
    struct http_start_line line;  /* spans into the head; valid while it is scanned */
    struct http_head_shape shape;
    bool head_cut;
    /* bytes lost or passed over since the last message */
    bool loss_open;
    uint64_t loss_bytes;
    hr_nsec loss_from_at;
};

void http_reader_init(struct http_reader *r, struct http_reader_shared *shared, bool late);
void http_reader_finish(struct http_reader *r);
/**
 * Reads in->bytes.
 * @return how many it took: fewer than all where r->paused was set by an op
 */
size_t http_reader_feed(struct http_reader *r, const struct http_input *in);
void http_reader_gap(struct http_reader *r, const struct http_input *in);
void http_reader_end(struct http_reader *r, const struct http_input *in);
/**
 * The next byte begins a message: the other side's bytes say so. What is being read there, found by a
 * search, is none, and ends. @return whether there was such a message
 */
bool http_reader_anchor(struct http_reader *r, hr_nsec at);
/** From here on nothing is HTTP/1. Releases what is held. */
void http_reader_ignore(struct http_reader *r);
/** The other side told what this one is. */
void http_reader_set_side(struct http_reader *r, enum http_side side);
/** Whether a start line may be read from the next len bytes. */
bool http_reader_is_at_boundary(const struct http_reader *r, size_t len);

/** RFC 9112 6.3. @param request_method  of the request that a response answers; ptr NULL: not known
 */
enum http_framing http_message_framing(const struct http_head *head, struct hr_span request_method);

#endif
