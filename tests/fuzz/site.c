#include "site.h"

#include "fuzz.h"
#include "pipeline/pipeline.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_SIZE = 128, COLUMN_LIMIT = 1000, RECORD_LIMIT = 64 };

struct column {
    char *table;
    char *name;
    uint32_t mark; /* drawn from both */
};

/* Not the database's own, which chance gives. */
static const struct hr_key key = {
    {1, 2, 3, 4}
};

static struct site {
    char folder[NAME_SIZE];
    char db[NAME_SIZE + 16];
    char captures[2][NAME_SIZE + 16];
    struct hr_buf db_bytes;
    struct hr_buf capture_bytes;
    struct column columns[COLUMN_LIMIT];
    size_t column_count;
    struct rule_set rules;
} site;

static void read_file(const char *path, struct hr_buf *out)
{
    char block[65536];
    ssize_t n;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    LAW(fd >= 0);
    hr_buf_init(out, SIZE_MAX);
    while ((n = read(fd, block, sizeof(block))) > 0) {
        hr_buf_append(out, hr_span_of(block, (size_t)n));
    }
    LAW(n == 0);
    close(fd);
}

static void write_file(const char *path, struct hr_span bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    LAW(fd >= 0);
    LAW(write(fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len);
    close(fd);
}

static void remove_database(void)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < HR_ARRAY_LEN(endings); i++) {
        char path[sizeof(site.db) + 16];
        snprintf(path, sizeof(path), "%s%s", site.db, endings[i]);
        unlink(path);
    }
}

static void remove_site(void)
{
    remove_database();
    unlink(site.captures[0]);
    unlink(site.captures[1]);
    rmdir(site.folder);
    rule_set_finish(&site.rules);
    for (size_t i = 0; i < site.column_count; i++) {
        free(site.columns[i].table);
        free(site.columns[i].name);
    }
    hr_buf_finish(&site.db_bytes);
    hr_buf_finish(&site.capture_bytes);
}

static void on_error(const char *line, void *user)
{
    (void)user;
    fprintf(stderr, "%s\n", line);
    LAW(false);
}

static void import_captures(void)
{
    const struct store_config config = {.path = site.db, .mode = STORE_WRITE, .key = &key};
    const char *const captures[] = {site.captures[0], site.captures[1]};
    struct pipeline_config bounds;
    struct pipeline_result result;
    struct store_info info;
    struct store *s = NULL;
    struct hr_buf error;
    pipeline_config_init(&bounds);
    const struct pipeline_run run = {.config = &bounds,
                                     .captures = captures,
                                     .capture_count = HR_ARRAY_LEN(captures),
                                     .rules = &site.rules};
    hr_buf_init(&error, SIZE_MAX);
    LAW(store_open(&config, &s) == 0);
    LAW(pipeline_run(s, &run, &result, &error) == 0);
    LAW(store_get_info(s, &info) == 0 && info.findings > 0);
    pipeline_result_finish(&result);
    hr_buf_finish(&error);
    store_close(s);
}

static uint32_t mark_of(const struct column *c)
{
    uint64_t sum = UINT64_C(0xcbf29ce484222325);
    fuzz_mix_span(&sum, hr_span_str(c->table));
    fuzz_mix_span(&sum, hr_span_str(c->name));
    return (uint32_t)(sum ^ sum >> 32);
}

/* The one whose mark is next, so that an input keeps its meaning when others are added. */
static const struct column *find_column(uint32_t mark)
{
    const struct column *next = &site.columns[0];
    for (size_t i = 1; i < site.column_count; i++) {
        const struct column *c = &site.columns[i];
        next = c->mark - mark < next->mark - mark ? c : next;
    }
    return next;
}

