/*
 * store/read_list.h - what the files that read for people share.
 */
#ifndef HR_STORE_READ_LIST_H
#define HR_STORE_READ_LIST_H

#include "base/arena.h"
#include "store/db.h"
#include "store/read.h"

/** Parameters 1 to 7 of every list: site, session, user, since, until, stream, limit. */
void bind_filter(sqlite3_stmt *q, const struct read_filter *f);
/** Columns of EXCHANGE_COLUMNS (stmt.c). Texts live until the next step. */
void read_exchange_columns(sqlite3_stmt *q, struct exchange_view *ret_view);
const char *operation_word(int kind);

#endif
