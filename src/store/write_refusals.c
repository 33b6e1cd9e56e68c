/*
 * Refused connections. An import adds up its own by server and slot, under its own number; at its
 * end they are joined with those of earlier imports, so that the parts of a capture give what the
 * whole gives, in any order, and a capture given twice counts once.
 */
#include "base/alloc.h"
#include "store/import.h"

/* Rows of servers that never said anything are let go of beyond that many rows in all. */
#define REFUSAL_LIMIT 100000

int import_add_refusal(struct import *i, const struct refusal_row *row)
{
    char server[NET_ADDRESS_TEXT_SIZE];
    sqlite3_stmt *q = store_stmt(i->s, STMT_REFUSAL_ADD);
    bind_text(q, 1, address_format(&row->server.address, server));
    bind_number(q, 2, row->server.port);
    bind_number(q, 3, row->slot);
    bind_number(q, 4, row->first_at);
    bind_number(q, 5, row->last_at);
    bind_count(q, 6, row->attempts);
    bind_number(q, 7, i->number);
    i->has_refusals = true;
    return store_run(i->s, q);
}

static int run(struct import *i, enum stmt_id id, int64_t value)
{
    sqlite3_stmt *q = store_stmt(i->s, id);
    bind_number(q, 1, value);
    return store_run(i->s, q);
}

int import_join_refusals(struct import *i)
{
    static const enum stmt_id steps[] = {
        STMT_REFUSAL_DROP_KNOWN,
        STMT_REFUSAL_MARK_SITES,
        STMT_REFUSAL_MERGE,
        STMT_REFUSAL_DROP_MERGED,
    };
    int r = 0;
    if (!i->has_refusals) {
        return 0;
    }
    r = i->is_fresh ? 0 : import_know_servers(i);
    for (size_t k = 0; r == 0 && !i->is_fresh && k < HR_ARRAY_LEN(steps); k++) {
        r = run(i, steps[k], i->number);
    }
    return r == 0 ? run(i, STMT_REFUSAL_BOUND, REFUSAL_LIMIT) : r;
}
