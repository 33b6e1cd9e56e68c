/*
 * evidence/content.h - contents of messages rewritten in place: what is written in a form that is known
 * keeps its form (names of parameters, keys, tags), every value is replaced.
 */
#ifndef HR_EVIDENCE_CONTENT_H
#define HR_EVIDENCE_CONTENT_H

#include "evidence/disguise.h"

/** A path with its query, or an absolute URL. */
void content_replace_url(struct disguise *w, char *text, size_t len);
/** name=value pairs. */
void content_replace_form(struct disguise *w, char *text, size_t len);
void content_replace_json(struct disguise *w, char *text, size_t len);
void content_replace_markup(struct disguise *w, char *text, size_t len);
/** What a value of that name may be: a password, a credential, or any. */
enum word_care content_care_of(struct hr_span name);
/** Letters and spaces rather than a picture. */
bool content_is_text(const char *bytes, size_t len);

#endif
