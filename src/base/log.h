/*
 * base/log.h - lines for people on stderr, each prefixed "headrace: ". Stages do not log: they
 * count, and return errors; pipeline/, cmd/ and daemon/ log.
 */
#ifndef HR_BASE_LOG_H
#define HR_BASE_LOG_H

#include <stdbool.h>

enum hr_log_level {
    HR_LOG_ERROR,
    HR_LOG_WARNING,
    HR_LOG_INFO,
};

/** Lines above this level are dropped. Default HR_LOG_INFO; the one mutable global. */
void hr_log_set_level(enum hr_log_level level);
/** Bytes from the wire or a file name must be made terminal-safe by this function: it escapes all. */
void hr_log(enum hr_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define hr_error(...) hr_log(HR_LOG_ERROR, __VA_ARGS__)
#define hr_warning(...) hr_log(HR_LOG_WARNING, __VA_ARGS__)
#define hr_info(...) hr_log(HR_LOG_INFO, __VA_ARGS__)

#endif
