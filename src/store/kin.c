/*
 * Carriers of the same name at kindred sites. Of the sites of one kin that have a carrier of one
 * name only the first few are kept, so what they cost grows with the carriers, not with their
 * square.
 */
#include "store/db.h"
#include "store/read.h"

#define KIN_TABLES                                                                                 \
    "CREATE TEMP TABLE IF NOT EXISTS kin (site_id INTEGER PRIMARY KEY, name TEXT NOT NULL);"       \
    "CREATE TEMP TABLE IF NOT EXISTS kin_carriers (kin TEXT NOT NULL, kind INTEGER NOT NULL, "     \
    "name TEXT NOT NULL, site TEXT NOT NULL, site_id INTEGER NOT NULL, "                           \
    "carrier_id INTEGER NOT NULL, PRIMARY KEY (kin, kind, name, site)) WITHOUT ROWID;"             \
    "DELETE FROM temp.kin;"                                                                        \
    "DELETE FROM temp.kin_carriers;"

static int add_site(struct store *s, int64_t site_id, struct hr_span kin)
{
    sqlite3_stmt *q = store_stmt(s, STMT_KIN_ADD);
    bind_number(q, 1, site_id);
    bind_span(q, 2, kin);
    return store_run(s, q);
}

int read_kin(struct store *s, struct hr_span (*kin_of)(struct hr_span site))
{
    int r = store_exec(s, KIN_TABLES);
    if (r < 0) {
        return r;
    }
    sqlite3_stmt *q = store_stmt(s, STMT_KIN_SITES);
    while ((r = store_step(s, q)) > 0) {
        r = add_site(s, sqlite3_column_int64(q, 0), kin_of(column_span(q, 1)));
        if (r < 0) {
            return store_end_rows(q, r);
        }
    }
    r = r == 0 ? store_run(s, store_stmt(s, STMT_KIN_DROP_ALONE)) : r;
    if (r < 0) {
        return r;
    }
    q = store_stmt(s, STMT_KIN_CARRIERS);
    /* One of them may be of the site that asks, and one tells that there are more. */
    bind_number(q, 1, TWIN_CARRIERS_MAX + 2);
    return store_run(s, q);
}

int read_twin_carriers(struct store *s, int64_t site_id,
                       struct twin_carrier ret_carriers[TWIN_CARRIERS_MAX], size_t *ret_count,
                       bool *ret_cut)
{
    sqlite3_stmt *q = store_stmt(s, STMT_TWIN_CARRIERS);
    size_t count = 0;
    bool is_cut = false;
    int r;
    bind_number(q, 1, site_id);
    bind_number(q, 2, TWIN_CARRIERS_MAX + 1);
    while ((r = store_step(s, q)) > 0) {
        if (count == TWIN_CARRIERS_MAX) {
            is_cut = true;
            continue;
        }
        ret_carriers[count++] = (struct twin_carrier){
            .carrier_id = sqlite3_column_int64(q, 0),
            .other_id = sqlite3_column_int64(q, 1),
            .other_site_id = sqlite3_column_int64(q, 2),
        };
    }
    *ret_count = r == 0 ? count : 0;
    *ret_cut = r == 0 && is_cut;
    return r;
}
