/*
 * An import: its captures, and what can only be known at its end (final numbers, doubles, indexes),
 * by import_finish(). Between, rows go in as the captures give them: write_rows.c.
 */
#include "base/alloc.h"
#include "store/import.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Most rows of each table kept in memory; beyond that the table itself is asked. */
enum {
    SITES_IN_MEMORY = 16384,
    ENDPOINTS_IN_MEMORY = 65536,
    CARRIERS_IN_MEMORY = 16384,
    SESSIONS_IN_MEMORY = 262144,
    USERS_IN_MEMORY = 65536,
};

static int read_base(struct import *i)
{
    sqlite3_stmt *q = store_stmt(i->s, STMT_IMPORT_BASE);
    int r = store_step(i->s, q);
    if (r <= 0) {
        return r < 0 ? r : -EIO;
    }
    i->base.stream = sqlite3_column_int64(q, 0);
    i->last_stream = i->base.stream;
    i->base.exchange = sqlite3_column_int64(q, 1);
    i->last_exchange = i->base.exchange;
    i->base.loss = sqlite3_column_int64(q, 2);
    i->number = sqlite3_column_int64(q, 3) + 1;
    i->is_fresh = sqlite3_column_int64(q, 4) == 0;
    i->base.session = sqlite3_column_int64(q, 5);
    return store_end_rows(q, 0);
}

/* Every row with a key in random order makes an index on it dearer than everything else. */
static int drop_indexes(struct import *i)
{
    if (i->s->is_trial) {
        return 0;
    }
    int r = store_run(i->s, store_stmt(i->s, STMT_SESSION_INDEX_DROP));
    r = r == 0 ? store_run(i->s, store_stmt(i->s, STMT_OPERATION_INDEX_DROP)) : r;
    i->s->lacks_index = r == 0;
    r = r == 0 ? store_run(i->s, store_stmt(i->s, STMT_MARK_INDEX_DROP)) : r;
    return r == 0 ? store_run(i->s, store_stmt(i->s, STMT_EXCHANGE_INDEX_DROP)) : r;
}

int import_begin(struct store *s, struct import **ret_import)
{
    struct import *i = hr_xcalloc(1, sizeof(*i));
    i->s = s;
    i->first_at = HR_NSEC_INFINITE;
    i->last_at = INT64_MIN;
    hr_buf_init(&i->key, SIZE_MAX);
    int r = read_base(i);
    id_cache_init(&i->sites, SITES_IN_MEMORY, i->is_fresh);
    id_cache_init(&i->endpoints, ENDPOINTS_IN_MEMORY, i->is_fresh);
    id_cache_init(&i->carriers, CARRIERS_IN_MEMORY, i->is_fresh);
    id_cache_init(&i->sessions, SESSIONS_IN_MEMORY, i->is_fresh);
    id_cache_init(&i->users, USERS_IN_MEMORY, i->is_fresh);
    i->has_session_index = !i->is_fresh;
    if (r == 0) {
        r = i->is_fresh ? drop_indexes(i) : store_run(s, store_stmt(s, STMT_EXCHANGE_INDEX_MAKE));
    }
    if (r < 0) {
        import_destroy(i);
        return r;
    }
    *ret_import = i;
    return 0;
}

int64_t import_first_exchange(const struct import *i)
{
    return i->base.exchange + 1;
}

bool import_is_first(const struct import *i)
{
    return i->is_fresh;
}

void import_destroy(struct import *i)
{
    if (i == NULL) {
        return;
    }
    id_cache_finish(&i->sites);
    id_cache_finish(&i->endpoints);
    id_cache_finish(&i->carriers);
    id_cache_finish(&i->sessions);
    id_cache_finish(&i->users);
    hr_buf_finish(&i->key);
    free(i->captures);
    free(i);
}

static struct import_capture *capture_place(struct import *i, size_t index)
{
    if (index >= i->capture_count) {
        i->captures = hr_xrealloc(i->captures, (index + 1) * sizeof(*i->captures));
        memset(i->captures + i->capture_count, 0,
               (index + 1 - i->capture_count) * sizeof(*i->captures));
        i->capture_count = index + 1;
    }
    return &i->captures[index];
}

