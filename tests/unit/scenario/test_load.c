#include "base/alloc.h"
#include "scenario/scenario.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

/* What is wrong in a scenario is said with its line and what was expected. */
static const struct {
    const char *name;
    const char *text;
    const char *want; /* the beginning of the message */
} mistakes[] = {
    {"nothing at all",                  "",                                                                       "x.yaml: a scenario needs exchanges"               },
    {"no exchanges",                    "seed: 1\n",                                                              "x.yaml:1: a scenario needs exchanges"             },
    {"unknown key",                     "exchanges: []\nclock: 1\n",                                              "x.yaml:2: "                                       },
    {"unknown key of an exchange",
     "exchanges:\n  - request: GET /\n    response: 200\n    colour: red\n",                                      "x.yaml:4: "                                       },
    {"no response",                     "exchanges:\n  - request: GET /\n",
     "x.yaml:2: an exchange needs request and response"                                                                                                              },
    {"no target",                       "exchanges:\n  - request: GET\n    response: 200\n",
     "x.yaml:2: expected a method and a target"                                                                                                                      },
    {"status is a word",                "exchanges:\n  - request: GET /\n    response: fine\n",                   "x.yaml:3: "                                       },
    {"no unit",                         "exchanges:\n  - at: 5\n    request: GET /\n    response: 200\n",
     "x.yaml:2: '5': expected a number with ns"                                                                                                                      },
    {"unknown client",                  "exchanges:\n  - client: bob\n    request: GET /\n    response: 200\n",
     "x.yaml:2: there is no client named 'bob'"                                                                                                                      },
    {"the same label twice",
     "exchanges:\n  - {label: a, request: GET /, response: 200}\n  - {label: a, request: GET /, "
     "response: 200}\n",                                                                                          "x.yaml:3: the label 'a' stands twice"             },
    {"a lone dollar",                   "exchanges:\n  - {request: GET /$, response: 200}\n",
     "x.yaml:2: \"$\" must be followed by"                                                                                                                           },
    {"two bodies",
     "exchanges:\n  - request: {line: POST /, text: a, json: {b: 1}}\n    response: 200\n",                       "x.yaml:2: a message has one body"                 },
    {"bad address",                     "clients:\n  a: {address: 1.2.3}\nexchanges: []\n",
     "x.yaml:2: '1.2.3': expected an IPv4 or IPv6 address"                                                                                                           },
    {"families differ",
     "clients:\n  a: {address: '2001:db8::1'}\nexchanges:\n  - {request: GET /, response: 200}\n",                "x.yaml:4: client 'a' and site 'site' are not both"},
    {"bad server",                      "site: {server: example.org}\nexchanges: []\n",
     "x.yaml:1: expected an address and a port"                                                                                                                      },
    {"a rate over one",                 "network:\n  loss: 3\nexchanges: []\n",                                   "x.yaml:2: expected a rate"                        },
    {"VLAN without Ethernet",           "capture: {link: raw, vlan: 3}\nexchanges: []\n",
     "x.yaml:1: only Ethernet has VLANs"                                                                                                                             },
    {"at and after",                    "exchanges:\n  - {at: 1ms, after: 1ms, request: GET /, response: 200}\n",
     "x.yaml:2: at and after exclude each other"                                                                                                                     },
    {"the connection of somebody else",
     "clients: {a: {}, b: {}}\nconnections: {c: {client: b}}\nexchanges:\n"
     "  - {client: a, connection: c, request: GET /, response: 200}\n",                                           "x.yaml:4: connection 'c' is of client 'b'"        },
};

static void mistakes_are_named_with_their_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(mistakes); i++) {
        struct hr_yaml_doc doc;
        struct scenario *s = NULL;
        const char *text = mistakes[i].text;
        assert_int_equal(hr_yaml_parse(&doc, "x.yaml", hr_span_str(text)), 0);
        assert_true(scenario_parse(&doc, doc.root, NULL, NULL, &s) < 0);
        if (strncmp(hr_buf_str(&doc.error), mistakes[i].want, strlen(mistakes[i].want)) != 0) {
            fail_msg("%s: \"%s\", expected \"%s...\"", mistakes[i].name, hr_buf_str(&doc.error),
                     mistakes[i].want);
        }
        hr_yaml_finish(&doc);
    }
}

static struct scenario *parse(const char *text)
{
    struct hr_yaml_doc doc;
    struct scenario *s = NULL;
    assert_int_equal(hr_yaml_parse(&doc, "x.yaml", hr_span_str(text)), 0);
    if (scenario_parse(&doc, doc.root, NULL, NULL, &s) < 0) {
        fail_msg("%s", hr_buf_str(&doc.error));
    }
    hr_yaml_finish(&doc);
    return s;
}

/* Times are counted from the start, after the end of the exchange before, or behind `before`. */
static void times_are_what_the_manual_says(void **state)
{
    static const struct {
        const char *label;
        hr_nsec from_start_ms;
    } want[] = {
        {"warm",  0            },
        {"first", 1 + 2 + 1000 },
        {"next",  1003 + 20    },
        {"then",  1023 + 2 + 5 },
        {"last",  1030 + 2 + 10}
    };
    struct scenario *s = parse("start: 2024-01-02T03:04:05Z\n"
                               "before:\n"
                               "  - {label: warm, request: GET /, response: 200, think: 3ms}\n"
                               "exchanges:\n"
                               "  - {label: first, at: 0ms, request: GET /, response: 200}\n"
                               "  - {label: next, at: 20ms, request: GET /, response: 200}\n"
                               "  - {label: then, after: 5ms, request: GET /, response: 200}\n"
                               "  - {label: last, request: GET /, response: 200}\n");
    hr_nsec start;
    (void)state;
    assert_true(hr_time_parse(HR_SPAN("2024-01-02T03:04:05Z"), &start));
    for (size_t i = 0; i < HR_ARRAY_LEN(want); i++) {
        struct scenario_place p;
        assert_true(scenario_find(s, want[i].label, &p));
        assert_int_equal(p.request_at - start, want[i].from_start_ms * HR_NSEC_PER_MSEC);
    }
    scenario_destroy(s);
}

/* Exchanges that overlap do not share a connection unless it is named; later ones do. */
static void connections_are_shared_as_browsers_do(void **state)
{
    struct scenario *s =
        parse("exchanges:\n"
              "  - {label: a, at: 0ms, request: GET /, response: 200, think: 10ms}\n"
              "  - {label: b, at: 5ms, request: GET /, response: 200}\n"
              "  - {label: c, at: 30ms, request: GET /, response: 200}\n"
              "  - {label: d, at: 60ms, connection: x, request: GET /, response: 200}\n"
              "  - {label: e, at: 61ms, connection: x, request: GET /, response: 200}\n");
    struct scenario_place a;
    struct scenario_place b;
    struct scenario_place c;
    struct scenario_place d;
    struct scenario_place e;
    (void)state;
    assert_true(scenario_find(s, "a", &a) && scenario_find(s, "b", &b) &&
                scenario_find(s, "c", &c) && scenario_find(s, "d", &d) &&
                scenario_find(s, "e", &e));
    assert_int_not_equal(a.client.port, b.client.port);
    assert_int_equal(a.client.port, c.client.port);
    assert_int_not_equal(a.client.port, d.client.port);
    assert_int_equal(d.client.port, e.client.port);
    scenario_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_are_named_with_their_line),
        cmocka_unit_test(times_are_what_the_manual_says),
        cmocka_unit_test(connections_are_shared_as_browsers_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
