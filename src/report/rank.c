#include "report/rank.h"

#include "base/alloc.h"

#include <string.h>

static int rank_in(const char *word, const char *const *words, int count)
{
    for (int i = 0; word != NULL && i < count; i++) {
        if (strcmp(word, words[i]) == 0) {
            return i + 1;
        }
    }
    return 0;
}

int report_severity_rank(const char *severity)
{
    static const char *const words[] = {"low", "medium", "high", "critical"};
    return rank_in(severity, words, (int)HR_ARRAY_LEN(words));
}

int report_verdict_rank(const char *verdict)
{
    static const char *const words[] = {"suspect", "contradiction", "proven"};
    return rank_in(verdict, words, (int)HR_ARRAY_LEN(words));
}
