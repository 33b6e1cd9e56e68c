#include "cmd/suggest.h"

#include "base/span.h"

#include <string.h>

enum { WORD_MAX = 40 };

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Insertions, deletions, replacements and swaps of neighbours that lead from a to b. */
static size_t distance(const char *a, const char *b)
{
    size_t n = strlen(a);
    size_t m = strlen(b);
    size_t d[WORD_MAX + 1][WORD_MAX + 1];
    if (n > WORD_MAX || m > WORD_MAX) {
        return SIZE_MAX;
    }
    for (size_t i = 0; i <= n; i++) {
        for (size_t k = 0; k <= m; k++) {
            if (i == 0 || k == 0) {
                d[i][k] = i + k;
                continue;
            }
            size_t replaced = hr_ascii_lower(a[i - 1]) == hr_ascii_lower(b[k - 1]) ? 0 : 1;
            d[i][k] = min3(d[i - 1][k] + 1, d[i][k - 1] + 1, d[i - 1][k - 1] + replaced);
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1] &&
                d[i - 2][k - 2] + 1 < d[i][k]) {
                d[i][k] = d[i - 2][k - 2] + 1;
            }
        }
    }
    return d[n][m];
}

const char *cmd_suggest(const char *word, const char *const *known, size_t known_count)
{
    const char *best = NULL;
    size_t best_distance = strlen(word) / 3 + 1; /* farther is no likeness */
    for (size_t i = 0; i < known_count; i++) {
        size_t d = distance(word, known[i]);
        bool is_beginning = strlen(word) >= 3 && strncmp(word, known[i], strlen(word)) == 0;
        if (is_beginning) {
            d = 1;
        }
        if (d <= best_distance && (best == NULL || d < best_distance)) {
            best = known[i];
            best_distance = d;
        }
    }
    return best;
}
