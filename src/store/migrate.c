/*
 * The schema: making it, and bringing an older one up. A step is a piece of SQL from one
 * user_version to the next; all steps run in one transaction, after a copy of the file.
 */
#include "base/alloc.h"
#include "base/buf.h"
#include "store/db.h"
#include "store/sql.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* No older version is out there yet. */
static const struct store_migration *const migrations = NULL;
static const size_t migration_count = 0;

static int query_number(struct store *s, const char *sql, int64_t *ret_value)
{
    sqlite3_stmt *q = NULL;
    int code = sqlite3_prepare_v2(s->db, sql, -1, &q, NULL);
    int r = code == SQLITE_OK ? store_number(s, q, 0, ret_value) : store_fail(s, code);
    sqlite3_finalize(q);
    return r;
}

static int set_meta(struct store *s, const char *name, const void *bytes, size_t len)
{
    sqlite3_stmt *q = store_stmt(s, STMT_META_PUT);
    bind_text(q, 1, name);
    sqlite3_bind_blob(q, 2, bytes, (int)len, SQLITE_STATIC);
    return store_run(s, q);
}

/** @return 1 and the bytes, 0 where it is absent or of another length */
static int get_meta(struct store *s, const char *name, void *ret_bytes, size_t len)
{
    sqlite3_stmt *q = store_stmt(s, STMT_META_GET);
    bind_text(q, 1, name);
    int r = store_step(s, q);
    if (r <= 0) {
        return r;
    }
    if ((size_t)sqlite3_column_bytes(q, 0) != len) {
        return store_end_rows(q, 0);
    }
    memcpy(ret_bytes, sqlite3_column_blob(q, 0), len);
    return store_end_rows(q, 1);
}

static struct hr_digest key_check(const struct hr_key *key)
{
    return hr_digest_keyed(key, HR_SPAN("headrace key check"));
}

static struct hr_digest views_digest(void)
{
    return hr_digest_plain(hr_span_str(store_views_sql));
}

static int put_views(struct store *s)
{
    struct hr_digest d = views_digest();
    int r = store_exec(s, store_views_sql);
    return r == 0 ? set_meta(s, "views", d.bytes, sizeof(d.bytes)) : r;
}

static int drop_views(struct store *s)
{
    struct hr_buf sql;
    sqlite3_stmt *q = store_stmt(s, STMT_VIEW_NAMES);
    hr_buf_init(&sql, SIZE_MAX);
    int r;
    while ((r = store_step(s, q)) > 0) {
        hr_buf_appendf(&sql, "DROP VIEW \"%s\";", column_text(q, 0));
    }
    r = r == 0 ? store_exec(s, hr_buf_str(&sql)) : r;
    hr_buf_finish(&sql);
    return r;
}

/* The views belong to the program, not to the data: they are replaced where their text changed. */
static int refresh_views(struct store *s)
{
    struct hr_digest want = views_digest();
    struct hr_digest have = {{0}};
    int r = get_meta(s, "views", have.bytes, sizeof(have.bytes));
    if (r < 0 || (r > 0 && hr_digest_equal(&want, &have))) {
        return r < 0 ? r : 0;
    }
    r = store_begin(s);
    r = r == 0 ? drop_views(s) : r;
    r = r == 0 ? put_views(s) : r;
    r = r == 0 ? store_commit(s) : r;
    if (r < 0) {
        store_rollback(s);
    }
    return r;
}

static int make_key(struct store *s, const struct hr_key *key)
{
    int r = 0;
    if (key != NULL) {
        s->key = *key;
    } else {
        hr_key_random(&s->key);
        r = set_meta(s, "key", s->key.bytes, sizeof(s->key.bytes));
    }
    struct hr_digest check = key_check(&s->key);
    return r == 0 ? set_meta(s, "key_check", check.bytes, sizeof(check.bytes)) : r;
}

