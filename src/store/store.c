/*
 * Opening and closing, transactions, and what is said about the whole database.
 */
#include "base/alloc.h"
#include "base/buf.h"
#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PRAGMAS_ALWAYS                                                                             \
    "PRAGMA trusted_schema = OFF;"                                                                 \
    "PRAGMA cell_size_check = ON;"                                                                 \
    "PRAGMA foreign_keys = OFF;" /* checked by store_check(); enforcing them doubles an import */

/* Of a database that is about to be made; large pages mean few writes while an import outgrows the
 * memory. */
#define PRAGMA_PAGE_SIZE "PRAGMA page_size = 16384;"

/* A temporary database is SQLite's own kind: a file in $TMPDIR (else /var/tmp, /tmp), readable by
 * nobody else and unlinked before anything is written, so nothing stays behind after a kill. */
#define PRAGMAS_TEMPORARY                                                                          \
    PRAGMA_PAGE_SIZE                                                                               \
    "PRAGMA journal_mode = MEMORY;"                                                                \
    "PRAGMA synchronous = OFF;"

/* A reader opens for writing where it may, only so that SQLite can clear its WAL away at the end.
 */
#define PRAGMAS_READ "PRAGMA query_only = ON;"

#define PRAGMAS_WRITE                                                                              \
    PRAGMA_PAGE_SIZE                                                                               \
    "PRAGMA synchronous = NORMAL;"                                                                 \
    "PRAGMA journal_size_limit = 16777216;"

/* Looks at the path first: SQLite's own answers do not tell what is wrong. */
static int check_path(struct store *s)
{
    struct stat st;
    if (stat(s->path, &st) < 0) {
        if (errno == ENOENT && s->mode == STORE_READ) {
            return store_fail_text(
                s, -ENOENT, "no such database; `headrace audit --db FILE CAPTURE` makes one");
        }
        return errno == ENOENT ? 0
                               : store_fail_text(s, -errno, "cannot be opened (%s); check the path",
                                                 strerror(errno));
    }
    if (!S_ISREG(st.st_mode)) {
        return store_fail_text(s, S_ISDIR(st.st_mode) ? -EISDIR : -EMEDIUMTYPE,
                               "not a database but a %s; name a file",
                               S_ISDIR(st.st_mode) ? "folder" : "special file");
    }
    if (access(s->path, s->mode == STORE_READ ? R_OK : R_OK | W_OK) < 0) {
        return store_fail_text(s, -errno, "cannot be %s (%s); check the permissions of the file",
                               s->mode == STORE_READ ? "read" : "written", strerror(errno));
    }
    return 0;
}

/** @return 1 made here, 0 was there */
static int create_file(struct store *s)
{
    int fd = open(s->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
        return 1;
    }
    if (errno == EEXIST) {
        return 0;
    }
    return store_fail_text(s, -errno, "cannot be made (%s); %s", strerror(errno),
                           errno == ENOENT ? "make its folder first"
                                           : "check the permissions of its folder");
}

/* In a folder that cannot be written a reader cannot make the WAL's index; where there is no WAL it
 * can do without, for then nobody is writing. */
static int reopen_immutable(struct store *s)
{
    struct hr_buf uri;
    hr_buf_init(&uri, SIZE_MAX);
    hr_buf_appendf(&uri, "%s-wal", s->path);
    int code = SQLITE_CANTOPEN;
    if (access(hr_buf_str(&uri), F_OK) < 0) {
        hr_buf_clear(&uri);
        hr_buf_append_str(&uri, "file:");
        for (const char *c = s->path; *c != '\0'; c++) {
            hr_buf_appendf(&uri, strchr("?#%", *c) != NULL ? "%%%02x" : "%c", (unsigned char)*c);
        }
        hr_buf_append_str(&uri, "?immutable=1");
        sqlite3_close(s->db);
        code = sqlite3_open_v2(hr_buf_str(&uri), &s->db,
                               SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL);
    }
    hr_buf_finish(&uri);
    return code == SQLITE_OK ? 0 : store_fail(s, code);
}

