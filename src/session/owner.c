/*
 * Most answers are data for everybody: one wide pass over their beginning tells whether a name or
 * an identifier can be there at all, and only then is the text walked through.
 */
#include "session/owner.h"

#define TEXT_BYTES ((size_t)32 * 1024)
#define CHANGE_PARAMETERS 16

void owner_request(struct work *w)
{
    const struct exchange_facts *f = w->f;
    const struct lists *l = work_lists(w);
    bool is_safe = hr_span_equal(w->method, HR_SPAN("GET")) ||
                   hr_span_equal(w->method, HR_SPAN("HEAD")) ||
                   hr_span_equal(w->method, HR_SPAN("OPTIONS"));
    if (w->user_rank != 0 && w->may_sign_in && !is_safe) {
        told_mark(w, MARK_LOGIN_NAME, MARK_LOGIN_LOCAL_PART, w->user, (struct hr_span){NULL, 0});
    }
    if (!is_safe && !w->may_sign_in && f->token_count > 0 && w->x->request.content.len > 0) {
        belongs_given(w);
    }
    /* A GET that changes something leads on; one of Symfony's names the user in the query. */
    bool leads_on = w->x->has_response && w->x->response.status / 100 == 3;
    if ((is_safe && !leads_on) || (f->flags & (FACT_LOGIN_PATH | FACT_LOGOUT_PATH))) {
        return;
    }
    bool changes = lists_find_path_word(l, LIST_identity_changes, w->path);
    struct hr_span rest = w->target.query;
    for (size_t i = 0; !changes && rest.ptr != NULL && i < CHANGE_PARAMETERS; i++) {
        struct hr_span pair = hr_span_cut(&rest, '&');
        changes = lists_find_path_word(l, LIST_identity_changes, hr_span_cut(&pair, '='));
    }
    if (changes) {
        work_mark(w, MARK_MAY_CHANGE_USER, 0, (struct hr_span){NULL, 0});
    }
}

bool owner_wants_text(const struct work *w)
{
    return !(w->f->flags & FACT_STATIC_PATH) && (w->f->token_count > 0 || w->may_sign_in);
}

struct hints {
    uint8_t name;
    uint8_t identifier;
};

static uint8_t is_digit(char c)
{
    return (uint8_t)(c >= '0') & (uint8_t)(c <= '9');
}

static uint8_t is_letter(char c)
{
    char lower = (char)(c | 0x20);
    return (uint8_t)(lower >= 'a') & (uint8_t)(lower <= 'z');
}

/* One pass without branches, which compilers make wide. */
static struct hints find_hints(enum owner_text kind, struct hr_span text)
{
    static const char letters[][6][3] = {
        [OWNER_HTML] = {{'o', 'm', 'e'},
                        {'l', 'l', 'o'},
                        {'e', 'd', ' '},
                        {'H', 'i', ' '},
                        {'e', 'n', 'v'},
                        {'h', 'o', 'l'}},
        [OWNER_JSON] = {{'s', 'e', 'r'},
                        {'a', 'm', 'e'},
                        {'g', 'i', 'n'},
                        {'a', 'i', 'l'},
                        {'s', 'u', 'b'},
                        {'i', 'd', '"'}},
        [OWNER_PLAIN] = {{0}},
    };
    const char(*t)[3] = letters[kind];
    uint8_t name = 0;
    uint8_t identifier = 0;
    for (size_t i = 2; i < text.len; i++) {
        const char a = text.ptr[i - 2];
        const char b = text.ptr[i - 1];
        const char c = text.ptr[i];
        /* Two digits and a letter in some order: most of them are no identifiers. */
        identifier |= (uint8_t)((is_digit(a) & is_digit(c) & is_letter(b)) |
                                (is_digit(b) &
                                 ((is_digit(a) & is_letter(c)) | (is_letter(a) & is_digit(c)))) |
                                (uint8_t)(b == '@'));
        name |= (uint8_t)((uint8_t)((a == t[0][0]) & (b == t[0][1]) & (c == t[0][2])) |
                          (uint8_t)((a == t[1][0]) & (b == t[1][1]) & (c == t[1][2])) |
                          (uint8_t)((a == t[2][0]) & (b == t[2][1]) & (c == t[2][2])) |
                          (uint8_t)((a == t[3][0]) & (b == t[3][1]) & (c == t[3][2])) |
                          (uint8_t)((a == t[4][0]) & (b == t[4][1]) & (c == t[4][2])) |
                          (uint8_t)((a == t[5][0]) & (b == t[5][1]) & (c == t[5][2])));
    }
    for (size_t i = 6; i < text.len; i++) { /* a long number, as in ORD-2026112 */
        identifier |= (uint8_t)(is_digit(text.ptr[i - 6]) & is_digit(text.ptr[i - 4]) &
                                is_digit(text.ptr[i - 2]) & is_digit(text.ptr[i]));
    }
    return (struct hints){name, identifier};
}

void owner_response(struct work *w, enum owner_text kind, struct hr_span text)
{
    if (!owner_wants_text(w) || !w->x->has_request) {
        return;
    }
    text = hr_span_slice(text, 0, TEXT_BYTES);
    struct hints hints = find_hints(kind, text);
    if (hints.name && kind != OWNER_PLAIN) {
        told_read(w, kind, text);
    }
    if (hints.identifier) {
        belongs_read(w, kind, text);
    }
}
