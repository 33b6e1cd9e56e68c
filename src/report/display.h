/*
 * report/display.h - Wireshark display filters for the connections behind a finding or a session.
 */
#ifndef HR_REPORT_DISPLAY_H
#define HR_REPORT_DISPLAY_H

#include "base/buf.h"
#include "base/time.h"

#include <stdint.h>

/** Appends "tcp.stream eq 4", or "tcp.stream in {4, 7}" of several; sorts and drops repeats. */
void display_append_filter(struct hr_buf *out, int64_t *streams, size_t count);
#define DISPLAY_OFFSET_SIZE 40
/** "+4.200 ms", "+75.250 s": how long after the beginning of a story. @return text */
const char *display_offset(hr_nsec since, char text[DISPLAY_OFFSET_SIZE]);
/** The last part of a path: enough to tell captures apart on a line. */
const char *display_file_name(const char *path);

#endif