int import_add_capture(struct import *i, size_t index, const char *path)
{
    struct import_capture *c = capture_place(i, index);
    sqlite3_stmt *q = store_stmt(i->s, STMT_CAPTURE_ADD);
    bind_number(q, 1, i->number);
    bind_text(q, 2, path);
    int r = store_run(i->s, q);
    if (r == 0) {
        c->id = sqlite3_last_insert_rowid(i->s->db);
    }
    return r;
}

int import_resume_capture(struct import *i, size_t index, int64_t id)
{
    struct import_capture *c = capture_place(i, index);
    sqlite3_stmt *q = store_stmt(i->s, STMT_CAPTURE_RESUME);
    bind_number(q, 1, id);
    bind_number(q, 2, i->number);
    int r = store_step(i->s, q);
    if (r <= 0) {
        return r < 0 ? r : -ENOENT;
    }
    c->id = id;
    c->is_resumed = true;
    c->exchanges = sqlite3_column_int64(q, 0);
    return store_end_rows(q, 0);
}

int64_t import_capture(const struct import *i, size_t index)
{
    return i->captures[index].id;
}

int64_t import_number(const struct import *i)
{
    return i->number;
}

int import_end_capture(struct import *i, size_t index, const struct capture_info *info,
                       hr_nsec clock_doubt)
{
    assert(index < i->capture_count);
    sqlite3_stmt *q = store_stmt(i->s, STMT_CAPTURE_END);
    bind_number(q, 1, i->captures[index].id);
    bind_number(q, 2, info->is_pcapng);
    bind_number(q, 3, info->packing);
    bind_number(q, 4, info->has_nanoseconds);
    bind_number(q, 5, info->link_type);
    bind_text(q, 6, info->link_name);
    bind_count(q, 7, info->size_bytes);
    bind_count(q, 8, info->frames);
    bind_count(q, 9, info->frame_bytes);
    bind_count(q, 10, info->cut_frames);
    bind_count(q, 11, info->dropped_frames);
    bind_time(q, 12, info->frames > 0 ? info->first_at : HR_NSEC_INFINITE);
    bind_time(q, 13, info->frames > 0 ? info->last_at : HR_NSEC_INFINITE);
    bind_number(q, 14, clock_doubt);
    bind_number(q, 15, info->error);
    bind_text(q, 16, info->error != 0 ? info->error_text : NULL);
    sqlite3_bind_blob(q, 17, info->frames > 0 ? info->head.bytes : NULL, HR_DIGEST_BYTES,
                      SQLITE_STATIC); /* NULL as well: the last one's would stay */
    bind_number(q, 18, info->time_source);
    struct hr_buf comments;
    hr_buf_init(&comments, SIZE_MAX);
    hr_buf_append_str(&comments, info->comments);
    if (info->comments_left_out > 0) {
        hr_buf_appendf(&comments, "; and %" PRIu64 " more", info->comments_left_out);
    }
    bind_text(q, 19, comments.len > 0 ? hr_buf_str(&comments) : NULL);
    int r = store_run(i->s, q);
    hr_buf_finish(&comments);
    return r;
}

/* A capture all of which was stored before is no news, under whatever name it came; neither is one
 * that gave nothing at all, a second time. */
static int drop_repeated_captures(struct import *i)
{
    int r = 0;
    for (size_t k = 0; r == 0 && k < i->capture_count; k++) {
        if (i->captures[k].id == 0 || i->captures[k].is_resumed ||
            (i->is_fresh && i->captures[k].has_rows)) {
            continue;
        }
        sqlite3_stmt *q = store_stmt(i->s, STMT_CAPTURE_DROP_REPEATED);
        bind_number(q, 1, i->captures[k].id);
        bind_number(q, 2, i->captures[k].has_rows);
        bind_number(q, 3, i->base.exchange);
        bind_number(q, 4, i->base.stream);
        bind_number(q, 5, i->base.loss);
        r = store_run(i->s, q);
    }
    return r == 0 ? store_run(i->s, store_stmt(i->s, STMT_CAPTURE_DROP_FAILED)) : r;
}

