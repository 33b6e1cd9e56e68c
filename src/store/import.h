/*
 * store/import.h - the inside of an import, shared by write_import.c (begin and end),
 * write_rows.c (rows in), write_names.c (names to ids) and write_doubles.c (what was stored already).
 */
#ifndef HR_STORE_IMPORT_H
#define HR_STORE_IMPORT_H

#include "base/buf.h"
#include "store/db.h"
#include "store/ids.h"
#include "store/write.h"

/* A site with less than a quarter of the exchanges is small and read by an index; among more sites
 * than these there is one. */
#define SITES_ALL_BIG 4

struct import_capture {
    int64_t id;
    int64_t exchanges; /* that it begins */
    bool has_rows; /* a stream, exchange or loss refers to it */
    bool is_resumed; /* an earlier import began it */
};

struct import {
    struct store *s;
    bool is_fresh; /* nothing was stored before: no look-ups, indexes at the end */
    bool has_session_index;
    bool has_refusals;
    bool has_fewer_losses; /* some that were stored hide nothing any more */
    int64_t number; /* of this import */
    struct import_capture *captures;
    size_t capture_count;
    struct {
        int64_t stream; /* the highest ids there were before it */
        int64_t exchange;
        int64_t loss;
        int64_t session;
    } base;
    int64_t last_stream;   /* id given */
    int64_t last_exchange; /* id given */
    int64_t exchanges_of[SITES_ALL_BIG]; /* the first sites of a fresh database, by id from 1 */
    hr_nsec first_at; /* of its exchanges and losses; HR_NSEC_INFINITE: none yet */
    hr_nsec last_at;
    struct id_cache sites;
    struct id_cache endpoints;
    struct id_cache carriers;
    struct id_cache sessions;
    struct id_cache users;
    struct hr_buf key; /* scratch for cache keys */
};

/* write_names.c: the row of that name, made where there is none. */
int import_site_id(struct import *i, struct hr_span name, int64_t *ret_id);
int import_endpoint_id(struct import *i, int64_t site_id, const struct exchange_facts *f,
                       int64_t *ret_id);
/** @param got_in  does the exchange look as if that user was let in? */
int import_user_id(struct import *i, int64_t site_id, struct hr_span name, bool got_in,
                   int64_t *ret_id);
/** Fills carrier_id, sent_id and set_id. */
int import_token_ids(struct import *i, int64_t site_id, struct token_use *t);
int import_build_session_index(struct import *i);
/** Gives sessions whose short names clash longer ones. */
int import_name_sessions(struct import *i);

/* write_doubles.c */
/** Drops exchanges and losses that are stored twice, and what only they needed. */
int import_drop_doubles(struct import *i);
/** Joins connections that a cut between two captures parted, where no byte is missing. */
int import_join_streams(struct import *i);

/* write_losses.c */
/** Joins the losses of this import to the spans of time in which something may be hidden. */
int import_join_losses(struct import *i);
/** The same anew, of all losses that are stored. */
int store_join_losses(struct store *s);

/* write_refusals.c */
/** Joins what this import told of refused connections with what was known. */
/** Makes temp.site_servers tell which sites are at which server: all of them, or a few more. */
int import_know_servers(struct import *i);
int import_join_refusals(struct import *i);

/* forget.c: temp.forgotten holds the ids of exchanges to be deleted. */
int forget_begin(struct store *s);
int forget_add(struct store *s, int64_t exchange_id);
/**
 * Deletes them with everything that refers to them.
 * @param known  the sites of those up to this id are marked as changed: their analysis knew them
 */
int forget_exchanges(struct store *s, int64_t known);
/**
 * Deletes streams, sessions, endpoints, carriers, users and sites that nothing refers to any more.
 * @param open_before  connections that were still open go as well if they were last seen before
 * that
 */
int forget_orphans(struct store *s, hr_nsec open_before);

/* write_rows.c */
/** "192.0.2.1" or "2001:db8::1". @return text */
const char *address_format(const struct net_address *a, char text[NET_ADDRESS_TEXT_SIZE]);

#endif
