/*
 * rule/finding.h - one row of a rule's first SELECT made into a finding: checked, told apart by its
 * fingerprint, with its evidence.
 */
#ifndef HR_RULE_FINDING_H
#define HR_RULE_FINDING_H

#include "base/arena.h"
#include "rule/rule.h"
#include "store/query.h"
#include "store/write.h"

/** The columns that the first SELECT must have, NULL-terminated. */
extern const char *const finding_columns[];
/* What the second one counts by. */
enum exercised_by { EXERCISED_IN_ALL, EXERCISED_BY_SITE, EXERCISED_BY_QUARTER };
/** @return false: its columns are others */
bool exercised_columns(const struct query_row *row, enum exercised_by *ret_by);
/* What is said then. */
#define EXERCISED_COLUMNS                                                                          \
    "the second SELECT must have the column exercised, or site_id and exercised, or site_id, "      \
    "quarter and exercised"

/** @return false: the third SELECT's columns are others */
bool glance_columns(const struct query_row *row);
#define GLANCE_COLUMNS "the third SELECT must have the columns exchange_id, kind and value"

/* What a fingerprint is made of, besides the time. Empty texts and 0 where there is no exchange. */
struct finding_place {
    struct hr_span site;
    struct hr_span client;
    int64_t client_port;
    struct hr_span server;
    int64_t server_port;
    struct hr_span method;
    struct hr_span endpoint; /* path template */
};

#define FINDING_HASH_SIZE 33
/** This occurrence. 32 hexadecimal digits; the same whatever the database's key and the tokens are.
 */
void finding_fingerprint(const char *rule, const struct finding_place *place, hr_nsec at,
                         char ret_text[FINDING_HASH_SIZE]);
/** This problem: every finding of it. */
void finding_group(const char *rule, const struct finding_place *place,
                   char ret_text[FINDING_HASH_SIZE]);

/* A row as it was read; texts live in the arena. */
struct finding_draft {
    struct finding_row row;
    const char *evidence; /* JSON as the rule gave it; NULL none */
};

/**
 * Copies what a row says. Reads nothing, so it may be called while the query runs.
 * @return 0, or -EINVAL with why in ret_error: the rule is broken
 */
int finding_read(const struct rule *rule, const struct query_row *row, struct hr_arena *arena,
                 struct finding_draft *ret_draft, struct hr_buf *ret_error);
/**
 * Adds site, fingerprint, group and evidence to the draft's row.
 * @return as finding_read(), or a negative errno of the store
 */
int finding_complete(struct store *s, struct hr_arena *arena, struct finding_draft *d,
                     struct hr_buf *ret_error);

#endif
