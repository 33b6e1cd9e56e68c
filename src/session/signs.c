/*
 * Bit-parallel search (Baeza-Yates and Gonnet, "A new approach to text searching", 1992): a bit
 * for each place in each pattern, set while the bytes so far fit the pattern up to there. All the
 * patterns of one kind of text have room in one word. A text goes by in four lanes, for each step
 * waits for the one before it, and a processor has time for four.
 */
#include "session/signs.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define LANES 4
#define PATTERN_BYTES 6 /* the longest one's */

/* In patterns. */
#define DIGIT "\1"
#define LETTER "\2"
#define CLOSES "\3"
#define OPENS "\4"
#define BLANK "\5"
#define ANY "\6"

static const struct pattern {
    enum signs_text kind;
    enum sign sign;
    const char *bytes; /* small letters of END_TAG stand for both cases */
} patterns[] = {
    {SIGNS_OF_JSON,  SIGN_NAME,       "ser"                              },
    {SIGNS_OF_JSON,  SIGN_NAME,       "ame"                              },
    {SIGNS_OF_JSON,  SIGN_NAME,       "gin"                              },
    {SIGNS_OF_JSON,  SIGN_NAME,       "ail"                              },
    {SIGNS_OF_JSON,  SIGN_NAME,       "sub"                              },
    {SIGNS_OF_JSON,  SIGN_ID,         "id\""                             },
    {SIGNS_OF_JSON,  SIGN_ERROR,      "\"er"                             },
    {SIGNS_OF_JSON,  SIGN_FALSE,      "fal"                              },
    {SIGNS_OF_JSON,  SIGN_TOKEN,      "ken"                              },
    {SIGNS_OF_JSON,  SIGN_JWT,        "wt\""                             },
    {SIGNS_OF_JSON,  SIGN_SESSION,    "ssi"                              },
    {SIGNS_OF_JSON,  SIGN_SEAM,       CLOSES OPENS                       },
    {SIGNS_OF_JSON,  SIGN_SEAM,       CLOSES BLANK OPENS                 },
    {SIGNS_OF_JSON,  SIGN_SEAM,       CLOSES BLANK BLANK OPENS           },
    {SIGNS_OF_JSON,  SIGN_SEAM,       CLOSES BLANK BLANK BLANK OPENS     },
    {SIGNS_OF_HTML,  SIGN_NAME,       "ome"                              },
    {SIGNS_OF_HTML,  SIGN_NAME,       "llo"                              },
    {SIGNS_OF_HTML,  SIGN_NAME,       "ed "                              },
    {SIGNS_OF_HTML,  SIGN_NAME,       "Hi "                              },
    {SIGNS_OF_HTML,  SIGN_NAME,       "env"                              },
    {SIGNS_OF_HTML,  SIGN_NAME,       "hol"                              },
    {SIGNS_OF_HTML,  SIGN_PASSWORD,   "ssw"                              },
    {SIGNS_OF_HTML,  SIGN_PASSWORD,   "SSW"                              },
    {SIGNS_OF_HTML,  SIGN_REFRESH,    "fre"                              },
    {SIGNS_OF_HTML,  SIGN_REFRESH,    "FRE"                              },
    {SIGNS_OF_HTML,  SIGN_LOCATION,   "loc"                              },
    {SIGNS_OF_HTML,  SIGN_END_TAG,    "</ht" ANY "l"                     },
 /* Of every text. Most words of three digits and a letter are no identifiers. */
    {SIGNS_OF_PLAIN, SIGN_IDENTIFIER, DIGIT DIGIT LETTER                 },
    {SIGNS_OF_PLAIN, SIGN_IDENTIFIER, DIGIT LETTER DIGIT                 },
    {SIGNS_OF_PLAIN, SIGN_IDENTIFIER, LETTER DIGIT DIGIT                 },
    {SIGNS_OF_PLAIN, SIGN_IDENTIFIER, DIGIT DIGIT DIGIT DIGIT DIGIT DIGIT},
    {SIGNS_OF_PLAIN, SIGN_IDENTIFIER, "@"                                },
};

struct search {
    uint64_t fits[256];                 /* places that the byte fits */
    uint64_t first;                     /* places that a pattern begins with */
    uint64_t last[SIGN_IDENTIFIER + 1]; /* places that a pattern of the sign ends with */
    unsigned used;
};

struct signs {
    struct search search[SIGNS_OF_PLAIN + 1];
};

static bool byte_fits(const struct pattern *p, size_t place, unsigned char byte)
{
    const unsigned char want = (unsigned char)p->bytes[place];
    const unsigned char lower = byte | 0x20;
    switch (want) {
    case 1:
        return byte >= '0' && byte <= '9';
    case 2:
        return lower >= 'a' && lower <= 'z';
    case 3:
        return byte == '}' || byte == ']';
    case 4:
        return byte == '{' || byte == '[';
    case 5:
        return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
    case 6:
        return true;
    default:
        return byte == want || (p->sign == SIGN_END_TAG && want >= 'a' && lower == want);
    }
}

static void add_pattern(struct search *s, const struct pattern *p)
{
    const size_t len = strlen(p->bytes);
    assert(len <= PATTERN_BYTES && s->used + len <= 64);
    s->first |= UINT64_C(1) << s->used;
    for (size_t i = 0; i < len; i++, s->used++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            s->fits[byte] |= (uint64_t)byte_fits(p, i, (unsigned char)byte) << s->used;
        }
    }
    s->last[p->sign] |= UINT64_C(1) << (s->used - 1);
}

struct signs *signs_create(void)
{
    struct signs *s = hr_xcalloc(1, sizeof(*s));
    for (size_t i = 0; i < HR_ARRAY_LEN(patterns); i++) {
        for (enum signs_text kind = SIGNS_OF_JSON; kind <= SIGNS_OF_PLAIN; kind++) {
            if (patterns[i].kind == kind || patterns[i].kind == SIGNS_OF_PLAIN) {
                add_pattern(&s->search[kind], &patterns[i]);
            }
        }
    }
    return s;
}

void signs_destroy(struct signs *s)
{
    free(s);
}

/* @return every place that was reached. Lanes overlap by what a pattern may reach over. */
static uint64_t places_of(const struct search *s, struct hr_span text)
{
    const size_t length = text.len / LANES;
    uint64_t at[LANES] = {0};
    uint64_t reached[LANES] = {0};
    const unsigned char *lane[LANES];
    for (size_t k = 0; k < LANES; k++) {
        lane[k] = (const unsigned char *)text.ptr + k * length;
    }
    for (size_t i = 0; i < length; i++) {
        for (size_t k = 0; k < LANES; k++) {
            at[k] = (at[k] << 1 | s->first) & s->fits[lane[k][i]];
            reached[k] |= at[k];
        }
    }
    for (size_t k = 0; k < LANES; k++) {
        size_t left = text.len - (k + 1) * length;
        for (size_t i = 0; i < left && (k == LANES - 1 || i < PATTERN_BYTES - 1); i++) {
            at[k] = (at[k] << 1 | s->first) & s->fits[lane[k][length + i]];
            reached[k] |= at[k];
        }
    }
    return reached[0] | reached[1] | reached[2] | reached[3];
}

uint32_t signs_find(const struct signs *s, enum signs_text kind, struct hr_span text)
{
    const struct search *search = &s->search[kind];
    const uint64_t places = places_of(search, text);
    uint32_t signs = 0;
    for (enum sign i = 0; i <= SIGN_IDENTIFIER; i++) {
        signs |= (places & search->last[i]) != 0 ? SIGN_BIT(i) : 0u;
    }
    return signs;
}