/* Counting every allocation under a lock is for those who ask for the count. */
static void configure_sqlite(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static int open_database(struct store *s, int busy_timeout_ms)
{
    static pthread_once_t configured = PTHREAD_ONCE_INIT;
    pthread_once(&configured, configure_sqlite);
    bool may_write = s->path == NULL || access(s->path, W_OK) == 0;
    int flags = may_write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
    flags |= SQLITE_OPEN_NOMUTEX; /* a store belongs to one thread */
    if (s->path == NULL) {
        flags |= SQLITE_OPEN_CREATE;
    }
    int code = sqlite3_open_v2(s->path != NULL ? s->path : "", &s->db, flags, NULL);
    if (code != SQLITE_OK) {
        return store_fail(s, code);
    }
    sqlite3_busy_timeout(s->db, busy_timeout_ms);
    if (s->mode == STORE_READ) {
        code = sqlite3_exec(s->db, "SELECT 1 FROM sqlite_schema", NULL, NULL, NULL);
        int r = code == SQLITE_CANTOPEN ? reopen_immutable(s) : 0;
        r = code == SQLITE_BUSY ? store_fail(s, code) : r; /* it has waited, and once will do */
        if (r < 0) {
            return r;
        }
    }
    sqlite3_extended_result_codes(s->db, 1);
    int r = store_exec(s, PRAGMAS_ALWAYS);
    if (r == 0 && s->path == NULL) {
        r = store_exec(s, PRAGMAS_TEMPORARY);
    } else if (r == 0 && s->mode == STORE_WRITE) {
        r = store_exec(s, PRAGMAS_WRITE);
    } else if (r == 0) {
        r = store_exec(s, PRAGMAS_READ);
    }
    return r == 0 ? store_exec(s, STORE_PRAGMA_CACHE) : r;
}

int store_open(const struct store_config *config, struct store **ret_store)
{
    struct store *s = hr_xcalloc(1, sizeof(*s));
    int made = 0;
    *ret_store = s;
    hr_arena_init(&s->kept);
    s->mode = config->path == NULL ? STORE_WRITE : config->mode;
    int r = hr_digest_setup();
    if (r < 0) {
        return store_fail_text(s, r, "no random numbers on this system");
    }
    if (config->path != NULL) {
        s->path = hr_xstrdup(config->path);
        r = check_path(s);
        if (r == 0 && s->mode == STORE_WRITE) {
            r = made = create_file(s);
        }
    }
    if (r >= 0) {
        r = open_database(s, config->busy_timeout_ms);
    }
    if (r == 0) {
        r = batches_create(s);
    }
    if (r == 0) {
        r = store_prepare(s, config->key);
    }
    s->is_ready = r == 0;
    if (r < 0 && made == 1) {
        unlink(s->path);
    }
    return r;
}

void store_close(struct store *s)
{
    if (s == NULL) {
        return;
    }
    store_rollback(s);
    for (size_t i = 0; i < STMT_COUNT; i++) {
        sqlite3_finalize(s->stmts[i]);
    }
    store_drop_kept(s);
    sqlite3_close_v2(s->db);
    batches_destroy(s->batches);
    hr_arena_finish(&s->kept);
    hr_wipe(&s->key, sizeof(s->key));
    free(s->path);
    free(s);
}

const char *store_error(const struct store *s)
{
    return s->error;
}

const char *store_path(const struct store *s)
{
    return s->path;
}

const struct hr_key *store_key(const struct store *s)
{
    return &s->key;
}

static int begin(struct store *s, enum stmt_id how)
{
    s->showed_all = s->shows_all;
    return store_run(s, store_stmt(s, how));
}

int store_begin(struct store *s)
{
    return begin(s, STMT_BEGIN);
}

int store_begin_read(struct store *s)
{
    return begin(s, STMT_BEGIN_READ);
}

/* A new page needs no place in a rollback journal, so a first import writes each page once, where
 * the WAL takes it twice and with a checksum. Killed, it leaves a journal that cuts the file back.
 * Without the WAL a reader would keep the pages from being written, so none is let in until it is
 * done. Where somebody else has the file open the WAL stays, and so do they. */
#define PRAGMAS_DIRECT "PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = FULL;"
#define PRAGMAS_WAL "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"

void store_use_wal(struct store *s)
{
    s->is_direct = false;
    sqlite3_exec(s->db, PRAGMAS_WAL, NULL, NULL, NULL);
}

int store_begin_import(struct store *s)
{
    int64_t has_rows = 0;
    int r = s->path != NULL ? store_number(s, store_stmt(s, STMT_HAS_ROWS), 0, &has_rows) : 0;
    if (r == 0 && s->path != NULL && has_rows == 0) {
        s->is_direct = true;
        sqlite3_exec(s->db, PRAGMAS_DIRECT, NULL, NULL, NULL);
    }
    r = r == 0 ? begin(s, s->is_direct ? STMT_BEGIN_ALONE : STMT_BEGIN) : r;
    if (r < 0 && s->is_direct) {
        store_use_wal(s);
    }
    return r;
}

int store_begin_trial(struct store *s)
{
    const int r = begin(s, STMT_BEGIN);
    s->is_trial = r == 0;
    return r;
}

int store_commit(struct store *s)
{
    int r = store_run(s, store_stmt(s, STMT_COMMIT));
    s->is_trial = s->is_trial && r < 0;
    if (r == 0 && s->is_direct) {
        store_use_wal(s);
    }
    return r;
}

int store_epoch(struct store *s, uint64_t *ret_epoch)
{
    int64_t version = 0; /* changes with the commits of others */
    const int r = store_number(s, store_stmt(s, STMT_DATA_VERSION), 0, &version);
    s->epoch += r < 0 || version != s->data_version;
    s->data_version = version;
    *ret_epoch = s->epoch;
    return r;
}

int store_change_epoch(struct store *s)
{
    s->epoch++;
    s->servers_known_to = 0; /* ids may be given again */
    return store_run(s, store_stmt(s, STMT_LEARNING_DELETE_ALL));
}

void store_rollback(struct store *s)
{
    s->epoch++;
    s->servers_known_to = 0;
    s->is_trial = false;
    analysis_destroy(s->analysis);
    s->analysis = NULL;
    batches_clear(s->batches);
    s->has_waiting = false;
    const bool is_open = s->db != NULL && !sqlite3_get_autocommit(s->db);
    s->shows_all = is_open && s->showed_all; /* temporary views are rolled back, too */
    if (is_open) {
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL); /* keeps the first error's text */
        if (s->is_direct) {
            store_use_wal(s);
        }
    }
}

