/*
 * session/signs.h - what an answer's text can hold, from one pass over its bytes. Most texts hold
 * nothing that is looked for, and walking through them costs many times this pass: a sign that is
 * not there says that the thing is certainly not; one that is says "look". For session/ alone.
 */
#ifndef HR_SESSION_SIGNS_H
#define HR_SESSION_SIGNS_H

#include "base/span.h"

enum sign {
    SIGN_NAME,       /* of JSON or HTML: a member that names a user, a word that greets one */
    SIGN_ID,         /* of JSON: a member's name ends in id */
    SIGN_ERROR,      /* a member's name begins so */
    SIGN_FALSE,
    SIGN_TOKEN,
    SIGN_JWT,
    SIGN_SESSION,
    SIGN_SEAM,       /* a bracket that closes, at most three blanks, and one that opens */
    SIGN_PASSWORD,   /* of HTML */
    SIGN_REFRESH,
    SIGN_LOCATION,
    SIGN_END_TAG,    /* </html> in whatever case, and little else */
    SIGN_IDENTIFIER, /* of every text: two digits and a letter together, an @, a long number */
};
#define SIGN_BIT(sign) (UINT32_C(1) << (sign))

enum signs_text {
    SIGNS_OF_JSON,
    SIGNS_OF_HTML,
    SIGNS_OF_PLAIN,
};

struct signs;

/** @return owned by the caller, release with signs_destroy(); never NULL */
struct signs *signs_create(void);
void signs_destroy(struct signs *s);

/** @return SIGN_BIT() of each sign of that kind of text that is there */
uint32_t signs_find(const struct signs *s, enum signs_text kind, struct hr_span text);

#endif
