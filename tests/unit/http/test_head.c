#include "play.h"

static void tell_request(const struct http_exchange *x, void *user)
{
    struct hr_buf *out = user;
    const struct http_message *m = &x->request;
    if (!x->has_request) {
        hr_buf_append_str(out, "no request\n");
        return;
    }
    hr_buf_appendf(out, "%zu byte target, anomalies 0x%x", m->target.len, m->anomalies);
    for (size_t i = 0; i < m->field_count; i++) {
        hr_buf_append_str(out, ", ");
        hr_buf_append(out, m->fields[i].name);
        hr_buf_appendf(out, " of %zu", m->fields[i].value.len);
    }
    hr_buf_append_char(out, '\n');
}

static void pass_loss(const struct http_loss *loss, void *user)
{
    (void)loss;
    (void)user;
}

/* One request, its middle so many times an x. */
static void play_filled(const char *begin, size_t count, const char *end, size_t split,
                        struct hr_buf *out)
{
    static const struct http_callbacks callbacks = {tell_request, pass_loss};
    const struct http_config config = {.header_bytes = 1024,
                                       .field_limit = 16,
                                       .content_bytes = 32 * HTTP_PAGE_SHARE,
                                       .waiting_limit = 8};
    struct http_context *h = http_context_create(&config, &callbacks);
    struct http_conn *c = http_conn_create(h, false, out);
    struct hr_buf bytes;
    hr_buf_init(&bytes, SIZE_MAX);
    hr_buf_append_str(&bytes, begin);
    for (size_t i = 0; i < count; i++) {
        hr_buf_append_char(&bytes, 'x');
    }
    hr_buf_append_str(&bytes, end);
    play_feed(c,
              (struct http_input){
                  .bytes = hr_buf_span(&bytes), .place = {1, 1}
    },
              split, &(struct play_options){.split = 0});
    play_feed(c,
              (struct http_input){
                  .side = 1,
                  .bytes = HR_SPAN("HTTP/1.1 204 x\r\n\r\n"),
                  .place = {2, 2},
                  .acked = bytes.len
    },
              0, &(struct play_options){.split = 0});
    http_conn_finish(c);
    http_conn_destroy(c);
    http_context_destroy(h);
    hr_buf_finish(&bytes);
}

/* Wherever the bytes are cut, the bound of a head lies at the same place. */
static void long_heads_are_independent_of_segmentation(void **state)
{
    (void)state;
    static const struct {
        const char *begin, *end;
        size_t count;
        const char *want;
    } heads[] = {
        {"GET /",                       " HTTP/1.1\r\nB: c\r\n\r\n", 1009, "1010 byte target, anomalies 0x20\n"},
        {"GET /",                       " HTTP/1.1\r\nB: c\r\n\r\n", 1010, "no request\n"                      },
        {"GET / HTTP/1.1\r\nA: ",       "\r\nB: c\r\n\r\n",          1100, "1 byte target, anomalies 0x20\n"   },
        {"GET / HTTP/1.1\r\nUpgrade: ", "\r\nB: c\r\n\r\n",          1100,
         "1 byte target, anomalies 0x20, Upgrade of 247\n"                                                     },
        {"GET / HTTP/1.1\r\nUpgrade: ", "\r\nUpgrade: y\r\n\r\n",    995,
         "1 byte target, anomalies 0x20, Upgrade of 995, Upgrade of 1\n"                                       },
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(heads); i++) {
        for (size_t split = 0; split < 1300; split += split < 3 ? 1 : 61) {
            struct hr_buf got;
            hr_buf_init(&got, SIZE_MAX);
            play_filled(heads[i].begin, heads[i].count, heads[i].end, split, &got);
            if (strcmp(hr_buf_str(&got), heads[i].want) != 0) {
                fail_msg("case %zu, pieces of %zu: '%s'", i, split, hr_buf_str(&got));
            }
            hr_buf_finish(&got);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_heads_are_independent_of_segmentation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
