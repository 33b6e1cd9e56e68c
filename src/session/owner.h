/*
 * session/owner.h - who is told, and whose it is: what an answer says of the one who asked, and
 * values in it that may belong to one user alone. For session/ alone.
 */
#ifndef HR_SESSION_OWNER_H
#define HR_SESSION_OWNER_H

#include "session/work.h"

enum owner_text {
    OWNER_HTML,
    OWNER_JSON,
    OWNER_PLAIN,
};

/* owner.c */
/** Names that the request's login gives, and whether it may change what a session is called. */
void owner_request(struct work *w);
/** Is it worth while to decode an answer's plain text? */
bool owner_wants_text(const struct work *w);
/**
 * Marks of an answer's decoded content. Only answers to those who have a token, or get one.
 * @param is_whole  nothing is missing at its end
 */
void owner_response(struct work *w, enum owner_text kind, struct hr_span text, bool is_whole);

/* told.c */
/** Names of the user that the answer is for. */
void told_read(struct work *w, enum owner_text kind, struct hr_span text);
/** Does the request ask who it comes from? */
bool told_is_asked(struct work *w);
/** Marks the value of a name, all cases alike, and where it is an address the part before the @. */
void told_mark(struct work *w, enum mark_kind kind, enum mark_kind local_kind, struct hr_span name,
               struct hr_span text);

/* belongs.c */
/** Values that look as if nobody else had them. @param is_whole  nothing is missing at its end */
void belongs_read(struct work *w, enum owner_text kind, struct hr_span text, bool is_whole);
/** Such values in the content of a request that may leave them at the site. */
void belongs_given(struct work *w);

/* asked.c */
#define ASKED_WORD_BYTES 64 /* longer words are not looked for */

struct asked {
    struct hr_span text; /* of the request, read when first needed */
};

/** Does the request hold the word, in any case and coding? Start with {.text = {NULL, 0}}. */
bool asked_holds(struct asked *a, struct work *w, struct hr_span word);

#endif
