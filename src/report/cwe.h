/*
 * report/cwe.h - the CWE entries that a rule's references name.
 */
#ifndef HR_REPORT_CWE_H
#define HR_REPORT_CWE_H

#include "base/span.h"

/**
 * Cuts the next "CWE-613 Insufficient Session Expiration" off *rest (NULL: nothing).
 * @param ret_name  what stands behind the number up to a comma; empty where nothing does
 * @return false at the end
 */
bool cwe_next(const char **rest, unsigned *ret_number, struct hr_span *ret_name);

#endif