static int check_key(struct store *s, const struct hr_key *key)
{
    struct hr_digest check;
    int r = get_meta(s, "key_check", check.bytes, sizeof(check.bytes));
    if (r <= 0) {
        return r < 0 ? r : store_fail_text(s, -EUCLEAN, "the database is damaged: no key check");
    }
    r = get_meta(s, "key", s->key.bytes, sizeof(s->key.bytes));
    if (r < 0) {
        return r;
    }
    if (key != NULL) {
        s->key = *key;
    } else if (r == 0 && s->mode == STORE_READ) {
        return 0; /* readers hash nothing */
    } else if (r == 0) {
        return store_fail_text(s, -EKEYREJECTED,
                               "was made with a key file; give the same one with --key-file");
    }
    struct hr_digest given = key_check(&s->key);
    return hr_digest_equal(&given, &check)
               ? 0
               : store_fail_text(s, -EKEYREJECTED,
                                 "was made with another key; give that one with --key-file, "
                                 "or none if it was made without");
}

static int create_schema(struct store *s, const struct hr_key *key)
{
    int64_t tables = 0;
    int r = s->path != NULL ? store_exec(s, "PRAGMA journal_mode = WAL") : 0;
    r = r == 0 ? store_begin(s) : r;
    if (r < 0) {
        return r;
    }
    r = query_number(s, "SELECT count(*) FROM sqlite_schema", &tables);
    if (r == 0 && tables > 0) { /* another process was faster */
        store_rollback(s);
        return store_prepare(s, key);
    }
    r = r == 0 ? store_exec(s, store_schema_sql) : r;
    r = r == 0 ? put_views(s) : r;
    r = r == 0 ? make_key(s, key) : r;
    struct hr_buf pragmas;
    hr_buf_init(&pragmas, SIZE_MAX);
    hr_buf_appendf(&pragmas, "PRAGMA application_id = %d; PRAGMA user_version = %d;",
                   STORE_APPLICATION_ID, STORE_SCHEMA_VERSION);
    r = r == 0 ? store_exec(s, hr_buf_str(&pragmas)) : r;
    hr_buf_finish(&pragmas);
    r = r == 0 ? store_commit(s) : r;
    if (r < 0) {
        store_rollback(s);
    }
    return r;
}

/* SQLite's own backup, so that what is still in the WAL is in the copy. It reads through a
 * connection of its own, for it refuses one that is about to write. */