static void note_columns(void)
{
    static const char sql[] =
        "SELECT t.name, c.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c"
        " WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' ORDER BY t.name, c.cid";
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    LAW(sqlite3_open(site.db, &db) == SQLITE_OK);
    LAW(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        LAW(site.column_count < COLUMN_LIMIT);
        struct column *c = &site.columns[site.column_count++];
        c->table = hr_xstrdup((const char *)sqlite3_column_text(stmt, 0));
        c->name = hr_xstrdup((const char *)sqlite3_column_text(stmt, 1));
        c->mark = mark_of(c);
    }
    sqlite3_finalize(stmt);
    LAW(sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
}

static void make_site(void)
{
    static const char *const froms[] = {"captures/login-races.pcapng",
                                        "tests/fuzz/corpus/pipeline/flap"};
    const char *temporary = getenv("TMPDIR");
    LAW(hr_digest_setup() == 0);
    snprintf(site.folder, sizeof(site.folder), "%.100s/fuzz-XXXXXX",
             temporary != NULL ? temporary : "/tmp");
    LAW(mkdtemp(site.folder) != NULL);
    atexit(remove_site);
    snprintf(site.db, sizeof(site.db), "%s/site.db", site.folder);
    for (size_t i = HR_ARRAY_LEN(froms); i-- > 0;) {
        char from[512];
        snprintf(from, sizeof(from), "%s/%s", FUZZ_ROOT, froms[i]);
        snprintf(site.captures[i], sizeof(site.captures[i]), "%s/%c.pcapng", site.folder,
                 (char)('a' + i));
        hr_buf_finish(&site.capture_bytes);
        read_file(from, &site.capture_bytes);
        write_file(site.captures[i], hr_buf_span(&site.capture_bytes));
    }
    LAW(rule_set_load(NULL, 0, on_error, NULL, &site.rules) == 0);
    import_captures();
    note_columns();
    read_file(site.db, &site.db_bytes);
}

const char *fuzz_site_folder(void)
{
    if (site.folder[0] == '\0') {
        make_site();
    }
    return site.folder;
}

const struct rule_set *fuzz_site_rules(void)
{
    return &site.rules;
}

/* Constraints of the schema hold some values off: then nothing changes. */
static void damage_row(sqlite3 *db, struct hr_span r)
{
    const struct column *c = find_column(fuzz_u32(&r));
    unsigned row = fuzz_u8(&r);
    bool is_number = fuzz_u8(&r) % 2 == 1;
    struct hr_span bytes = r;
    sqlite3_stmt *stmt = NULL;
    char *sql =
        sqlite3_mprintf("UPDATE OR IGNORE \"%w\" SET \"%w\" = ?1 WHERE ?2 = 255 OR \"%w\" IN"
                        " (SELECT \"%w\" FROM \"%w\" LIMIT 1 OFFSET ?2)",
                        c->table, c->name, c->name, c->name, c->table);
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK) {
        uint64_t low = fuzz_u32(&r);
        int64_t number = (int64_t)(low | (uint64_t)fuzz_u32(&r) << 32);
        if (is_number) {
            sqlite3_bind_int64(stmt, 1, number);
        } else {
            sqlite3_bind_text(stmt, 1, bytes.len > 0 ? bytes.ptr : "", (int)bytes.len,
                              SQLITE_STATIC);
        }
        sqlite3_bind_int(stmt, 2, (int)row);
        sqlite3_step(stmt);
    }
    sqlite3_finalize(stmt);
    sqlite3_free(sql);
}

static void damage_file(const char *path, size_t size, struct hr_span r, bool is_end)
{
    off_t at = (off_t)(fuzz_u32(&r) % (size + 1));
    if (is_end) {
        LAW(truncate(path, at) == 0);
        return;
    }
    struct stat st;
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    LAW(fd >= 0);
    LAW(fstat(fd, &st) == 0);
    if (at < st.st_size && r.len > 0) { /* never beyond its end */
        size_t room = (size_t)(st.st_size - at);
        size_t n = r.len < room ? r.len : room;
        LAW(pwrite(fd, r.ptr, n, at) == (ssize_t)n);
    }
    close(fd);
}

static void damage_rows(struct hr_span input)
{
    struct fuzz_record record;
    sqlite3 *db = NULL;
    LAW(sqlite3_open(site.db, &db) == SQLITE_OK);
    LAW(sqlite3_exec(db,
                     "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
                     " PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON",
                     NULL, NULL, NULL) == SQLITE_OK);
    for (size_t i = 0; i < RECORD_LIMIT && fuzz_next(&input, &record); i++) {
        if (fuzz_u8(&record.bytes) == 'r') {
            damage_row(db, record.bytes);
        }
        free(record.block);
    }
    sqlite3_close(db);
}

int fuzz_site_open(struct hr_span input, struct store **ret_store)
{
    (void)fuzz_site_folder();
    const struct store_config config = {.path = site.db, .mode = STORE_READ, .key = &key};
    struct hr_span rest = input;
    struct fuzz_record record;
    remove_database();
    write_file(site.db, hr_buf_span(&site.db_bytes));
    damage_rows(input);
    for (size_t i = 0; i < RECORD_LIMIT && fuzz_next(&rest, &record); i++) {
        uint8_t letter = fuzz_u8(&record.bytes);
        if (letter == 'p' || letter == 'c') {
            damage_file(site.db, site.db_bytes.len, record.bytes, letter == 'c');
        } else if (letter == 'k' || letter == 'e') {
            damage_file(site.captures[0], site.capture_bytes.len, record.bytes, letter == 'e');
        }
        free(record.block);
    }
    return store_open(&config, ret_store);
}

void fuzz_site_close(struct store *s)
{
    store_close(s);
    write_file(site.captures[0], hr_buf_span(&site.capture_bytes));
}
