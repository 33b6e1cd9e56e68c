/*
 * Opening: what is made, what is refused and how that is said; keys; migrations; kills.
 */
#include "store/db.h"
#include "support/test.h"
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct hr_key key_one = {{1}};
static const struct hr_key key_two = {{2}};

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void make_database(const char *path)
{
    store_close(world_open(path));
}

static mode_t mode_of(const char *path, const char *suffix)
{
    struct hr_buf name;
    struct stat st;
    hr_buf_init(&name, SIZE_MAX);
    hr_buf_appendf(&name, "%s%s", path, suffix);
    if (stat(hr_buf_str(&name), &st) < 0) {
        fail_msg("%s: %s", hr_buf_str(&name), strerror(errno));
    }
    hr_buf_finish(&name);
    return st.st_mode & 07777;
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

/* Nobody else may read the database, its WAL or its index, whatever the umask says. */
static void files_belong_to_their_owner(void **state)
{
    (void)state;
    char *path = world_path("a.db");
    mode_t old = umask(0);
    struct store *s = world_open(path);
    assert_int_equal(store_begin(s), 0);
    assert_int_equal(mode_of(path, ""), 0600);
    assert_int_equal(mode_of(path, "-wal"), 0600);
    assert_int_equal(mode_of(path, "-shm"), 0600);
    umask(old);
    store_close(s);
    world_remove(path);
}

enum kind {
    MISSING,
    NO_FOLDER,
    FOLDER,
    EMPTY,
    TEXT,
    FOREIGN,
    FOREIGN_ID,
    NEWER,
    OLDER,
    TRUNCATED,
};

static const struct {
    const char *name;
    enum kind kind;
    int read_error;
    int write_error;
    const char *says; /* on reading, or writing where reading is fine */
} refusals[] = {
    {"missing",                       MISSING,    -ENOENT,          0,                "headrace audit --db"    },
    {"folder is missing",             NO_FOLDER,  -ENOENT,          -ENOENT,          "headrace audit --db"    },
    {"a folder",                      FOLDER,     -EISDIR,          -EISDIR,          "a folder"               },
    {"an empty file",                 EMPTY,      -ENOENT,          0,                "empty"                  },
    {"a text file",                   TEXT,       -EMEDIUMTYPE,     -EMEDIUMTYPE,     "not a Headrace database"},
    {"another program's tables",      FOREIGN,    -EMEDIUMTYPE,     -EMEDIUMTYPE,     "another program"        },
    {"another program's number",      FOREIGN_ID, -EMEDIUMTYPE,     -EMEDIUMTYPE,     "another program"        },
    {"a newer version",               NEWER,      -EPROTONOSUPPORT, -EPROTONOSUPPORT, "newer Headrace"         },
    {"an older version nobody knows", OLDER,      -EPROTONOSUPPORT, -EPROTONOSUPPORT, "older Headrace"         },
    {"half a database",               TRUNCATED,  -EUCLEAN,         -EUCLEAN,         "damaged"                },
};

static void prepare_refusal(enum kind kind, const char *path)
{
    switch (kind) {
    case MISSING:
    case NO_FOLDER:
        break;
    case FOLDER:
        assert_int_equal(mkdir(path, 0700), 0);
        break;
    case EMPTY:
        write_file(path, "");
        break;
    case TEXT:
        write_file(path, "this is a text, and no database at all; it only has to be long enough");
        break;
    case FOREIGN:
        run_sql(path, "CREATE TABLE songs (id INTEGER)");
        break;
    case FOREIGN_ID:
        run_sql(path, "PRAGMA application_id = 7");
        break;
    case NEWER:
        make_database(path);
        run_sql(path, "PRAGMA user_version = 99");
        break;
    case OLDER:
        make_database(path);
        run_sql(path, "PRAGMA user_version = 0");
        break;
    case TRUNCATED:
        make_database(path);
        assert_int_equal(truncate(path, 8192), 0);
        break;
    }
}

/* What cannot be used is refused with a line that names the file, and is left as it was. */
static void refusals_name_file_and_remedy(void **state)
{
    (void)state;
    for (size_t k = 0; k < HR_ARRAY_LEN(refusals); k++) {
        for (int mode = STORE_READ; mode <= STORE_WRITE; mode++) {
            int want = mode == STORE_READ ? refusals[k].read_error : refusals[k].write_error;
            char *path = world_path(refusals[k].kind == NO_FOLDER ? "no/a.db" : "a.db");
            struct store *s = NULL;
            prepare_refusal(refusals[k].kind, path);
            bool was_there = is_there(path);
            int r =
                store_open(&(struct store_config){.path = path, .mode = (enum store_mode)mode}, &s);
            if (r != want) {
                fail_msg("%s, mode %d: %d instead of %d: %s", refusals[k].name, mode, r, want,
                         store_error(s));
            }
            if (r < 0) {
                assert_non_null(strstr(store_error(s), path));
                assert_null(strchr(store_error(s), '\n'));
                assert_int_equal(is_there(path), was_there);
            }
            if (mode == STORE_READ && strstr(store_error(s), refusals[k].says) == NULL) {
                fail_msg("%s: \"%s\" does not say \"%s\"", refusals[k].name, store_error(s),
                         refusals[k].says);
            }
            store_close(s);
            if (refusals[k].kind == NO_FOLDER) { /* world_remove() takes the folder of the path */
                *strstr(path, "/no/") = '\0';
                strcat(path, "/x");
            }
            world_remove(path);
        }
    }
}

/* A second writer waits as long as it was told, then says so; a reader reads on meanwhile. */
static void one_writer_many_readers(void **state)
{
    (void)state;
    char *path = world_path("a.db");
    struct store *writer = world_open(path);
    struct store *second = world_open(path);
    struct store *reader = NULL;
    struct store_info info;
    assert_int_equal(store_begin(writer), 0);
    sqlite3_busy_timeout(second->db, 20);
    assert_int_equal(store_begin(second), -EBUSY);
    assert_non_null(strstr(store_error(second), "locked by another process"));
    assert_int_equal(store_open(&(struct store_config){.path = path, .mode = STORE_READ}, &reader),
                     0);
    assert_int_equal(store_get_info(reader, &info), 0);
    assert_int_equal(info.schema_version, STORE_SCHEMA_VERSION);
    assert_true(store_begin(reader) < 0 || store_exec(reader, "DELETE FROM sites") < 0);
    assert_int_equal(store_commit(writer), 0);
    assert_int_equal(store_begin(second), 0);
    store_close(reader);
    store_close(second);
    store_close(writer);
    world_remove(path);
}

/* A reader leaves no file beside the database. */
static void readers_leave_no_litter(void **state)
{
    (void)state;
    char *path = world_path("a.db");
    struct store *s = NULL;
    struct store_info info;
    make_database(path);
    assert_int_equal(store_open(&(struct store_config){.path = path, .mode = STORE_READ}, &s), 0);
    assert_int_equal(store_get_info(s, &info), 0);
    assert_int_equal(store_exec(s, "DELETE FROM sites"), -EROFS);
    store_close(s);
    struct hr_buf name;
    hr_buf_init(&name, SIZE_MAX);
    hr_buf_appendf(&name, "%s-wal", path);
    assert_false(is_there(hr_buf_str(&name)));
    hr_buf_clear(&name);
    hr_buf_appendf(&name, "%s-shm", path);
    assert_false(is_there(hr_buf_str(&name)));
    hr_buf_finish(&name);
    world_remove(path);
}

/* A database keeps its key, and refuses any other. */
static void keys_are_checked(void **state)
{
    (void)state;
    static const struct {
        const struct hr_key *made_with;
        const struct hr_key *opened_with;
        int want;
    } cases[] = {
        {NULL,     NULL,     0            },
        {NULL,     &key_one, -EKEYREJECTED},
        {&key_one, &key_one, 0            },
        {&key_one, &key_two, -EKEYREJECTED},
        {&key_one, NULL,     -EKEYREJECTED},
    };
    for (size_t k = 0; k < HR_ARRAY_LEN(cases); k++) {
        char *path = world_path("a.db");
        struct store_config config = {.path = path, .mode = STORE_WRITE, .key = cases[k].made_with};
        struct store *s = NULL;
        assert_int_equal(store_open(&config, &s), 0);
        struct hr_key key = *store_key(s);
        store_close(s);
        config.key = cases[k].opened_with;
        assert_int_equal(store_open(&config, &s), cases[k].want);
        if (cases[k].want == 0) {
            assert_memory_equal(&key, store_key(s), sizeof(key));
        } else {
            assert_non_null(strstr(store_error(s), "--key-file"));
        }
        store_close(s);
        world_remove(path);
    }
}

static int64_t count(struct store *s, const char *sql)
{
    sqlite3_stmt *q = NULL;
    int64_t n = -1;
    assert_int_equal(sqlite3_prepare_v2(s->db, sql, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(store_number(s, q, 0, &n), 0);
    sqlite3_finalize(q);
    return n;
}

/* An older database is copied, brought up step by step, and whole again if a step fails. */
static void migrations_copy_first(void **state)
{
    (void)state;
    static const struct store_migration steps[] = {
        {1, "ALTER TABLE sites ADD COLUMN colour TEXT"},
        {2, "UPDATE sites SET colour = 'green'"       },
        {3, "UPDATE no_such_table SET colour = 'red'" },
    };
    static const struct world_exchange one[] = {
        {1, 0, 5, "/login", NULL, "tok-a", "alice", 20, HTTP_COMPLETE, NULL}
    };
    char *path = world_path("a.db");
    struct store *s = world_open(path);
    struct world_capture capture = {.path = "a.pcap", .exchanges = one, .count = 1};
    assert_int_equal(world_import(s, &capture, 1), 0);
    assert_true(store_migrate(s, steps, 3, 4) < 0); /* the third fails: nothing happened */
    assert_int_equal(count(s, "PRAGMA user_version"), 1);
    assert_int_equal(mode_of(path, ".bak-v1"), 0600);
    assert_int_equal(store_migrate(s, steps, 2, 3), 0);
    assert_int_equal(count(s, "PRAGMA user_version"), 3);
    assert_int_equal(count(s, "SELECT count(*) FROM sites WHERE colour = 'green'"), 1);
    assert_int_equal(store_migrate(s, steps, 2, 3), 0); /* nothing left to do */
    assert_int_equal(store_migrate(s, steps, 3, 6), -EIO);
    assert_int_equal(store_migrate(s, steps, 2, 4), -EPROTONOSUPPORT);
    store_close(s);
    struct hr_buf copy;
    hr_buf_init(&copy, SIZE_MAX);
    hr_buf_appendf(&copy, "%s.bak-v1", path);
    s = world_open(hr_buf_str(&copy)); /* the copy is a whole database of version 1 */
    assert_int_equal(count(s, "SELECT count(*) FROM exchanges"), 1);
    store_close(s);
    hr_buf_finish(&copy);
    world_remove(path);
}

/* Migrates the other store at the first look at the version, as another process may just then. */
struct overtaking {
    struct store *other;
    const struct store_migration *steps;
    int to;
};

static int overtake(unsigned event, void *user, void *q, void *nanoseconds)
{
    (void)event;
    (void)nanoseconds;
    struct overtaking *o = user;
    struct store *other = o->other;
    if (other != NULL && strcmp(sqlite3_sql(q), "PRAGMA user_version") == 0) {
        o->other = NULL;
        assert_int_equal(store_migrate(other, o->steps, 1, o->to), 0);
    }
    return 0;
}

/* Of two that migrate one database, the second leaves the copy of the first what it is. */
static void migrations_keep_the_copy(void **state)
{
    (void)state;
    static const struct store_migration steps[] = {
        {1, "ALTER TABLE sites ADD COLUMN colour TEXT"},
    };
    char *path = world_path("a.db");
    struct store *s = world_open(path);
    struct overtaking o = {.other = world_open(path), .steps = steps, .to = 2};
    struct store *other = o.other;
    sqlite3_trace_v2(s->db, SQLITE_TRACE_PROFILE, overtake, &o);
    assert_int_equal(store_migrate(s, steps, 1, 2), 0);
    assert_null(o.other);
    assert_int_equal(count(s, "PRAGMA user_version"), 2);
    assert_int_equal(count(s, "SELECT count(*) FROM pragma_table_info('sites')"
                              " WHERE name = 'colour'"),
                     1);
    store_close(other);
    store_close(s);
    struct hr_buf copy;
    hr_buf_init(&copy, SIZE_MAX);
    hr_buf_appendf(&copy, "%s.bak-v1", path);
    store_close(world_open(hr_buf_str(&copy))); /* still of version 1 */
    hr_buf_finish(&copy);
    world_remove(path);
}

/* Views belong to the program: a database made with others gets these. */
static void views_follow_the_program(void **state)
{
    (void)state;
    char *path = world_path("a.db");
    make_database(path);
    run_sql(path, "UPDATE meta SET value = x'00' WHERE name = 'views';"
                  "DROP VIEW exchange_facts; CREATE VIEW of_yesterday AS SELECT 1 AS one;");
    struct store *s = world_open(path);
    assert_int_equal(count(s, "SELECT count(*) FROM exchange_facts"), 0);
    assert_int_equal(count(s, "SELECT count(*) FROM sqlite_schema WHERE name = 'of_yesterday'"), 0);
    store_close(s);
    world_remove(path);
}

/* --- kills ------------------------------------------------------------------------------------ */

#define ROWS 2000

static struct world_exchange *make_rows(int start_ms)
{
    struct world_exchange *rows = hr_xcalloc(ROWS, sizeof(*rows));
    for (int k = 0; k < ROWS; k++) {
        rows[k] = (struct world_exchange){1 + (unsigned)k % 50,
                                          start_ms + k,
                                          start_ms + k + 1,
                                          k % 20 == 0 ? "/login" : "/account",
                                          k % 20 == 0 ? NULL : "tok-a",
                                          k % 20 == 0 ? "tok-a" : NULL,
                                          "alice",
                                          10,
                                          HTTP_COMPLETE,
                                          NULL};
    }
    return rows;
}

_Noreturn static void import_until_killed(const char *path, const struct world_capture *capture)
{
    struct store *s = world_open(path);
    for (;;) { /* again and again: most of the time is inside a transaction */
        struct import *i = NULL;
        sqlite3_exec(s->db, "PRAGMA cache_size = 50", NULL, NULL,
                     NULL); /* spills to the file early */
        if (store_begin(s) != 0 || import_begin(s, &i) != 0 || world_feed(s, i, capture, 1) != 0 ||
            import_finish(i) != 0) {
            _exit(1);
        }
        import_destroy(i);
        store_rollback(s);
    }
}

/* Wherever an import is killed, the database is afterwards what it was before, and takes the
 * import. */
static void kills_leave_no_trace(void **state)
{
    (void)state;
    unsigned seed = (unsigned)time(NULL);
    print_message("seed %u\n", seed);
    struct world_exchange *first = make_rows(0);
    struct world_exchange *second = make_rows(1000);
    struct world_capture captures[] = {
        {.path = "1.pcap", .exchanges = first,  .count = ROWS},
        {.path = "2.pcap", .exchanges = second, .count = ROWS}
    };
    char *path = world_path("a.db");
    struct store *s = world_open(path);
    assert_int_equal(world_import(s, &captures[0], 1), 0);
    assert_int_equal(world_analyse(s), 0);
    char *before = world_dump(s);
    store_close(s);
    for (int round = 0; round < 12; round++) {
        pid_t child = fork();
        if (child == 0) {
            import_until_killed(path, &captures[1]);
        }
        struct timespec wait = {.tv_nsec = 1000000L * (1 + rand_r(&seed) % 60)};
        int status = 0;
        nanosleep(&wait, NULL);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        s = world_open(path);
        char *after = world_dump(s);
        assert_string_equal(after, before);
        assert_int_equal(store_check(s, NULL, NULL), 0);
        free(after);
        store_close(s);
    }
    s = world_open(path);
    assert_int_equal(world_import(s, &captures[1], 1), 0);
    assert_int_equal(count(s, "SELECT count(*) FROM exchanges"), ROWS + 1000);
    store_close(s);
    free(before);
    free(first);
    free(second);
    world_remove(path);
}

/* A kill while the database is made leaves a file that the next run can use. */
static void kills_while_making(void **state)
{
    (void)state;
    unsigned seed = (unsigned)time(NULL);
    print_message("seed %u\n", seed);
    char *path = world_path("a.db");
    for (int round = 0; round < 12; round++) {
        pid_t child = fork();
        if (child == 0) {
            struct store *s = NULL;
            store_open(&(struct store_config){.path = path, .mode = STORE_WRITE}, &s);
            _exit(0);
        }
        struct timespec wait = {.tv_nsec = 100000L * (rand_r(&seed) % 80)};
        nanosleep(&wait, NULL);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        struct store *s = world_open(path);
        assert_int_equal(count(s, "SELECT count(*) FROM exchanges"), 0);
        store_close(s);
        assert_int_equal(unlink(path), 0);
    }
    write_file(path, "");
    world_remove(path);
}

/* No token and no password is anywhere in the files, not even before the WAL is folded in. */
static void secrets_stay_out(void **state)
{
    (void)state;
    static const struct world_exchange rows[] = {
        {1, 0,  5,  "/login",   NULL,                 "S3CRET-TOKEN-VALUE", "alice", 20,  HTTP_COMPLETE, NULL},
        {1, 10, 12, "/account", "S3CRET-TOKEN-VALUE", NULL,                 NULL,    500, HTTP_COMPLETE, NULL},
    };
    struct world_capture capture = {.path = "a.pcap", .exchanges = rows, .count = 2};
    static const char *const suffixes[] = {"", "-wal"};
    char *path = world_path("a.db");
    struct store *s = world_open(path);
    assert_int_equal(world_import(s, &capture, 1), 0);
    for (size_t k = 0; k < HR_ARRAY_LEN(suffixes); k++) {
        struct hr_buf name;
        static char bytes[4 << 20];
        hr_buf_init(&name, SIZE_MAX);
        hr_buf_appendf(&name, "%s%s", path, suffixes[k]);
        int fd = open(hr_buf_str(&name), O_RDONLY);
        assert_true(fd >= 0);
        ssize_t len = read(fd, bytes, sizeof(bytes));
        assert_true(len > 0);
        assert_null(memmem(bytes, (size_t)len, "S3CRET", 6));
        close(fd);
        hr_buf_finish(&name);
    }
    store_close(s);
    world_remove(path);
}

/* A temporary database leaves nothing in the folder for temporary files, even while it is open. */
static void temporary_is_gone(void **state)
{
    (void)state;
    char *path = world_path("x");
    char *folder = hr_xstrdup(path);
    *strrchr(folder, '/') = '\0';
    setenv("SQLITE_TMPDIR", folder, 1);
    struct store *s = world_open(NULL);
    assert_int_equal(sqlite3_exec(s->db, "PRAGMA cache_size = 10", NULL, NULL, NULL), SQLITE_OK);
    struct world_exchange *rows = make_rows(0);
    struct world_capture capture = {.path = "1.pcap", .exchanges = rows, .count = ROWS};
    assert_int_equal(world_import(s, &capture, 1), 0);
    assert_int_equal(rmdir(folder), 0); /* it is empty */
    store_close(s);
    unsetenv("SQLITE_TMPDIR");
    free(rows);
    free(folder);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_belong_to_their_owner),
        cmocka_unit_test(refusals_name_file_and_remedy),
        cmocka_unit_test(one_writer_many_readers),
        cmocka_unit_test(readers_leave_no_litter),
        cmocka_unit_test(keys_are_checked),
        cmocka_unit_test(migrations_copy_first),
        cmocka_unit_test(migrations_keep_the_copy),
        cmocka_unit_test(views_follow_the_program),
        cmocka_unit_test(kills_leave_no_trace),
        cmocka_unit_test(kills_while_making),
        cmocka_unit_test(secrets_stay_out),
        cmocka_unit_test(temporary_is_gone),
    };
    return cmocka_run_group_tests_name("store/open", tests, NULL, NULL);
}
