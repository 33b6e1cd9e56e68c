/* Facts and exchanges come out of the flat copy as they went in, and the copy owns all of its text.
 */
#include "pipeline/flat.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    struct exchange_facts facts;
} cases[] = {
    {"nothing at all",      {0}                                                             },
    {"a response alone",    {.site = {"a.example", 9}, .status = 302, .location = {"/x", 2}}},
    {"empty is not absent", {.site = {"", 0}, .user = {"", 0}}                              },
    {"tokens",
     {.site = {"a", 1},
      .method = {"GET", 3},
      .target = {"/a?b", 4},
      .path_template = {"/a", 2},
      .user = {"ann", 3},
      .replica = {"r1", 2},
      .flags = 7,
      .token_count = 2,
      .tokens = {{.carrier = TOKEN_COOKIE, .name = {"sid", 3}, .flags = TOKEN_SENT},
                 {.carrier = TOKEN_BEARER, .name = {"bearer", 6}, .lifetime_s = -1}}}       },
    {"marks and a token",
     {.site = {"a", 1},
      .token_count = 1,
      .tokens = {{.carrier = TOKEN_COOKIE, .name = {"sid", 3}}},
      .mark_count = 2,
      .marks = {{.kind = MARK_REQUEST_ID_SENT, .value = -5},
                {.kind = MARK_REQUEST_ID_ANSWERED, .text = {"text", 4}}}}                   },
};

static void assert_same_text(const char *name, struct hr_span want, struct hr_span got)
{
    if ((want.ptr == NULL) != (got.ptr == NULL) || !hr_span_equal(want, got)) {
        fail_msg("%s: \"%.*s\" became \"%.*s\"", name, (int)want.len, want.ptr, (int)got.len,
                 got.ptr);
    }
}

static void facts_survive(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        const struct exchange_facts *want = &cases[c].facts;
        const char *name = cases[c].name;
        struct exchange_facts got;
        void *flat = malloc(facts_flat_size(want)); /* exact: a sanitizer sees a byte too many */
        facts_flatten(want, flat);
        memset(&got, 0xff, sizeof(got));
        size_t count;
        const struct token_use *tokens = facts_flat_tokens(flat, &count);
        assert_int_equal(count, want->token_count);
        assert_memory_equal(tokens, want->tokens, count * sizeof(*tokens));
        facts_unflatten(flat, &got);
        assert_same_text(name, want->site, got.site);
        assert_same_text(name, want->host, got.host);
        assert_same_text(name, want->method, got.method);
        assert_same_text(name, want->target, got.target);
        assert_same_text(name, want->path_template, got.path_template);
        assert_same_text(name, want->location, got.location);
        assert_same_text(name, want->location_path, got.location_path);
        assert_same_text(name, want->user, got.user);
        assert_same_text(name, want->replica, got.replica);
        assert_int_equal(want->status, got.status);
        assert_int_equal(want->flags, got.flags);
        assert_int_equal(want->token_count, got.token_count);
        for (size_t i = 0; i < want->token_count; i++) {
            assert_same_text(name, want->tokens[i].name, got.tokens[i].name);
            assert_int_equal(want->tokens[i].flags, got.tokens[i].flags);
            assert_int_equal(want->tokens[i].lifetime_s, got.tokens[i].lifetime_s);
        }
        assert_int_equal(want->mark_count, got.mark_count);
        for (size_t i = 0; i < want->mark_count; i++) {
            assert_same_text(name, want->marks[i].text, got.marks[i].text);
            assert_int_equal(want->marks[i].kind, got.marks[i].kind);
            assert_int_equal(want->marks[i].value, got.marks[i].value);
        }
        free(flat);
    }
}

static const char request_head[] = "GET /a HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n";
static const char response_head[] = "HTTP/1.1 200 OK\r\nServer: s\r\n\r\n";
static const struct http_field request_fields[] = {
    {{request_head + 17, 4}, {request_head + 23, 1}},
    {{request_head + 26, 1}, {request_head + 28, 0}}
};
static const struct http_field response_fields[] = {
    {{response_head + 17, 6}, {response_head + 25, 1}}
};

#define REQUEST                                                                                    \
    {                                                                                              \
        .head = {request_head, sizeof(request_head) - 1}, .method = {request_head, 3},             \
        .target = {request_head + 4, 2}, .fields = request_fields, .field_count = 2,               \
        .content = {"", 0}, .version = 11                                                          \
    }
#define RESPONSE                                                                                   \
    {                                                                                              \
        .head = {response_head, sizeof(response_head) - 1}, .fields = response_fields,             \
        .field_count = 1, .content = {"body", 4}, .status = 200                                    \
    }

static const struct {
    const char *name;
    struct http_exchange exchange;
} exchanges[] = {
    {"nothing at all",   {0}                                                                                  },
    {"a request alone",  {.has_request = true, .request = REQUEST}                                            },
    {"a response alone", {.has_response = true, .response = RESPONSE}                                         },
    {"both",             {.has_request = true, .has_response = true, .request = REQUEST, .response = RESPONSE}},
};

static void assert_same_message(const char *name, const struct http_message *want,
                                const struct http_message *got)
{
    assert_same_text(name, want->head, got->head);
    assert_same_text(name, want->method, got->method);
    assert_same_text(name, want->target, got->target);
    assert_same_text(name, want->content, got->content);
    assert_int_equal(want->status, got->status);
    assert_int_equal(want->version, got->version);
    assert_int_equal(want->field_count, got->field_count);
    for (size_t i = 0; i < want->field_count; i++) {
        assert_same_text(name, want->fields[i].name, got->fields[i].name);
        assert_same_text(name, want->fields[i].value, got->fields[i].value);
        assert_true(got->fields[i].name.ptr != want->fields[i].name.ptr);
    }
}

static void exchanges_survive(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof(exchanges) / sizeof(exchanges[0]); c++) {
        const struct http_exchange *want = &exchanges[c].exchange;
        struct http_exchange got;
        void *flat = malloc(exchange_flat_size(want));
        exchange_flatten(want, flat);
        memset(&got, 0xff, sizeof(got));
        exchange_unflatten(flat, &got);
        assert_int_equal(want->has_request, got.has_request);
        assert_int_equal(want->has_response, got.has_response);
        assert_same_message(exchanges[c].name, &want->request, &got.request);
        assert_same_message(exchanges[c].name, &want->response, &got.response);
        free(flat);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(facts_survive),
                                       cmocka_unit_test(exchanges_survive)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
