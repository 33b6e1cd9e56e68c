/*
 * The ids of requests and traces both ways, which requests are identical, and which program asked.
 */
#include "base/alloc.h"
#include "lab.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#define UUID "3f2b8c1e-5d7a-4b90-8e6f-1a2b3c4d5e6f"
#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"

static int64_t mark_of(const char *id)
{
    struct hr_key key;
    int64_t value;
    memset(key.bytes, 7, sizeof(key.bytes));
    struct hr_digest d = hr_digest_keyed(&key, hr_span_str(id));
    memcpy(&value, d.bytes, sizeof(value));
    return value;
}

/* An id of the request is kept; one of the answer only if the request did not have it. */
static const struct {
    const char *line;
    const char *sent[3];
    const char *answered[3];
} ids[] = {
    {"GET / => 200",                                                                             {NULL},  {NULL}},
    {"GET / header:X-Request-Id=" UUID " => 200 header:x-request-id=" UUID,                      {UUID},  {NULL}},
    {"GET / header:x-request-ID=" UUID " => 200 header:X-Correlation-Id=req-00ab12cd",
     {UUID},
     {"req-00ab12cd"}                                                                                           },
    {"GET / => 200 header:X-Request-Id=" UUID,                                                   {NULL},  {UUID}},
    {"GET / header:X-Request-Id=\"" UUID "\" => 200 header:X-Request-Id=" UUID,                  {UUID},  {NULL}},
    {"GET / header:X-Request-Id=a1b2c3d4,c3d4e5f6 => 200 header:X-Request-Id=c3d4e5f6,e5f6a7b8",
     {"a1b2c3d4", "c3d4e5f6"},
     {"e5f6a7b8"}                                                                                               },
    {"GET / header:traceparent=00-" TRACE "-00f067aa0ba902b7-01 => 200",                         {TRACE}, {NULL}},
    {"GET / header:b3=" TRACE "-00f067aa0ba902b7-1 => 200 header:X-B3-TraceId=" TRACE,
     {TRACE},
     {NULL}                                                                                                     },
    {"GET / header:uber-trace-id=" TRACE ":1:0:1 => 200",                                        {TRACE}, {NULL}},
    {"GET / header:X-Cloud-Trace-Context=" TRACE "/17;o=1 => 200",                               {TRACE}, {NULL}},
    {"GET / header:X-Amzn-Trace-Id=Self=1-2-3;Root=1-67891233-abcdef012345678912345678 => 200",
     {"1-67891233-abcdef012345678912345678"},
     {NULL}                                                                                                     },
    {"GET / header:X-Amzn-Trace-Id=Parent=12345678901234567 => 200",                             {NULL},  {NULL}},
 /* an id that stands elsewhere in the request */
    {"GET /jobs/" UUID " => 200 header:X-Request-Id=" UUID,                                      {NULL},  {NULL}},
    {"POST /jobs json:{\"job\":\"" UUID "\"} => 200 header:X-Request-Id=" UUID,                  {NULL},  {NULL}},
    {"GET / header:X-Job=a" UUID " => 200 header:X-Request-Id=" UUID,                            {NULL},  {NULL}},
 /* no ids */
    {"GET / header:X-Request-Id=17 => 200 header:X-Request-Id=1714553600",                       {NULL},  {NULL}},
    {"GET / header:X-Request-Id=undefined => 200 header:X-Request-Id=00000000",                  {NULL},  {NULL}},
    {"GET / header:X-Request-Id= => 200 header:X-Request-Id=,,",                                 {NULL},  {NULL}},
    {"GET / header:traceparent=- => 200 header:traceresponse=00",                                {NULL},  {NULL}},
    {"GET / header:X-Job=" UUID " => 200",                                                       {NULL},  {NULL}},
};

static size_t count(const struct exchange_facts *f, enum mark_kind kind)
{
    size_t n = 0;
    for (size_t i = 0; i < f->mark_count; i++) {
        n += f->marks[i].kind == kind;
    }
    return n;
}

static void assert_marks(const struct exchange_facts *f, enum mark_kind kind,
                         const char *const want[3])
{
    size_t wanted = 0;
    for (; wanted < 3 && want[wanted] != NULL; wanted++) {
        bool found = false;
        for (size_t i = 0; i < f->mark_count; i++) {
            found =
                found || (f->marks[i].kind == kind && f->marks[i].value == mark_of(want[wanted]));
        }
        assert_true(found);
    }
    assert_int_equal(count(f, kind), wanted);
}

static void ids_are_those_of_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(ids); i++) {
        struct lab *lab = lab_create(NULL);
        const char *const lines[] = {ids[i].line, NULL};
        lab_add(lab, lines);
        print_message("%s\n", ids[i].line);
        assert_marks(lab_facts(lab, 0), MARK_REQUEST_ID_SENT, ids[i].sent);
        assert_marks(lab_facts(lab, 0), MARK_REQUEST_ID_ANSWERED, ids[i].answered);
        lab_destroy(lab);
    }
}

static void a_profile_names_further_fields(void **state)
{
    (void)state;
    struct lab *lab = lab_create("sites: [{hosts: shop.example, request_id: [X-Trail, X-Two]}]");
    const char *const lines[] = {
        "GET / host:shop.example header:x-trail=" UUID " => 200 header:X-Two=a1b2c3d4", NULL};
    const char *const sent[3] = {UUID};
    const char *const answered[3] = {"a1b2c3d4"};
    lab_add(lab, lines);
    assert_marks(lab_facts(lab, 0), MARK_REQUEST_ID_SENT, sent);
    assert_marks(lab_facts(lab, 0), MARK_REQUEST_ID_ANSWERED, answered);
    lab_destroy(lab);
}

