/*
 * tests/unit/session/lab.h - a site's exchanges as lines of text, and what the model makes of each.
 *
 *     POST /login cookie:sid=$a form:user=alice&password=pw => 302 location:/home set:sid=$b ==
 * WANT
 *
 * Parts of a request: host: cookie: bearer: header:NAME=VALUE form: json: multipart-free, no blanks
 * inside a part ('_' in html: and text: stands for one). Of an answer: status, location: set:
 * json: text: html: header:NAME=VALUE gap (the content is not whole) cut (nor the fields). "=> -" is no answer.
 * $name stands for a random-looking value of its own. WANT reads
 *
 *     login success alice $b=login+ $a=replaced
 *
 * role, outcome unless none, user, each operation: '+' where it issues the token, '?' where it is
 * only not understood, "missing" for missing_token, "anonymous" for an access without a token.
 * Exchanges follow one another, 10 s each.
 */
#ifndef HR_TESTS_SESSION_LAB_H
#define HR_TESTS_SESSION_LAB_H

#include "session/extract.h"
#include "session/model.h"

#define LAB_LIMIT 128

struct lab;

/** @param profile_yaml  text of a profile, or NULL */
struct lab *lab_create(const char *profile_yaml);
void lab_destroy(struct lab *lab);
/** Lines end with NULL. WANT behind "==" is remembered. */
void lab_add(struct lab *lab, const char *const *lines);
size_t lab_count(const struct lab *lab);
const struct exchange_facts *lab_facts(const struct lab *lab, size_t index);
/** Saves what was learned, and loads it. @return in its place */
struct site_learner *lab_keep(struct site_learner *l, struct hr_span site);
/** Learns from the exchanges in that order (NULL: as they came; else, where there is no profile, with
 *  lab_keep() on the way); release with site_model_destroy(). */
struct site_model *lab_learn(const struct lab *lab, const size_t *order);
/** What the model makes of one exchange, in the words above. Valid until the next call. */
const char *lab_judge(struct lab *lab, const struct site_model *m, size_t index);
/** Learns, judges and compares all; prints every difference. @return their number */
int lab_check(struct lab *lab, const char *name);
/** The expansion of "$name". */
void lab_value(const char *name, char value[33]);

#endif
