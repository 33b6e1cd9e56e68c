#include "base/log.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

static enum hr_log_level log_level = HR_LOG_INFO;

void hr_log_set_level(enum hr_log_level level)
{
    log_level = level;
}

void hr_log(enum hr_log_level level, const char *format, ...)
{
    char line[2048];
    struct hr_buf safe;
    va_list args;
    if (level > log_level) {
        return;
    }
    va_start(args, format);
    int n = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (n < 0) {
        return;
    }
    hr_buf_init(&safe, SIZE_MAX);
    hr_text_append_terminal(&safe, hr_span_str(line));
    fprintf(stderr, "headrace: %s%s\n", level == HR_LOG_WARNING ? "warning: " : "",
            hr_buf_str(&safe));
    hr_buf_finish(&safe);
}