/* Going through all exchanges each time takes too long in a run of many rounds. */
int import_know_servers(struct import *i)
{
    struct store *s = i->s;
    int r = store_exec(s, "CREATE TEMP TABLE IF NOT EXISTS site_servers (server TEXT NOT NULL, "
                          "server_port INTEGER NOT NULL, site_id INTEGER NOT NULL, "
                          "PRIMARY KEY (server, server_port, site_id)) WITHOUT ROWID");
    sqlite3_stmt *q = r == 0 ? store_stmt(s, STMT_SERVERS_ADD) : NULL;
    if (r == 0) {
        bind_number(q, 1, s->servers_known_to);
        r = store_run(s, q);
        s->servers_known_to = i->base.exchange;
    }
    return r;
}

static int ask(struct import *i, enum stmt_id id, int64_t base, int64_t *ret_answer)
{
    sqlite3_stmt *q = store_stmt(i->s, id);
    bind_number(q, 1, base);
    return store_number(i->s, q, 0, ret_answer);
}

/* What weighs on findings at the servers of sites of which nothing came in. */
static int mark_quiet_sites(struct import *i)
{
    const struct {
        enum stmt_id ask;
        enum stmt_id mark;
        int64_t base;
    } reasons[] = {
        {STMT_BARE_SINCE,       STMT_BARE_MARK_SITES, i->base.stream},
        {STMT_LOSS_COUNT_SINCE, STMT_SITE_MARK_LOSS,  i->base.loss  },
    };
    int r = 0;
    for (size_t k = 0; r == 0 && k < HR_ARRAY_LEN(reasons); k++) {
        int64_t any = 0;
        r = ask(i, reasons[k].ask, reasons[k].base, &any);
        r = r == 0 && any != 0 ? import_know_servers(i) : r;
        if (r == 0 && any != 0) {
            sqlite3_stmt *q = store_stmt(i->s, reasons[k].mark);
            bind_number(q, 1, reasons[k].base);
            r = store_run(i->s, q);
        }
    }
    return r;
}

/* New rows ask for an analysis of their site; a new loss weighs on what was found at its server. */
static int mark_sites(struct import *i)
{
    int64_t any = 0;
    if (i->is_fresh) {
        return 0; /* all are new, and new sites are marked */
    }
    sqlite3_stmt *q = store_stmt(i->s, STMT_SITE_MARK_CHANGED);
    bind_number(q, 1, i->base.exchange);
    int r = store_run(i->s, q);
    r = r == 0 ? store_number(i->s, store_stmt(i->s, STMT_SITE_QUIET), 0, &any) : r;
    return r == 0 && any != 0 ? mark_quiet_sites(i) : r;
}

static int keep_number(struct import *i)
{
    sqlite3_stmt *q = store_stmt(i->s, STMT_IMPORT_NUMBER_KEEP);
    bind_number(q, 1, i->number);
    return store_run(i->s, q);
}

/* A scan of all exchanges is quicker than the index where it finds a quarter of them. The next
 * import makes the index. */
static bool has_small_site(const struct import *i)
{
    bool small = i->sites.count > SITES_ALL_BIG;
    for (size_t k = 0; !small && k < i->sites.count; k++) {
        small = i->exchanges_of[k] * SITES_ALL_BIG < i->last_exchange;
    }
    return small;
}

static int store_counts(struct import *i)
{
    int r = 0;
    for (size_t k = 0; r == 0 && k < i->capture_count; k++) {
        sqlite3_stmt *q = store_stmt(i->s, STMT_CAPTURE_COUNT);
        bind_number(q, 1, i->captures[k].id);
        bind_number(q, 2, i->captures[k].exchanges);
        r = store_run(i->s, q);
    }
    return r;
}

int import_finish(struct import *i)
{
    int r = store_counts(i);
    r = r == 0 ? import_build_session_index(i) : r;
    if (r == 0 && i->is_fresh) {
        r = has_small_site(i) ? store_run(i->s, store_stmt(i->s, STMT_EXCHANGE_INDEX_MAKE)) : 0;
        r = r == 0 ? store_run(i->s, store_stmt(i->s, STMT_MARK_INDEX_MAKE)) : r;
    } else if (r == 0) {
        r = import_drop_doubles(i);
    }
    r = r == 0 ? import_join_streams(i) : r;
    r = r == 0 ? import_join_losses(i) : r;
    r = r == 0 ? import_join_refusals(i) : r;
    r = r == 0 ? drop_repeated_captures(i) : r;
    r = r == 0 ? import_name_sessions(i) : r;
    r = r == 0 ? mark_sites(i) : r;
    return r == 0 ? keep_number(i) : r;
}
