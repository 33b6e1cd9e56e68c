/*
 * evidence/anonymize.h - evidence made fit to leave the house.
 */
#ifndef HR_EVIDENCE_ANONYMIZE_H
#define HR_EVIDENCE_ANONYMIZE_H

#include "base/digest.h"
#include "evidence/evidence.h"

/** @param key  what the replacements are drawn from; who does not have it cannot go back */
void anonymize(struct evidence *e, const struct hr_key *key, const struct decode_config *decode,
               struct evidence_result *result);

#endif
