/*
 * What login_core shows, found once for all rules: finding it takes long, so it is kept from run to
 * run, and of sites that changed found anew; at a glance only what came in is.
 */
#include "store/db.h"
#include "store/read.h"
#include "store/scope_parts.h"

int scope_forget_logins(struct store *s)
{
    s->has_logins = false;
    const int r = scope_run(s, "DELETE FROM temp.rule_logins", NULL, NULL);
    return r == 0 ? scope_run(s, "DELETE FROM temp.rule_logins_of", NULL, NULL) : r;
}

/* Those of other sites are what they were: all that a login shows lies within its site. */
int scope_forget_due_logins(struct store *s, bool whole)
{
    uint64_t epoch = 0;
    int r = store_epoch(s, &epoch);
    if (r < 0 || whole || !s->has_logins || s->logins_epoch != epoch) {
        return r < 0 ? r : scope_forget_logins(s);
    }
    r = scope_run(s,
                  "DELETE FROM temp.rule_logins WHERE site_id IN "
                  "(SELECT id FROM main.sites WHERE is_rule_due)",
                  NULL, NULL);
    return r == 0 ? scope_run(s,
                              "DELETE FROM temp.rule_logins_of WHERE site_id IN "
                              "(SELECT id FROM main.sites WHERE is_rule_due)",
                              NULL, NULL)
                  : r;
}

/* The logins of sites that no rule before looked at. */
int scope_add_logins(struct store *s)
{
    const int r = scope_ask(s,
                            "SELECT EXISTS (SELECT site_id FROM temp.rule_scope EXCEPT "
                            "SELECT site_id FROM temp.rule_logins_of)",
                            0);
    if (r <= 0) {
        return r;
    }
    const int e = scope_run(s,
                            "INSERT INTO temp.rule_logins SELECT * FROM main.login_core "
                            "WHERE +site_id IN (SELECT site_id FROM temp.rule_scope EXCEPT "
                            "SELECT site_id FROM temp.rule_logins_of)",
                            NULL, NULL);
    return e == 0 ? scope_run(s,
                              "INSERT OR IGNORE INTO temp.rule_logins_of "
                              "SELECT site_id FROM temp.rule_scope",
                              NULL, NULL)
                  : e;
}

/* What login_core shows of a login changes with the accesses of its session. */
static int renew_logins(struct store *s)
{
    int64_t last = 0;
    int r = scope_run(s, "DELETE FROM temp.rule_renewed", NULL, NULL);
    r = r == 0 ? scope_put_id(s,
                              "INSERT INTO temp.rule_renewed SELECT id >> 3 FROM main.operations "
                              "WHERE role = 1 AND id >= (?1 + 1) * 8",
                              s->logins_to)
               : r;
    r = r == 0 ? scope_run(s,
                           "INSERT OR IGNORE INTO temp.rule_renewed SELECT o.id >> 3 FROM "
                           "temp.rule_asked t CROSS JOIN main.operations o "
                           "ON o.session_id = t.session_id AND o.kind NOT IN (5, 6, 7) "
                           "CROSS JOIN main.operations l ON l.id = o.id & ~7 AND l.role = 1",
                           NULL, NULL)
               : r;
    r = r == 0 ? scope_run(s,
                           "DELETE FROM temp.rule_logins WHERE exchange_id IN "
                           "(SELECT exchange_id FROM temp.rule_renewed)",
                           NULL, NULL)
               : r;
    r = r == 0 ? scope_run(s,
                           "INSERT INTO temp.rule_logins SELECT l.* FROM temp.rule_renewed n "
                           "CROSS JOIN main.login_core l ON l.exchange_id = n.exchange_id",
                           NULL, NULL)
               : r;
    r = r == 0 ? read_last_exchange(s, &last) : r;
    s->logins_to = last;
    return r;
}

/* Those of the last run are kept, for finding all takes long; those of the sites that it passed
 * over are found once. */
int scope_keep_logins(struct store *s, int64_t since)
{
    uint64_t epoch = 0;
    int r = store_epoch(s, &epoch);
    if (r == 0 && (!s->has_logins || s->logins_epoch != epoch)) {
        r = scope_forget_logins(s);
        s->logins_epoch = epoch;
        s->logins_to = since - 1;
    }
    /* Of a site that came after the last run, the new logins are all there are. */
    r = r == 0 && s->has_logins
            ? scope_run(s,
                        "INSERT OR IGNORE INTO temp.rule_logins_of SELECT id FROM main.sites "
                        "WHERE id > (SELECT max(site_id) FROM temp.rule_last_site)",
                        NULL, NULL)
            : r;
    r = r == 0 ? scope_run(s, "INSERT INTO temp.rule_scope SELECT id FROM main.sites", NULL, NULL)
               : r;
    r = r == 0 ? scope_add_logins(s) : r;
    r = r == 0 ? scope_run(s, "DELETE FROM temp.rule_scope", NULL, NULL) : r;
    r = r == 0 ? renew_logins(s) : r;
    s->has_logins = r == 0;
    return r;
}

/* For glances. */
int scope_remember_logins(struct store *s)
{
    int r = store_epoch(s, &s->logins_epoch);
    r = r == 0 ? read_last_exchange(s, &s->logins_to) : r;
    r = r == 0 ? scope_run(s, "DELETE FROM temp.rule_last_site", NULL, NULL) : r;
    r = r == 0
            ? scope_run(
                  s, "INSERT INTO temp.rule_last_site SELECT coalesce(max(id), 0) FROM main.sites",
                  NULL, NULL)
            : r;
    s->has_logins = r == 0;
    return r;
}
