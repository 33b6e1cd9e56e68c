/*
 * capture/note.h - what people and programs wrote into a pcapng file, kept for whoever reads the list of
 * captures.
 */
#ifndef HR_CAPTURE_NOTE_H
#define HR_CAPTURE_NOTE_H

#include "capture/source.h"

/**
 * Appends "WHERE: TEXT" to the comments of the capture, on one line and safe to show; what does not fit is
 * cut or only counted.
 * @param text  as it stands in the file: anything
 */
void capture_note_comment(struct capture_info *info, const char *where, struct hr_span text);

#endif
