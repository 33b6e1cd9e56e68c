/*
 * Profiles: what is wrong is named with its line, and what is right overrides what is learned.
 */
#include "base/alloc.h"
#include "lab.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int load(const char *yaml, struct profile_set **ret_set, struct hr_buf *error)
{
    char path[] = "/tmp/hr-profile-XXXXXX";
    const char *paths[] = {path};
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, yaml, strlen(yaml)), (ssize_t)strlen(yaml));
    close(fd);
    int r = profile_set_load(paths, 1, ret_set, error);
    unlink(path);
    return r;
}

/* Each error says the line and what was expected. */
static const struct {
    const char *yaml;
    const char *want; /* "LINE: a part of the text" */
} wrong[] = {
    {"",                                                                                             ": the file is empty; expected \"sites:\""},
    {"- 1\n",                                                                                        ":1: "                                    },
    {"site: []\n",                                                                                   ":1: "                                    },
    {"sites: 5\n",                                                                                   ":1: "                                    },
    {"sites:\n  - session:\n      - cookie: a\n",                                                    ":2: hosts is missing"                    },
    {"sites:\n  - hosts: [a]\n    sesion:\n      - cookie: a\n",                                     ":3: "                                    },
    {"sites:\n  - hosts: [a]\n    session:\n      - kookie: a\n",                                    ":4: "                                    },
    {"sites:\n  - hosts: [a]\n    session:\n      - cookie: a\n        query: b\n",
     "expected exactly one place"                                                                                                              },
    {"sites:\n  - hosts: [a]\n    session:\n      - cookie: \"\"\n",                                 ":4: an empty name"                       },
    {"sites:\n  - hosts: [a]\n    session:\n      - bearer: maybe\n",                                ":4: "                                    },
    {"sites:\n  - hosts: [a]\n    session:\n      - cookies: [one]\n",
     ":4: expected 2 to 8 cookie names"                                                                                                        },
    {"sites:\n  - hosts: []\n",                                                                      ":2: an empty list"                       },
    {"sites:\n  - hosts: [a]\n    login:\n      - method: POST\n",                                   ":4: path is missing"                     },
    {"sites:\n  - hosts: [a]\n    login:\n      - path: login\n",                                    ":4: \"login\" is no path"                },
    {"sites:\n  - hosts: [a]\n    login:\n      - method: post\n        path: /login\n",
     ":4: \"post\" is no method"                                                                                                               },
    {"sites:\n  - hosts: [a]\n    login:\n      - path: /l\n        success:\n          status: "
     "[99]\n",                                                                                  ":6: "                                    },
    {"sites:\n  - hosts: [a]\n    login:\n      - path: /l\n        success:\n          stats: 1\n",
     ":6: "                                                                                                                                    },
    {"sites:\n  - hosts: [a]\n    protected: [\"get /x\"]\n",                                        ":3: \"get\" is no method"                },
    {"sites:\n  - hosts: [a]\n    policies:\n      one_session_per_user: 3\n",                       ":4: "                                    },
    {"sites:\n  - hosts: [a]\n    policies:\n      trusted_proxies: [10.0.0.0/33]\n",
     ":4: \"10.0.0.0/33\" is no address"                                                                                                       },
    {"sites:\n  - hosts: [a]\n    policies:\n      trusted_proxies: [proxy.example]\n",
     ":4: \"proxy.example\" is no address"                                                                                                     },
};

static void errors_name_line_and_expectation(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(wrong); i++) {
        struct profile_set *set = NULL;
        struct hr_buf error;
        hr_buf_init(&error, 2000);
        int r = load(wrong[i].yaml, &set, &error);
        if (r == 0 || strstr(hr_buf_str(&error), wrong[i].want) == NULL) {
            fail_msg("%s gives %d, \"%s\"; want \"%s\"", wrong[i].yaml, r, hr_buf_str(&error),
                     wrong[i].want);
        }
        assert_null(set);
        hr_buf_finish(&error);
    }
}

static void a_file_that_is_missing_is_named(void **state)
{
    const char *paths[] = {"/nonexistent/profile.yaml"};
    struct profile_set *set = NULL;
    struct hr_buf error;
    (void)state;
    hr_buf_init(&error, 2000);
    assert_int_equal(profile_set_load(paths, 1, &set, &error), -2);
    assert_non_null(strstr(hr_buf_str(&error), "/nonexistent/profile.yaml"));
    hr_buf_finish(&error);
}

