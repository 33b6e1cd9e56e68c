/*
 * store/query.h - SQL of others over the store: one SELECT, rows as values, for rules. What a rule may
 * do is decided here: it reads, and nothing else.
 */
#ifndef HR_STORE_QUERY_H
#define HR_STORE_QUERY_H

#include "store/store.h"

enum query_type {
    QUERY_NULL,
    QUERY_INTEGER,
    QUERY_REAL,
    QUERY_TEXT, /* and BLOB: bytes */
};

struct query_value {
    enum query_type type;
    int64_t integer;
    double real;
    struct hr_span text;
};

/* Valid during the call. */
struct query_row {
    size_t count;
    const char *const *names;
    const struct query_value *values;
};

/** @return 0 to go on; anything else ends the query, which returns it */
typedef int (*query_row_fn)(const struct query_row *row, void *user);

struct query {
    struct hr_span sql;              /* one SELECT; a semicolon and comments may follow */
    const struct query_value *binds; /* of ?1, ?2, ...; borrowed */
    size_t bind_count;
    bool guarded;                    /* written by a user: no table that holds a key, no pragma, no attached
                                        file, no extension, values of at most 16 MiB */
    unsigned time_limit_ms;          /* 0: none */
    uint64_t step_limit;             /* of SQLite's machine, roughly; where there is a time limit; 0: none */
};

struct query_error {
    unsigned line; /* within the text, from 1; 0: not known */
    char text[512];
};

/**
 * Only reads, guarded or not. A row function must not write to the store while a guarded query runs.
 * @return 0; -EINVAL: the SQL is wrong or does what it must not; -ETIMEDOUT; in both cases ret_error
 *         says why. Otherwise what row returned, or a negative errno of the store (ret_error as well)
 */
int query_run(struct store *s, const struct query *q, query_row_fn row, void *user,
              struct query_error *ret_error);
/** Prepares it only; row gets the names of the columns, each with a NULL value. */
int query_describe(struct store *s, const struct query *q, query_row_fn row, void *user,
                   struct query_error *ret_error);

struct query_value query_text(struct hr_span text);
struct query_value query_integer(int64_t integer);
/** @return the value of that column; NULL where there is none of that name */
const struct query_value *query_find(const struct query_row *row, const char *name);

#endif
