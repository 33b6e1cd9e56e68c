#include "store/batch.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "store/db.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_AT_ONCE = 64 };

struct batch_cell {
    const char *text; /* NULL: see is_number */
    int64_t number;   /* bytes of the text, where there is one */
    bool is_number;
};

static const struct {
    const char *module;
    int columns; /* of the INSERT */
    enum stmt_id insert;
} tables[BATCH_TABLES] = {
    [BATCH_STREAMS] = {"waiting_streams",    29, STMT_STREAM_ADD   },
    [BATCH_EXCHANGES] = {"waiting_exchanges",  30, STMT_EXCHANGE_ADD },
    [BATCH_TOKENS] = {"waiting_tokens",     6,  STMT_TOKEN_ADD    },
    [BATCH_OPERATIONS] = {"waiting_operations", 15, STMT_OPERATION_ADD},
};

struct batch {
    struct batch_cell *cells;
    int columns;
    int rows;
};

struct batches {
    struct batch batches[BATCH_TABLES];
    struct hr_arena texts;
};

/* --- the virtual tables ----------------------------------------------------------------------- */

struct rows_table {
    sqlite3_vtab base;
    const struct batch *batch;
};

struct rows_cursor {
    sqlite3_vtab_cursor base;
    const struct batch *batch;
    int row;
};

static int rows_connect(sqlite3 *db, void *user, int argc, const char *const *argv,
                        sqlite3_vtab **ret_table, char **ret_error)
{
    const struct batch *b = user;
    struct hr_buf sql;
    (void)argc;
    (void)argv;
    (void)ret_error;
    hr_buf_init(&sql, SIZE_MAX);
    for (int i = 0; i < b->columns; i++) {
        hr_buf_appendf(&sql, i == 0 ? "CREATE TABLE x (c%d" : ", c%d", i);
    }
    hr_buf_append_char(&sql, ')');
    int code = sqlite3_declare_vtab(db, hr_buf_str(&sql));
    hr_buf_finish(&sql);
    if (code == SQLITE_OK) {
        struct rows_table *t = hr_xcalloc(1, sizeof(*t));
        t->batch = b;
        *ret_table = &t->base;
    }
    return code;
}

static int rows_disconnect(sqlite3_vtab *table)
{
    free(table);
    return SQLITE_OK;
}

static int rows_best_index(sqlite3_vtab *table, sqlite3_index_info *info)
{
    (void)table;
    info->estimatedCost = ROWS_AT_ONCE;
    info->estimatedRows = ROWS_AT_ONCE;
    return SQLITE_OK;
}

static int rows_open(sqlite3_vtab *table, sqlite3_vtab_cursor **ret_cursor)
{
    struct rows_cursor *c = hr_xcalloc(1, sizeof(*c));
    c->batch = ((struct rows_table *)table)->batch;
    *ret_cursor = &c->base;
    return SQLITE_OK;
}

static int rows_close(sqlite3_vtab_cursor *cursor)
{
    free(cursor);
    return SQLITE_OK;
}

static int rows_filter(sqlite3_vtab_cursor *cursor, int index, const char *text, int argc,
                       sqlite3_value **argv)
{
    (void)index;
    (void)text;
    (void)argc;
    (void)argv;
    ((struct rows_cursor *)cursor)->row = 0;
    return SQLITE_OK;
}

static int rows_next(sqlite3_vtab_cursor *cursor)
{
    ((struct rows_cursor *)cursor)->row++;
    return SQLITE_OK;
}

static int rows_eof(sqlite3_vtab_cursor *cursor)
{
    const struct rows_cursor *c = (const struct rows_cursor *)cursor;
    return c->row >= c->batch->rows;
}