/* The examples that people copy are right; the test runs in the root of the project. */
static void the_examples_can_be_loaded(void **state)
{
    static const char *const paths[] = {
        "rules/profiles/form-and-cookie.yaml", "rules/profiles/json-and-token.yaml",
        "rules/profiles/user-in-query.yaml", "rules/profiles/cookie-set.yaml"};
    struct profile_set *set = NULL;
    struct hr_buf error;
    (void)state;
    hr_buf_init(&error, 2000);
    if (profile_set_load(paths, HR_ARRAY_LEN(paths), &set, &error) < 0) {
        fail_msg("%s", hr_buf_str(&error));
    }
    profile_set_destroy(set);
    hr_buf_finish(&error);
}

/* The first profile whose hosts match wins; patterns ignore case. */
static void sites_find_their_profile(void **state)
{
    struct profile_set *set = NULL;
    struct hr_buf error;
    (void)state;
    hr_buf_init(&error, 2000);
    assert_int_equal(
        load("sites:\n  - hosts: [a.example, \"*.b.example:8080\"]\n  - hosts: \"*.example\"\n",
             &set, &error),
        0);
    const struct profile *first = profile_set_find(set, HR_SPAN("A.example"));
    assert_non_null(first);
    assert_ptr_equal(profile_set_find(set, HR_SPAN("x.b.example:8080")), first);
    assert_ptr_not_equal(profile_set_find(set, HR_SPAN("x.b.example")), first);
    assert_non_null(profile_set_find(set, HR_SPAN("x.b.example")));
    assert_null(profile_set_find(set, HR_SPAN("localhost")));
    assert_null(profile_set_find(NULL, HR_SPAN("a.example")));
    profile_set_destroy(set);
    hr_buf_finish(&error);
}

#define SITE "sites:\n  - hosts: \"*\"\n"

/* What a profile names overrides learning, item by item. */
static const struct {
    const char *name;
    const char *yaml;
    const char *lines[12];
} sites[] = {
    {"a cookie that nobody would take for a session",
     SITE "    session:\n      - cookie: lang\n",
     {
         "POST /login form:user=al&password=p => 302 location:/a set:lang=xx12 set:sid=$a"
         " == login success al other=login+",
         "GET /a cookie:lang=xx12;sid=$a => 200 == access granted other=grant",
     }                          },
    {"two cookies count as one",
     SITE "    session:\n      - cookies: [one, two]\n",
     {
         "POST /login form:user=al&password=p => 302 location:/a set:one=$a set:two=$b"
         " == login success al other=login+",
         "GET /a cookie:one=$a;two=$b => 200 == access granted other=grant",
         "GET /a cookie:one=$a => 401 == access denied anonymous",
     }                          },
    {"a parameter of the path that nobody would take for a session",
     SITE "    session:\n      - query: ticket7\n",
     {
         "POST /login form:user=al&password=p => 302 location:/a;ticket7=$a set:sid=$b"
         " == login success al $a=login+",
         "GET /a;ticket7=$a cookie:sid=$b => 200 == access granted $a=grant",
     }                          },
    {"a field of the site's own, issued in a member of its own",
     SITE "    session:\n      - json: answer.key\n      - header: X-Key\n",
     {
         "POST /login json:{\"user\":\"al\",\"password\":\"p\"} => 200 "
         "json:{\"answer\":{\"key\":\"$a\"}}"
         " == login success al $a=login+",
         "GET /a header:X-Key=$a => 200 == access granted $a=grant",
     }                          },
    {"login and logout at unlikely places, with what success looks like",
     SITE "    login:\n      - method: POST\n        path: /door/{n}\n        success:\n          "
          "status: 200\n"
          "          json: {state: in}\n    logout:\n      - path: /bye*\n    user:\n      - json: "
          "badge\n",                                                         {
         "POST /door/7 json:{\"badge\":\"al\",\"x\":\"y\"} => 200 json:{\"state\":\"in\"} "
         "set:sid=$a"
         " == login success al $a=login+",
         "POST /door/7 json:{\"badge\":\"bo\",\"x\":\"y\"} => 200 json:{\"state\":\"out\"} "
         "set:sid=$b"
         " == login failure bo $b=issue+",
         "GET /a cookie:sid=$a => 200 == access granted $a=grant",
         "GET /bye-bye cookie:sid=$a => 200 == logout success $a=logout",
         "POST /login form:user=u&password=p => 200 == access granted anonymous",
     }      },
    {"success by redirect and cookie",
     SITE "    login:\n      - path: /in\n        success:\n          location: /home*\n          "
          "cookie: sid\n",                                                   {
         "POST /in form:user=al => 302 location:/home?x=1 set:sid=$a == login success al $a=login+",
         "POST /in form:user=al => 302 location:/home?x=1 == login failure al",
         "POST /in form:user=al => 302 location:/other set:sid=$b == login failure al $b=issue+",
         "POST /in form:user=al => 500 == login error al",
     }},
};