static bool fill_copy(const char *from, const char *to)
{
    sqlite3 *source = NULL;
    sqlite3 *copy = NULL;
    bool done = false;
    if (sqlite3_open_v2(from, &source, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_open_v2(to, &copy, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK) {
        sqlite3_backup *b = sqlite3_backup_init(copy, "main", source, "main");
        done = b != NULL && sqlite3_backup_step(b, -1) == SQLITE_DONE;
        done = sqlite3_backup_finish(b) == SQLITE_OK && done;
    }
    sqlite3_close(source);
    return sqlite3_close(copy) == SQLITE_OK && done;
}

/* What was renamed in it stays so when the power fails. A file system that cannot is let be. */
static bool sync_folder(const char *path)
{
    struct hr_buf folder;
    const char *slash = strrchr(path, '/');
    hr_buf_init(&folder, SIZE_MAX);
    if (slash != NULL) {
        hr_buf_append(&folder, hr_span_of(path, (size_t)(slash - path) + 1));
    } else {
        hr_buf_append_str(&folder, ".");
    }
    int fd = open(hr_buf_str(&folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = fd < 0 || fsync(fd) == 0 || errno == EINVAL;
    if (fd >= 0) {
        close(fd);
    }
    hr_buf_finish(&folder);
    return done;
}

/* Made under another name and renamed: a kill leaves no half of a copy under its name. */
static int copy_database(struct store *s, int64_t version)
{
    struct hr_buf name;
    struct hr_buf part;
    hr_buf_init(&name, SIZE_MAX);
    hr_buf_init(&part, SIZE_MAX);
    hr_buf_appendf(&name, "%s.bak-v%lld", s->path, (long long)version);
    hr_buf_appendf(&part, "%s.part", hr_buf_str(&name));
    unlink(hr_buf_str(&part));
    int fd = open(hr_buf_str(&part), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool done = fd >= 0 && fill_copy(s->path, hr_buf_str(&part)) && fsync(fd) == 0 &&
                rename(hr_buf_str(&part), hr_buf_str(&name)) == 0 && sync_folder(s->path);
    int r = done ? 0
                 : store_fail_text(s, -EIO,
                                   "is of an older version, and its copy %s could not be "
                                   "made; make room and check the folder's permissions",
                                   hr_buf_str(&name));
    if (!done && fd >= 0) {
        unlink(hr_buf_str(&part));
    }
    if (fd >= 0) {
        close(fd);
    }
    hr_buf_finish(&name);
    hr_buf_finish(&part);
    return r;
}

static const struct store_migration *find_step(const struct store_migration *steps, size_t count,
                                               int64_t from)
{
    for (size_t i = 0; i < count; i++) {
        if (steps[i].from == from) {
            return &steps[i];
        }
    }
    return NULL;
}

static int run_steps(struct store *s, const struct store_migration *steps, size_t step_count,
                     int64_t from, int to)
{
    struct hr_buf pragma;
    hr_buf_init(&pragma, SIZE_MAX);
    int r = 0;
    for (int64_t version = from; r == 0 && version < to; version++) {
        const struct store_migration *step = find_step(steps, step_count, version);
        r = step != NULL ? store_exec(s, step->sql)
                         : store_fail_text(s, -EPROTONOSUPPORT,
                                           "its version %lld is too old for this Headrace; import "
                                           "the captures into a new database",
                                           (long long)version);
    }
    hr_buf_appendf(&pragma, "PRAGMA user_version = %d", to);
    r = r == 0 ? store_exec(s, hr_buf_str(&pragma)) : r;
    hr_buf_finish(&pragma);
    return r;
}

/* Under the write lock, the copy too: else it could be one of what another process has just
 * migrated, and take the place of the one that it had made before. */
static int migrate_locked(struct store *s, const struct store_migration *steps, size_t step_count,
                          int to)
{
    int64_t version = 0;
    int r = query_number(s, "PRAGMA user_version", &version);
    if (r < 0 || version >= to) {
        return r;
    }
    r = find_step(steps, step_count, version) != NULL ? copy_database(s, version) : 0;
    r = r == 0 ? drop_views(s) : r; /* a step may rename what they name; refresh_views() follows */
    r = r == 0 ? store_run(s, store_stmt(s, STMT_META_FORGET_VIEWS)) : r;
    return r == 0 ? run_steps(s, steps, step_count, version, to) : r;
}

int store_migrate(struct store *s, const struct store_migration *steps, size_t step_count, int to)
{
    int64_t version = 0;
    int r = query_number(s, "PRAGMA user_version", &version);
    if (r < 0 || version >= to) {
        return r;
    }
    r = store_begin(s);
    if (r < 0) {
        return r;
    }
    r = migrate_locked(s, steps, step_count, to);
    r = r == 0 ? store_commit(s) : r;
    if (r < 0) {
        store_rollback(s);
    }
    return r;
}

int store_prepare(struct store *s, const struct hr_key *key)
{
    int64_t application = 0;
    int64_t version = 0;
    int64_t tables = 0;
    int r = query_number(s, "PRAGMA application_id", &application);
    r = r == 0 ? query_number(s, "PRAGMA user_version", &version) : r;
    r = r == 0 ? query_number(s, "SELECT count(*) FROM sqlite_schema", &tables) : r;
    if (r < 0) {
        return r;
    }
    if (application == 0 && version == 0 && tables == 0) {
        return s->mode == STORE_WRITE ? create_schema(s, key)
                                      : store_fail_text(s, -ENOENT,
                                                        "an empty file; `headrace audit --db FILE "
                                                        "CAPTURE` makes a database");
    }
    if (application != STORE_APPLICATION_ID) {
        return store_fail_text(s, -EMEDIUMTYPE,
                               "a database of another program; name another file with --db");
    }
    if (version > STORE_SCHEMA_VERSION) {
        return store_fail_text(s, -EPROTONOSUPPORT,
                               "made by a newer Headrace (version %lld, this one knows %d); use "
                               "that one",
                               (long long)version, STORE_SCHEMA_VERSION);
    }
    if (version < STORE_SCHEMA_VERSION && s->mode == STORE_READ) {
        return store_fail_text(s, -EPROTONOSUPPORT,
                               "made by an older Headrace (version %lld); `headrace audit --db "
                               "FILE CAPTURE` brings it up to date, after a copy",
                               (long long)version);
    }
    if (s->mode == STORE_WRITE) {
        store_use_wal(s); /* a first import that was killed left the file without */
        r = store_migrate(s, migrations, migration_count, STORE_SCHEMA_VERSION);
        r = r == 0 ? refresh_views(s) : r;
    }
    return r == 0 ? check_key(s, key) : r;
}
