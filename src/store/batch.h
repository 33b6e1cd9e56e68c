/*
 * store/batch.h - rows of the big tables on their way in. They wait until there are many, and go in
 * by one INSERT from a virtual table: opening cursors and walking down the tree is paid once for all.
 * What reads these tables need not know: store_stmt() and store_exec() put the rows in first. For
 * store/ alone.
 */
#ifndef HR_STORE_BATCH_H
#define HR_STORE_BATCH_H

#include "base/span.h"
#include "base/time.h"

struct store;
struct batch_cell;

enum batch_table {
    BATCH_STREAMS,
    BATCH_EXCHANGES,
    BATCH_TOKENS,
    BATCH_OPERATIONS,
    BATCH_TABLES,
};

struct batches;

/** Makes the virtual tables known to s->db. @return 0 or a negative errno */
int batches_create(struct store *s);
/** Forgets what waits. */
void batches_clear(struct batches *b);
void batches_destroy(struct batches *b);

/**
 * The next row, every column NULL; it is in the table after the next batches_put_in() at the latest.
 * @param ret_row  columns in the order of the INSERT in stmt.c, from 1
 */
int batch_add_row(struct store *s, enum batch_table table, struct batch_cell **ret_row);
/** Puts in all that waits. */
int batches_put_in(struct store *s);

/* What means "absent" in C is NULL in the database. Texts are copied. */
void cell_span(struct store *s, struct batch_cell *row, int column, struct hr_span text);
void cell_id(struct batch_cell *row, int column, int64_t id);
void cell_time(struct batch_cell *row, int column, hr_nsec at);
void cell_number(struct batch_cell *row, int column, int64_t number);
void cell_count(struct batch_cell *row, int column, uint64_t count);

#endif
