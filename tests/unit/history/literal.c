#include "literal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum history_kind kind_of(char letter)
{
    switch (letter) {
    case 'L':
        return HISTORY_LOGIN;
    case 'M':
        return HISTORY_MAYBE_LOGIN;
    case 'G':
        return HISTORY_GRANT;
    case 'D':
    case 'O':
        return HISTORY_NOT_LIVE;
    default:
        fprintf(stderr, "no operation is written '%c'\n", letter);
        abort();
    }
}

struct literal literal_parse(const char *text)
{
    struct literal l = {.count = 0};
    const char *p = text;
    while (*p != '\0') {
        if (*p == ' ') {
            p++;
            continue;
        }
        if (l.count == LITERAL_LIMIT || p[1] != '[') {
            fprintf(stderr, "not a history: %s\n", text);
            abort();
        }
        struct history_operation *op = &l.ops[l.count++];
        *op = (struct history_operation){kind_of(*p), 0, HR_NSEC_INFINITE, *p == 'O', 0};
        char *rest = NULL;
        op->start = strtoll(p + 2, &rest, 10);
        if (*rest == ',') {
            op->end = strtoll(rest + 1, &rest, 10);
            rest += *rest == ']';
        }
        if (*rest >= 'a' && *rest <= 'z') {
            op->group = (uint64_t)(unsigned char)*rest++;
        }
        p = rest;
    }
    return l;
}

char *literal_format(const struct history_operation *ops, size_t count, char *text)
{
    char *p = text;
    *p = '\0';
    for (size_t i = 0; i < count; i++) {
        const char letter =
            ops[i].kind == HISTORY_NOT_LIVE ? (ops[i].is_logout ? 'O' : 'D') : "LMG"[ops[i].kind];
        p += sprintf(p, i == 0 ? "%c[%lld" : " %c[%lld", letter, (long long)ops[i].start);
        if (ops[i].end != HR_NSEC_INFINITE) {
            p += sprintf(p, ",%lld]", (long long)ops[i].end);
        }
        if (ops[i].group != 0) {
            p += sprintf(p, "%c", (char)ops[i].group);
        }
    }
    return text;
}

/* Written against the definition, not against the program: intervals are compared as they are. */
struct brute {
    struct history_operation ops[16];
    size_t count;
    hr_nsec epsilon;
    bool seen[2][1u << 16];
};

static bool comes_before(const struct brute *b, size_t x, size_t y)
{
    const struct history_operation *a = &b->ops[x];
    return a->end != HR_NSEC_INFINITE && b->ops[y].start - a->end > b->epsilon;
}

static bool is_optional(const struct history_operation *op)
{
    return op->end == HR_NSEC_INFINITE;
}

/** From here on, with the operations of `done` behind us: is there an order of the others? */
static bool search(struct brute *b, unsigned done, bool live)
{
    if (b->seen[live][done]) {
        return false;
    }
    b->seen[live][done] = true;
    bool complete = true;
    for (size_t i = 0; i < b->count; i++) {
        complete = complete && ((done >> i & 1) || is_optional(&b->ops[i]));
    }
    if (complete || (live && search(b, done, false))) {
        return true;
    }
    for (size_t i = 0; i < b->count; i++) {
        bool next = !(done >> i & 1);
        for (size_t k = 0; k < b->count && next; k++) {
            next = k == i || (done >> k & 1) || !comes_before(b, k, i);
        }
        const enum history_kind kind = b->ops[i].kind;
        const bool is_login = kind == HISTORY_LOGIN || kind == HISTORY_MAYBE_LOGIN;
        if (next && (is_login || live == (kind == HISTORY_GRANT)) &&
            search(b, done | 1u << i, is_login || live)) {
            return true;
        }
    }
    return false;
}

bool brute_force_explains(const struct history_operation *ops, size_t count,
                          enum history_first first, hr_nsec epsilon)
{
    static struct brute b; /* large; cleared where it is used */
    b.count = 0;
    b.epsilon = epsilon;
    for (size_t i = 0; i < count; i++) {
        struct history_operation op = ops[i];
        if (op.kind == HISTORY_MAYBE_LOGIN) {
            op.end = HR_NSEC_INFINITE;
        }
        if (op.end == HR_NSEC_INFINITE && op.kind != HISTORY_LOGIN &&
            op.kind != HISTORY_MAYBE_LOGIN) {
            continue; /* no answer: says nothing */
        }
        if (b.count == 16) {
            fprintf(stderr, "too long for brute force\n");
            abort();
        }
        b.ops[b.count++] = op;
    }
    for (int live = 0; live < 2; live++) {
        memset(b.seen[live], 0, sizeof(bool) << b.count);
    }
    return search(&b, 0, first == HISTORY_FIRST_UNKNOWN) || search(&b, 0, false);
}
