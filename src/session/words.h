/*
 * session/words.h - what a name says (of a cookie, a field, a parameter), and what a path says, by
 * the lists. The same ones come again and again, so the answers are remembered.
 */
#ifndef HR_SESSION_WORDS_H
#define HR_SESSION_WORDS_H

#include "session/lists.h"

enum {
    WORD_NOT_A_SESSION = 1u << 0, /* a cookie that never is one */
    WORD_SESSION = 1u << 1,       /* a cookie's name that frameworks use */
    WORD_REMEMBER = 1u << 2,      /* a cookie that opens sessions */
    WORD_AFFINITY = 1u << 3,      /* a cookie or field that tells the replica */
    WORD_SECRET = 1u << 4,        /* a parameter whose value is not shown */
    WORD_TOKEN_PARAMETER = 1u << 5,
    WORD_TOKEN_GENERIC = 1u << 6, /* ... of a name that many other things have */
    WORD_PASSWORD = 1u << 7,
    WORD_NEW_PASSWORD = 1u << 8,
    WORD_NEW_PASSWORD_WEAK = 1u << 9,
    WORD_CODE = 1u << 10,
    WORD_TOKEN_HEADER = 1u << 11,
    WORD_CACHE = 1u << 12, /* a field of a cache's answer */
    WORD_REQUEST_ID = 1u << 13, /* a field that names the request or its trace */
    WORD_FORWARDED = 1u << 14,  /* a field that a proxy adds to what it forwards */
    WORD_PASSING = 1u << 15,    /* a field of requests that says nothing of what is asked for */
    WORD_SCRIPT = 1u << 17,     /* a cookie that a script sets to the token of a login's JSON */
    WORD_LOGOUT = 1u << 16,     /* a parameter that asks to be signed out by its name alone */
};

struct word {
    uint32_t bits;
    uint8_t user_field;     /* rank in user-fields, 0 none */
    uint8_t user_parameter; /* rank in user-parameters, 0 none */
    uint8_t action;         /* rank in action-parameters, 0 none */
    uint8_t page;           /* rank in page-parameters, 0 none */
    uint8_t place;          /* rank in place-parameters, 0 none */
};

struct words;

struct words *words_create(void);
void words_destroy(struct words *w);
const struct lists *words_lists(const struct words *w);
/** @param name  as the wire has it; for fields of forms and JSON the last part */
struct word words_find(struct words *w, struct hr_span name);
/** @return FACT_* flags that the path alone tells; by method only whether it is GET or HEAD counts
 */
uint32_t words_find_path(struct words *w, struct hr_span path, bool is_get);
/** Does the path end like that of a file that is the same for everybody? */
bool words_is_static(const struct lists *l, struct hr_span path);
/** Is it a page of a wiki's own, "Special:UserLogin", not one that people write? */
bool words_is_special(const struct lists *l, struct hr_span path);

#endif
