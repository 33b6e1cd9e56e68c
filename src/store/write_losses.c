/*
 * The spans of time in which something may be hidden: the union of the losses of a server, so that
 * a rule learns with one look whether a time lies in one. Whatever order the losses come in, each
 * span is put in once and taken out at most once, so that their number is all that matters.
 */
#include "store/import.h"

#include <string.h>

struct span {
    char server[NET_ADDRESS_TEXT_SIZE];
    bool has_server; /* false: all servers */
    int64_t port;    /* 0: as above */
    int64_t from_at;
    int64_t to_at;
};

static void read_span(sqlite3_stmt *q, struct span *ret_span)
{
    struct hr_span server = column_span(q, 0);
    *ret_span = (struct span){.has_server = server.len > 0,
                              .port = sqlite3_column_int64(q, 1),
                              .from_at = sqlite3_column_int64(q, 2),
                              .to_at = sqlite3_column_int64(q, 3)};
    size_t len = server.len < sizeof(ret_span->server) ? server.len : sizeof(ret_span->server) - 1;
    if (len > 0) {
        memcpy(ret_span->server, server.ptr, len);
    }
}

static sqlite3_stmt *bind_bounds(struct store *s, enum stmt_id id, const struct span *x)
{
    sqlite3_stmt *q = store_stmt(s, id);
    bind_text(q, 1, x->has_server ? x->server : NULL);
    bind_id(q, 2, x->port);
    bind_number(q, 3, x->from_at);
    bind_number(q, 4, x->to_at);
    return q;
}

/* @param is_apart  no span that is stored touches it */
static int put_span(struct store *s, const struct span *new, bool is_apart)
{
    struct span x = *new;
    int r = 0;
    if (!is_apart) {
        sqlite3_stmt *q = bind_bounds(s, STMT_SPAN_TAKE, &x);
        while ((r = store_step(s, q)) > 0) {
            int64_t from_at = sqlite3_column_int64(q, 0);
            int64_t to_at = sqlite3_column_int64(q, 1);
            x.from_at = from_at < x.from_at ? from_at : x.from_at;
            x.to_at = to_at > x.to_at ? to_at : x.to_at;
        }
    }
    return r == 0 ? store_run(s, bind_bounds(s, STMT_SPAN_ADD, &x)) : r;
}

static bool touches(const struct span *a, const struct span *b)
{
    return a->has_server == b->has_server && a->port == b->port &&
           strcmp(a->server, b->server) == 0 && b->from_at <= a->to_at;
}

/* @param after  the losses with higher ids are put in */
static int put_losses(struct store *s, int64_t after, bool is_apart)
{
    struct span open = {0};
    bool has_open = false;
    sqlite3_stmt *q = store_stmt(s, STMT_SPAN_SOURCE);
    bind_number(q, 1, after);
    int r;
    while ((r = store_step(s, q)) > 0) {
        struct span x;
        int e = 0;
        read_span(q, &x);
        if (has_open && touches(&open, &x)) {
            open.to_at = x.to_at > open.to_at ? x.to_at : open.to_at;
            continue;
        }
        e = has_open ? put_span(s, &open, is_apart) : 0;
        if (e < 0) {
            return store_end_rows(q, e);
        }
        open = x;
        has_open = true;
    }
    return r == 0 && has_open ? put_span(s, &open, is_apart) : r;
}

int import_join_losses(struct import *i)
{
    return i->has_fewer_losses ? store_join_losses(i->s)
                               : put_losses(i->s, i->base.loss, i->is_fresh);
}

int store_join_losses(struct store *s)
{
    int r = store_run(s, store_stmt(s, STMT_SPAN_CLEAR));
    return r == 0 ? put_losses(s, 0, true) : r;
}