int store_get_info(struct store *s, struct store_info *ret_info)
{
    struct store_info info = {0};
    sqlite3_stmt *q = store_stmt(s, STMT_INFO);
    int r = store_step(s, q);
    if (r <= 0) {
        return r < 0 ? r : store_fail_text(s, -EIO, "the database gave no answer");
    }
    info.schema_version = sqlite3_column_int64(q, 0);
    info.size_bytes = sqlite3_column_int64(q, 1);
    info.captures = sqlite3_column_int64(q, 2);
    info.sites = sqlite3_column_int64(q, 3);
    info.exchanges = sqlite3_column_int64(q, 4);
    info.sessions = sqlite3_column_int64(q, 5);
    info.findings = sqlite3_column_int64(q, 6);
    info.findings_withdrawn = sqlite3_column_int64(q, 7);
    info.first_at = column_time(q, 8);
    info.last_at = column_time(q, 9);
    *ret_info = info;
    return store_end_rows(q, 0);
}

int store_count_operations(struct store *s, int64_t *ret_count)
{
    return store_number(s, store_stmt(s, STMT_OPERATION_COUNT), 0, ret_count);
}

int store_vacuum(struct store *s)
{
    return store_exec(s, "VACUUM; PRAGMA wal_checkpoint(TRUNCATE);");
}
