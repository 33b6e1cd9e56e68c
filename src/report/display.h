/*
 * report/display.h - Wireshark display filters for the connections behind a finding or a session.
 */
#ifndef HR_REPORT_DISPLAY_H
#define HR_REPORT_DISPLAY_H

#include "base/buf.h"

#include <stdint.h>

/** Appends "tcp.stream eq 4", or "tcp.stream in {4, 7}" of several; sorts and drops repeats. */
void display_append_filter(struct hr_buf *out, int64_t *streams, size_t count);
/** The last part of a path: enough to tell captures apart on a line. */
const char *display_file_name(const char *path);

#endif
