/*
 * report/caveats.h - reads the JSON array of strings in which the store keeps a finding's caveats.
 */
#ifndef HR_REPORT_CAVEATS_H
#define HR_REPORT_CAVEATS_H

#include "base/buf.h"

/**
 * Cuts the next string off the front of *rest (NULL is an empty list). What is not well-formed ends
 * the list; it is never shown as something else.
 * @return false at the end
 */
bool caveats_next(const char **rest, struct hr_buf *ret_text);

#endif