/* Whoever sends more ids than are kept may have sent any. */
static void too_many_ids_are_bounded(void **state)
{
    (void)state;
    struct lab *lab = lab_create(NULL);
    const char *const lines[] = {
        "GET / header:X-Request-Id=ab12cd01,ab12cd02,ab12cd03,ab12cd04,ab12cd05,ab12cd06 => 200 "
        "header:X-Request-Id=cd12ab01",
        "GET / => 200 header:X-Request-Id=ab12cd01,ab12cd02,ab12cd03,ab12cd04,ab12cd05,ab12cd06",
        NULL};
    lab_add(lab, lines);
    assert_int_equal(count(lab_facts(lab, 0), MARK_REQUEST_ID_SENT), 4);
    assert_int_equal(count(lab_facts(lab, 0), MARK_REQUEST_ID_ANSWERED), 0);
    assert_int_equal(count(lab_facts(lab, 1), MARK_REQUEST_ID_ANSWERED), 4);
    lab_destroy(lab);
}

/* Two values of one cookie: the first is remembered, a repeated one is not. */
static void what_else_was_set_is_kept(void **state)
{
    (void)state;
    struct lab *lab = lab_create(NULL);
    const char *const lines[] = {
        "POST /login form:user=a&password=b => 302 location:/ set:sid=$a set:sid=$b",
        "POST /login form:user=a&password=b => 302 location:/ set:sid=$a set:sid=$a",
        "POST /login form:user=a&password=b => 302 location:/ set:sid=$a set:tid=$b", NULL};
    lab_add(lab, lines);
    assert_int_equal(count(lab_facts(lab, 0), MARK_ALSO_SET), 1);
    assert_int_equal(count(lab_facts(lab, 1), MARK_ALSO_SET), 0);
    assert_int_equal(count(lab_facts(lab, 2), MARK_ALSO_SET), 0);
    lab_destroy(lab);
}

/* Is the second request identical to the first? */
static const struct {
    const char *first;
    const char *second;
    bool same;
} pairs[] = {
    {"POST /a form:x=1 => 200",                                  "POST /a form:x=1 => 400",     true },
    {"POST /a form:x=1 => 200",                                  "POST /a form:x=2 => 400",     false},
    {"POST /a form:x=1 => 200",                                  "POST /b form:x=1 => 400",     false},
    {"POST /a?y=1 form:x=1 => 200",                              "POST /a?y=2 form:x=1 => 400", false},
    {"POST /a form:x=1 => 200",                                  "PUT /a form:x=1 => 400",      false},
    {"POST /a text:{} => 200",                                   "POST /a json:{} => 400",      false},
    {"POST /a form:x=1 cookie:sid=$a => 200",                    "POST /a form:x=1 => 400",     true },
    {"POST /a form:x=1 header:X-Request-Id=" UUID " => 200",
     "POST /a form:x=1 header:traceparent=00-" TRACE "-00f067aa0ba902b7-01 => 400",             true },
    {"POST /a form:x=1 header:X-Forwarded-For=192.0.2.1 => 200",
     "POST /a form:x=1 header:User-Agent=curl => 400",                                          true },
    {"POST /a form:x=1 header:X-CSRF-Token=1 => 200",
     "POST /a form:x=1 header:X-CSRF-Token=2 => 400",                                           false},
    {"POST /a form:x=1 header:X-Tenant=1 => 200",                "POST /a form:x=1 => 400",     false},
};

static void identical_requests_are_those_of_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(pairs); i++) {
        struct lab *lab = lab_create(NULL);
        const char *const lines[] = {pairs[i].first, pairs[i].second, "GET /a => 200", NULL};
        lab_add(lab, lines);
        print_message("%s\n", pairs[i].first);
        assert_true(lab_facts(lab, 0)->request_hash != 0);
        assert_int_equal(lab_facts(lab, 0)->request_hash == lab_facts(lab, 1)->request_hash,
                         pairs[i].same);
        assert_true(lab_facts(lab, 2)->request_hash == 0);
        lab_destroy(lab);
    }
}

static void programs_and_proxies_are_told_apart(void **state)
{
    (void)state;
    struct lab *lab = lab_create(NULL);
    const char *const lines[] = {"GET / header:User-Agent=curl/8 => 200",
                                 "GET / header:user-agent=curl/8 => 200",
                                 "GET / header:User-Agent=curl/9 => 200",
                                 "GET / => 200",
                                 "GET / header:X-Forwarded-For=1.2.3.4 => 200",
                                 "GET / header:Via=1.1_p header:User-Agent=curl/8 => 200",
                                 NULL};
    lab_add(lab, lines);
    assert_int_equal(lab_facts(lab, 0)->agent, lab_facts(lab, 1)->agent);
    assert_int_not_equal(lab_facts(lab, 0)->agent, lab_facts(lab, 2)->agent);
    assert_true(lab_facts(lab, 0)->agent > 1 && lab_facts(lab, 0)->agent % 2 == 0);
    assert_int_equal(lab_facts(lab, 3)->agent, 0);
    assert_int_equal(lab_facts(lab, 4)->agent, 1);
    assert_int_equal(lab_facts(lab, 5)->agent, lab_facts(lab, 0)->agent + 1);
    lab_destroy(lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_those_of_the_table),
        cmocka_unit_test(a_profile_names_further_fields),
        cmocka_unit_test(too_many_ids_are_bounded),
        cmocka_unit_test(what_else_was_set_is_kept),
        cmocka_unit_test(identical_requests_are_those_of_the_table),
        cmocka_unit_test(programs_and_proxies_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
