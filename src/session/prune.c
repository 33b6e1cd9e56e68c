/*
 * The part of a JSON answer that is looked at. Parsing costs many times what a look at the bytes
 * does, and most of an answer is data: what lists hold, and running text. Lists become [0], or stay
 * []; a text stops at its first space behind BODY_MESSAGE_BYTES, where neither a token nor a
 * message goes on.
 */
#include "base/alloc.h"
#include "session/work.h"

struct pruning {
    struct hr_span text;
    size_t at;
    size_t kept_to; /* what is before it is in out, or left out */
    struct hr_buf *out;
    char open[BODY_JSON_DEPTH]; /* brackets */
    unsigned depth;
    unsigned list_depth; /* of the list that is being left out; 0 none */
    bool list_has_items;
    bool after_colon;
};

static void keep(struct pruning *p, size_t to)
{
    hr_buf_append(p->out, hr_span_slice(p->text, p->kept_to, to));
    p->kept_to = to;
}

/* at is behind the opening quote; goes behind the closing one. @return whether there is one */
static bool pass_string(struct pruning *p)
{
    const size_t begin = p->at;
    const bool may_cut = p->after_colon && p->list_depth == 0;
    size_t cut = 0;
    bool has_escape = false;
    while (p->at < p->text.len && p->text.ptr[p->at] != '"') {
        const char c = p->text.ptr[p->at];
        has_escape = has_escape || c == '\\';
        if (c == ' ' && may_cut && cut == 0 && !has_escape && p->at - begin >= BODY_MESSAGE_BYTES) {
            cut = p->at + 1;
        }
        p->at += c == '\\' ? 2 : 1;
    }
    if (p->at >= p->text.len) {
        return false;
    }
    if (cut != 0) {
        keep(p, cut);
        p->kept_to = p->at;
    }
    p->at++;
    return true;
}

static bool open_bracket(struct pruning *p, char c)
{
    if (p->depth == BODY_JSON_DEPTH) {
        return false;
    }
    p->open[p->depth++] = c;
    if (p->list_depth != 0) {
        p->list_has_items = true;
    } else if (c == '[') {
        keep(p, p->at);
        p->list_depth = p->depth;
        p->list_has_items = false;
    }
    return true;
}

static bool close_bracket(struct pruning *p, char c)
{
    if (p->depth == 0 || p->open[p->depth - 1] != (c == ']' ? '[' : '{')) {
        return false;
    }
    if (p->depth-- == p->list_depth) {
        hr_buf_append_str(p->out, p->list_has_items ? "0" : "");
        p->kept_to = p->at - 1;
        p->list_depth = 0;
    }
    return true;
}

static bool pass_byte(struct pruning *p, char c)
{
    switch (c) {
    case '"':
        p->list_has_items = true;
        return pass_string(p);
    case '[':
    case '{':
        return open_bracket(p, c);
    case ']':
    case '}':
        return close_bracket(p, c);
    case ' ':
    case '\t':
    case '\r':
    case '\n':
        return true;
    default:
        p->list_has_items = true;
        return true;
    }
}

json_t *body_parse_pruned(struct hr_span text, struct hr_buf *scratch)
{
    struct pruning p = {.text = text, .out = scratch};
    if (text.len > BODY_JSON_BYTES) {
        return NULL;
    }
    do {
        if (p.at == text.len) {
            return NULL;
        }
        const char c = text.ptr[p.at++];
        const bool is_space = c == ' ' || c == '\t' || c == '\r' || c == '\n';
        if (!pass_byte(&p, c)) {
            return NULL;
        }
        p.after_colon = c == ':' || (is_space && p.after_colon);
    } while (p.depth > 0 || (text.ptr[p.at - 1] != '}' && text.ptr[p.at - 1] != ']'));
    keep(&p, p.at);
    text = hr_buf_span(scratch);
    return json_loadb(text.ptr, text.len, JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, NULL);
}
