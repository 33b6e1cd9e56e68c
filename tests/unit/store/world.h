/*
 * A small made-up world for the tests of the store: connections with exchanges, written as an
 * import would write them, and its content as text without row ids.
 */
#ifndef HR_TESTS_STORE_WORLD_H
#define HR_TESTS_STORE_WORLD_H

#include "base/alloc.h"
#include "base/buf.h"
#include "store/read.h"
#include "store/write.h"

/* One exchange; times in milliseconds of the world's day. */
struct world_exchange {
    unsigned client;    /* connection: 10.0.0.CLIENT, port 40000 + CLIENT */
    int request_ms;     /* -1: the response stands alone */
    int response_ms;    /* -1: none */
    const char *target; /* the path template as well */
    const char *sent;   /* token of the cookie, NULL none */
    const char *set;
    const char *user;
    unsigned bytes;   /* of the response */
    unsigned state;   /* HTTP_COMPLETE, ... */
    const char *site; /* NULL: shop.example */
};

struct world_loss {
    unsigned client;
    int from_ms;
    int to_ms;
    enum loss_kind kind;
};

struct world_capture {
    const char *path;
    const struct world_exchange *exchanges;
    size_t count;
    const struct world_loss *losses;
    size_t loss_count;
    hr_nsec clock_doubt;
    int error;
    int dropped;        /* frames that the kernel dropped */
    unsigned frames;    /* 0: from the exchanges */
    unsigned begin_seq; /* SEQ of every connection's first byte; 0 unknown */
    unsigned end_seq;   /* ... and of the one that would be next, behind the capture */
};

hr_nsec world_time(int ms);
/** Writes the captures as one import of a run, inside an own transaction unless the caller began
 * one. */
int world_import(struct store *s, const struct world_capture *captures, size_t count);
/** The rows of one import, without begin, finish and commit. */
int world_feed(struct store *s, struct import *i, const struct world_capture *captures,
               size_t count);
/**
 * A made-up analysis: the cookie is the session, POST /login a login, /logout a logout, everything
 * else an access granted with 200 and denied with 401.
 */
int world_analyse(struct store *s);
/** Every table in order of natural keys, one row a line, no row ids; frees with free(). */
char *world_dump(struct store *s);
/** A path in a new folder of its own below $TMPDIR; freed with world_remove(). */
char *world_path(const char *name);
void world_remove(char *take_path);
struct store *world_open(const char *path);

#endif
