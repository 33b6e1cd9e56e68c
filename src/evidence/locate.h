/*
 * evidence/locate.h - where the captures of a plan lie now. A file is known again by its first
 * frames, so one that was moved, renamed or compressed again is still itself, and another one that
 * bears its name is not.
 */
#ifndef HR_EVIDENCE_LOCATE_H
#define HR_EVIDENCE_LOCATE_H

#include "evidence/plan.h"

/**
 * Sets the path of every source that is needed.
 * Where a file is not there, what was read with it is looked for in the ring that a watch kept.
 * @param folder  to look in first; NULL: where each was read then, and nowhere else
 * @param ring    folder of that; NULL: none
 * @param ret_error  one line for each that is not there, or not what it was
 * @return 0, or -ESTALE
 */
int plan_locate(struct plan *p, const char *folder, const char *ring, struct hr_buf *ret_error);

#endif
