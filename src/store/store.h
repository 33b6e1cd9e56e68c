/*
 * store/store.h - the SQLite database: opening, migrations, transactions. The only folder that
 * includes sqlite3.h. Schema, with the meaning of every column: store/schema.sql.
 *
 * Functions return 0 or a negative errno; store_error() has the text for people. -EBUSY: locked by
 * another process beyond the time-out; -EMEDIUMTYPE: not a Headrace database; -EPROTONOSUPPORT: made
 * by a newer Headrace; -EKEYREJECTED: another key; anything else: it could not be read or written.
 */
#ifndef HR_STORE_STORE_H
#define HR_STORE_STORE_H

#include "base/digest.h"
#include "base/span.h"
#include "base/time.h"

#include <stdatomic.h>

struct store;

enum store_mode {
    STORE_READ,   /* never migrates, never writes */
    STORE_WRITE,  /* creates where there is none (0600), migrates after a copy FILE.bak-vN */
};

struct store_config {
    const char *path;     /* NULL: a temporary database, gone when it is closed */
    enum store_mode mode;
    int busy_timeout_ms;
    const struct hr_key *key; /* given by --key-file; NULL: the database's own, drawn when it is made */
};

/** @param ret_store  also set on failure, to ask for store_error(); close it in every case */
int store_open(const struct store_config *config, struct store **ret_store);
void store_close(struct store *s);
/** @return one line that names the database and what is wrong with it; valid until the next call */
const char *store_error(const struct store *s);
const char *store_path(const struct store *s);
/** @return the key of every hash in this database; borrowed */
const struct hr_key *store_key(const struct store *s);

/** One writer: takes the write lock (waits up to the time-out). Everything until commit is one whole. */
int store_begin(struct store *s);
/** What is read until commit or rollback is of one moment, whatever others write. Keep it short. */
int store_begin_read(struct store *s);
/**
 * The same for an import. The first one of a database is written straight into the file, once: who
 * reads meanwhile is told that it is locked, for there is nothing to read yet.
 */
int store_begin_import(struct store *s);
/**
 * The same for imports of little that are tried out, one after the other, each rolled back: what makes a large
 * import quick is left out, for it changes the schema, and all would be compiled anew.
 */
int store_begin_trial(struct store *s);
int store_commit(struct store *s);
void store_rollback(struct store *s);
/**
 * A number that changes whenever something that was stored before was changed other than by adding to
 * it, or may have been: what a caller keeps in memory of it holds no longer. Within a transaction.
 */
int store_epoch(struct store *s, uint64_t *ret_epoch);

/**
 * What runs from here on ends with -ECANCELED soon after *stop becomes true, which any thread may make it.
 * @param stop  borrowed; NULL: nothing ends it
 */
void store_set_stop(struct store *s, const atomic_bool *stop);

struct store_info {
    int64_t schema_version;
    int64_t size_bytes;
    int64_t captures;
    int64_t sites;
    int64_t exchanges;
    int64_t sessions;
    int64_t findings;           /* not withdrawn */
    int64_t findings_withdrawn;
    hr_nsec first_at;           /* of the packets; HR_NSEC_INFINITE: nothing stored */
    hr_nsec last_at;
};
int store_get_info(struct store *s, struct store_info *ret_info);
/** What exchanges did to sessions, one by one; goes through all of them. */
int store_count_operations(struct store *s, int64_t *ret_count);
/** Integrity of file, keys and foreign keys. emit gets a line for each problem. @return 0 clean, 1 problems */
int store_check(struct store *s, void (*emit)(const char *line, void *user), void *user);
int store_vacuum(struct store *s);
/** Names of users become their hashes. @param ret_count  how many were none yet */
int store_redact_users(struct store *s, int64_t *ret_count);
/** Deletes what ended before that time on the packets' clock, and what nothing refers to any more. */
int store_prune(struct store *s, hr_nsec before, int64_t *ret_exchanges);

#endif
