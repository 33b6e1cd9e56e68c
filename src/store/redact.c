/*
 * Names of users that are in the database already become hashes, those that an import with
 * --redact-users would store.
 */
#include "base/alloc.h"
#include "store/db.h"

#include <stdlib.h>

struct names {
    int64_t *ids;
    char **names;
    size_t count;
};

static void names_finish(struct names *n)
{
    for (size_t i = 0; i < n->count; i++) {
        free(n->names[i]);
    }
    free(n->ids);
    free(n->names);
}

/* Renaming while reading would move the rows that are read. */
static int read_names(struct store *s, struct names *n)
{
    sqlite3_stmt *q = store_stmt(s, STMT_USERS_SHOWN);
    int r;
    while ((r = store_step(s, q)) > 0) {
        struct hr_span name = column_span(q, 1);
        n->ids = hr_xrealloc(n->ids, (n->count + 1) * sizeof(*n->ids));
        n->names = hr_xrealloc(n->names, (n->count + 1) * sizeof(*n->names));
        n->ids[n->count] = sqlite3_column_int64(q, 0);
        n->names[n->count++] = hr_xstrndup(name.ptr, name.len);
    }
    return r;
}

static int hide(struct store *s, int64_t id, const char *name)
{
    char hidden[HR_DIGEST_TEXT_SIZE];
    sqlite3_stmt *q = store_stmt(s, STMT_USER_NAME);
    bind_number(q, 1, id);
    bind_span(q, 2, store_hidden_user(s, hr_span_str(name), hidden));
    return store_run(s, q);
}

int store_redact_users(struct store *s, int64_t *ret_count)
{
    struct names n = {0};
    int r = read_names(s, &n);
    if (r == 0 && n.count > 0) {
        r = store_exec(s, "PRAGMA secure_delete = ON");
        r = r == 0 ? store_begin(s) : r;
        for (size_t i = 0; r == 0 && i < n.count; i++) {
            r = hide(s, n.ids[i], n.names[i]);
        }
        /* What findings say of them is written anew by the rules; of withdrawn ones nothing is. */
        r = r == 0
                ? store_exec(s, "DELETE FROM finding_evidence WHERE finding_id IN (SELECT id FROM "
                                "findings WHERE withdrawn_at IS NOT NULL);"
                                "UPDATE findings SET summary = rule WHERE withdrawn_at IS NOT NULL;"
                                "UPDATE sites SET is_rule_due = 1 WHERE is_analysed")
                : r;
        r = r == 0 ? store_commit(s) : r;
        if (r < 0) {
            store_rollback(s);
        }
    }
    *ret_count = r == 0 ? (int64_t)n.count : 0;
    names_finish(&n);
    return r;
}