static int rows_column(sqlite3_vtab_cursor *cursor, sqlite3_context *context, int column)
{
    const struct rows_cursor *c = (const struct rows_cursor *)cursor;
    const struct batch_cell *cell = &c->batch->cells[c->row * c->batch->columns + column];
    if (cell->is_number) {
        sqlite3_result_int64(context, cell->number);
    } else if (cell->text != NULL) {
        sqlite3_result_text(context, cell->text, (int)cell->number, SQLITE_STATIC);
    }
    return SQLITE_OK;
}

static int rows_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *ret_id)
{
    *ret_id = ((struct rows_cursor *)cursor)->row;
    return SQLITE_OK;
}

/* Without xCreate a module is a table by its own name, and nothing of it is in the schema. */
static const sqlite3_module rows_module = {
    .xConnect = rows_connect,
    .xBestIndex = rows_best_index,
    .xDisconnect = rows_disconnect,
    .xOpen = rows_open,
    .xClose = rows_close,
    .xFilter = rows_filter,
    .xNext = rows_next,
    .xEof = rows_eof,
    .xColumn = rows_column,
    .xRowid = rows_rowid,
};

/* --- waiting ---------------------------------------------------------------------------------- */

int batches_create(struct store *s)
{
    s->batches = hr_xcalloc(1, sizeof(*s->batches));
    hr_arena_init(&s->batches->texts);
    for (size_t i = 0; i < BATCH_TABLES; i++) {
        struct batch *b = &s->batches->batches[i];
        b->columns = tables[i].columns;
        b->cells = hr_xcalloc(ROWS_AT_ONCE * (size_t)b->columns, sizeof(*b->cells));
        int code = sqlite3_create_module(s->db, tables[i].module, &rows_module, b);
        if (code != SQLITE_OK) {
            return store_fail(s, code);
        }
    }
    return 0;
}

void batches_clear(struct batches *b)
{
    for (size_t i = 0; b != NULL && i < BATCH_TABLES; i++) {
        b->batches[i].rows = 0;
    }
}

void batches_destroy(struct batches *b)
{
    if (b == NULL) {
        return;
    }
    for (size_t i = 0; i < BATCH_TABLES; i++) {
        free(b->batches[i].cells);
    }
    hr_arena_finish(&b->texts);
    free(b);
}

int batches_put_in(struct store *s)
{
    struct batches *b = s->batches;
    int r = 0;
    s->has_waiting = false;
    for (size_t i = 0; r == 0 && b != NULL && i < BATCH_TABLES; i++) {
        r = b->batches[i].rows > 0 ? store_run(s, store_stmt(s, tables[i].insert)) : 0;
        b->batches[i].rows = 0;
    }
    if (b != NULL) {
        hr_arena_reset(&b->texts);
    }
    return r;
}

int batch_add_row(struct store *s, enum batch_table table, struct batch_cell **ret_row)
{
    struct batch *b = &s->batches->batches[table];
    int r = b->rows == ROWS_AT_ONCE ? batches_put_in(s) : 0;
    if (r == 0) {
        *ret_row = &b->cells[b->rows * b->columns];
        memset(*ret_row, 0, (size_t)b->columns * sizeof(**ret_row));
        b->rows++;
        s->has_waiting = true;
    }
    return r;
}

void cell_span(struct store *s, struct batch_cell *row, int column, struct hr_span text)
{
    if (text.ptr != NULL) {
        row[column - 1].text = hr_arena_copy(&s->batches->texts, text).ptr;
        row[column - 1].number = (int64_t)text.len;
    }
}

void cell_number(struct batch_cell *row, int column, int64_t number)
{
    row[column - 1].number = number;
    row[column - 1].is_number = true;
}

void cell_id(struct batch_cell *row, int column, int64_t id)
{
    if (id != 0) {
        cell_number(row, column, id);
    }
}

void cell_time(struct batch_cell *row, int column, hr_nsec at)
{
    if (at != HR_NSEC_INFINITE) {
        cell_number(row, column, at);
    }
}

void cell_count(struct batch_cell *row, int column, uint64_t count)
{
    cell_number(row, column, count > INT64_MAX ? INT64_MAX : (int64_t)count);
}
