/*
 * fuzz/site.h - a folder with two captures and the database of what was found in them, both damaged
 * as the records of an input say. A record: a letter, then numbers in little-endian, then bytes.
 *   r COLUMN(4) ROW(1) KIND(1)  a row's value becomes the bytes (KIND even) or their number (odd)
 *   p OFFSET(4)                 bytes of the database file     k the same of the first capture
 *   c SIZE(4)                   the database file's end        e the same of the first capture
 */
#ifndef HR_TESTS_FUZZ_SITE_H
#define HR_TESTS_FUZZ_SITE_H

#include "base/span.h"
#include "rule/rule.h"
#include "store/store.h"

/** Of the captures and the database; made at the first call, removed at exit. */
const char *fuzz_site_folder(void);
const struct rule_set *fuzz_site_rules(void);
/** Damages both and opens the database for reading. @return as store_open() */
int fuzz_site_open(struct hr_span input, struct store **ret_store);
/** The captures are whole again, too. */
void fuzz_site_close(struct store *s);

#endif
