/*
 * evidence/message.h - an HTTP message rewritten in place: what says nothing about anybody stays,
 * everything else is replaced by as many bytes. What is not understood is replaced or blanked.
 */
#ifndef HR_EVIDENCE_MESSAGE_H
#define HR_EVIDENCE_MESSAGE_H

#include "evidence/disguise.h"

/* What stands where bytes were that cannot be rewritten. */
#define MESSAGE_BLANK 'x'

/**
 * @param bytes  from the first of a message on, as many as are there of it, and interim responses
 *               before it
 * @return whether a content was blanked
 */
bool message_replace(struct disguise *w, char *bytes, size_t len, bool is_response);

#endif