static void a_profile_overrides_what_is_learned(void **state)
{
    (void)state;
    int bad = 0;
    for (size_t i = 0; i < HR_ARRAY_LEN(sites); i++) {
        struct lab *lab = lab_create(sites[i].yaml);
        lab_add(lab, sites[i].lines);
        bad += lab_check(lab, sites[i].name);
        lab_destroy(lab);
    }
    assert_int_equal(bad, 0);
}

static void protection_is_what_the_profile_says(void **state)
{
    static const char *const lines[] = {"GET /x => 200", NULL};
    (void)state;
    struct lab *lab =
        lab_create(SITE "    protected: [\"GET /home\", /api/*]\n    public: [/api/news]\n");
    lab_add(lab, lines);
    struct site_model *m = lab_learn(lab, NULL);
    assert_int_equal(site_model_declared_protection(m, HR_SPAN("GET"), HR_SPAN("/home")), 1);
    assert_int_equal(site_model_declared_protection(m, HR_SPAN("POST"), HR_SPAN("/home")), 0);
    assert_int_equal(site_model_declared_protection(m, HR_SPAN("POST"), HR_SPAN("/api/x/y")), 1);
    assert_int_equal(site_model_declared_protection(m, HR_SPAN("GET"), HR_SPAN("/api/news")), -1);
    assert_int_equal(site_model_declared_protection(m, HR_SPAN("GET"), HR_SPAN("/")), 0);
    site_model_destroy(m);
    lab_destroy(lab);
}

/* What is suggested can be read back, and with it every exchange means the same. */
static const char *const suggested[][10] = {
    {
     "POST /login form:user=al&password=p => 302 location:/a set:sid=$a", "GET /a cookie:sid=$a => 200",
     "GET /a => 302 location:/login", "POST /login form:user=al&password=no => 401",
     "POST /logout cookie:sid=$a => 302 location:/ set:sid=;Max-Age=0", },
    {
     "POST /oauth/token form:grant_type=password&username=al&password=p => 200 "
        "json:{\"access_token\":\"$a\"}",                                     "GET /a bearer:$a => 200",
     "GET /a => 401", "POST /oauth/token form:grant_type=refresh_token&refresh_token=$r => 200 "
        "json:{\"access_token\":\"$b\"}", "POST /oauth/revoke bearer:$b form:token=$b => 200",
     },
    {
     "GET /login?user=al => 200 text:welcome",  "GET /protected?user=al => 200 text:hello",
     "GET /logout?user=al => 200 text:bye", "GET /protected?user=al => 401 text:no",
     },
    {
     "GET /odd\"name\\x/1 => 200",                                                                    "GET /odd\"name\\x/1 => 200",
     },
};

static void a_suggestion_can_be_read_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(suggested); i++) {
        struct lab *lab = lab_create(NULL);
        struct hr_buf yaml;
        hr_buf_init(&yaml, SIZE_MAX);
        lab_add(lab, suggested[i]);
        struct site_model *m = lab_learn(lab, NULL);
        site_model_suggest(m, &yaml);
        struct lab *again = lab_create(hr_buf_str(&yaml));
        lab_add(again, suggested[i]);
        struct site_model *with = lab_learn(again, NULL);
        for (size_t k = 0; k < lab_count(lab); k++) {
            char *want = hr_xstrdup(lab_judge(lab, m, k));
            assert_string_equal(lab_judge(again, with, k), want);
            free(want);
        }
        site_model_destroy(m);
        site_model_destroy(with);
        lab_destroy(lab);
        lab_destroy(again);
        hr_buf_finish(&yaml);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_name_line_and_expectation),
        cmocka_unit_test(a_file_that_is_missing_is_named),
        cmocka_unit_test(the_examples_can_be_loaded),
        cmocka_unit_test(sites_find_their_profile),
        cmocka_unit_test(a_profile_overrides_what_is_learned),
        cmocka_unit_test(protection_is_what_the_profile_says),
        cmocka_unit_test(a_suggestion_can_be_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
