/*
 * evidence/disguise.h - words replaced by others of the same length: a letter by a letter, a digit by a
 * digit. The same word always by the same, whatever its case; two words by two. A word is a run of
 * letters, digits and bytes beyond ASCII, however its characters are written (%41, \u0041).
 */
#ifndef HR_EVIDENCE_DISGUISE_H
#define HR_EVIDENCE_DISGUISE_H

#include "evidence/addresses.h"

enum word_coding {
    WORD_PLAIN,
    WORD_URL,  /* %41 */
    WORD_JSON, /* \u0041, \n */
};

enum word_care {
    WORD_KEEP,   /* only words that are known to be secret are replaced, and addresses */
    WORD_VALUE,  /* every word is replaced */
    WORD_SECRET, /* and known from now on, wherever it stands */
    WORD_WHOLE,  /* and so is all between the words: a password */
};

struct disguise;

/** @param addresses  borrowed, as is key */
struct disguise *disguise_create(const struct hr_key *key, struct addresses *addresses);
void disguise_destroy(struct disguise *w);
/** Replaces in place. */
void disguise_text(struct disguise *w, char *text, size_t len, enum word_coding coding,
                   enum word_care care);
/** The same, but a word that looks like a token or a number of somebody is replaced as well. */
void disguise_names(struct disguise *w, char *text, size_t len, enum word_coding coding);

#endif
