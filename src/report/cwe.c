#include "report/cwe.h"

#include <string.h>

bool cwe_next(const char **rest, unsigned *ret_number, struct hr_span *ret_name)
{
    const char *at = *rest;
    while (at != NULL && (at = strstr(at, "CWE-")) != NULL) {
        unsigned number = 0;
        at += strlen("CWE-");
        while (*at >= '0' && *at <= '9' && number < 100000) {
            number = number * 10 + (unsigned)(*at++ - '0');
        }
        if (number == 0) {
            continue;
        }
        const size_t length = strcspn(at, ",;\n");
        *ret_number = number;
        *ret_name = hr_span_trim((struct hr_span){at, length});
        *rest = at + length;
        return true;
    }
    *rest = NULL;
    return false;
}
