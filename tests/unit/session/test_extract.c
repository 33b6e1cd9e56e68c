/*
 * What leaves the extractor: no secret, and the facts by which exchanges are told apart.
 */
#include "base/alloc.h"
#include "lab.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

static struct hr_span hash_of(const char *value, char text[HR_DIGEST_TEXT_SIZE])
{
    struct hr_key key;
    memset(key.bytes, 7, sizeof(key.bytes));
    struct hr_digest d = hr_digest_keyed(&key, hr_span_str(value));
    return hr_span_str(hr_digest_format(&d, text));
}

/* "#VALUE#" in the wanted text stands for "~" and the hash of VALUE; "$name" for its random value.
 */
static void want_text(const char *want, struct hr_buf *out)
{
    for (const char *c = want; *c != '\0'; c++) {
        char value[128] = "";
        char text[HR_DIGEST_TEXT_SIZE];
        size_t len = 0;
        if (*c != '#') {
            hr_buf_append_char(out, *c);
            continue;
        }
        for (c++; *c != '#'; c++) {
            value[len++] = *c;
        }
        char expanded[33];
        if (value[0] == '$') {
            lab_value(value, expanded);
            hr_buf_append(out, hash_of(expanded, text));
        } else {
            hr_buf_append(out, hash_of(value, text));
        }
    }
}

/* Credential-like values become hashes, wherever they stand; all else stays byte for byte. */
static const struct {
    const char *target;
    const char *want;
    const char *path_template;
} targets[] = {
    {"/a/b?x=1&y=2",                            "/a/b?x=1&y=2",                            "/a/b"                   },
    {"/login?user=alice",                       "/login?user=#alice#",                     "/login"                 },
    {"/login?user=al%20ice&x",                  "/login?user=#al ice#&x",                  "/login"                 },
    {"/p?password=geheim&q=a+b",                "/p?password=#geheim#&q=a+b",              "/p"                     },
    {"/p?Access_Token=abcdef&api-key=k1",       "/p?Access_Token=#abcdef#&api-key=#k1#",   "/p"                     },
    {"/cb?code=c0de&state=st",                  "/cb?code=#c0de#&state=#st#",              "/cb"                    },
    {"/s;jsessionid=AB12CD34?x=1",              "/s;jsessionid=#AB12CD34#?x=1",            "/s"                     },
    {"http://u:pw@shop.example/x?sid=s1",       "http://#u:pw#@shop.example/x?sid=#s1#",   "/x"                     },
    {"/orders/17/items/9",                      "/orders/17/items/9",                      "/orders/{id}/items/{id}"},
    {"/u/6ba7b810-9dad-11d1-80b4-00c04fd430c8", "/u/6ba7b810-9dad-11d1-80b4-00c04fd430c8",
     "/u/{uuid}"                                                                                                    },
    {"/reset/$a",                               NULL,                                      "/reset/{token}"         },
    {"/caf\xc3\xa9\\x",                         "/caf\\xc3\\xa9\\\\x",                     "/caf\\xc3\\xa9\\\\x"    },
    {"/empty?user=&password=",                  "/empty?user=&password=",                  "/empty"                 },
    {"/how-to-cook-spaghetti-for-24-people",    "/how-to-cook-spaghetti-for-24-people",
     "/how-to-cook-spaghetti-for-24-people"                                                                         },
    {"/app.3f9c2d1b.js",                        "/app.3f9c2d1b.js",                        "/app.{id}.js"           },
    {"/17/IMG_2024-05.jpg",                     "/17/IMG_2024-05.jpg",                     "/{id}/IMG_{id}-{id}.jpg"},
    {"/jquery-3.6.0.min.js",                    "/jquery-3.6.0.min.js",                    "/jquery-3.6.0.min.js"   },
    {"/app.3f9c2d1b.json",                      "/app.3f9c2d1b.json",                      "/app.3f9c2d1b.json"     },
    {"*",                                       "*",                                       "*"                      },
    {"/x?$k=1&y=$k",                            "/x?#$k#=1&y=#$k#",                        "/x"                     }, /* $k is a cookie seen before */
    {"/i.php?route=/logout",                    "/i.php?route=/logout",                    "/i.php?route=logout"    },
    {"/i.php?action=log%00x",                   "/i.php?action=log%00x",                   "/i.php"                 },
    {"/x/$k/y",                                 "/x/#$k#/y",                               "/x/{token}/y"           },
};

static void targets_keep_everything_but_credentials(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(targets); i++) {
        struct lab *lab = lab_create(NULL);
        char line[256];
        struct hr_buf want;
        snprintf(line, sizeof(line), "GET %s => 200", targets[i].target);
        const char *const lines[] = {"GET / cookie:sid=$k => 200", line, NULL};
        hr_buf_init(&want, 4096);
        lab_add(lab, lines);
        const struct exchange_facts *f = lab_facts(lab, 1);
        if (targets[i].want != NULL) {
            want_text(targets[i].want, &want);
            assert_string_equal(f->target.ptr, hr_buf_str(&want));
        }
        assert_string_equal(f->path_template.ptr, targets[i].path_template);
        hr_buf_finish(&want);
        lab_destroy(lab);
    }
}

static bool holds(struct hr_span text, const char *secret)
{
    return text.ptr != NULL && hr_span_find_nocase(text, hr_span_str(secret)) != SIZE_MAX;
}

static void assert_without(const struct exchange_facts *f, const char *secret)
{
    assert_false(holds(f->target, secret));
    assert_false(holds(f->path_template, secret));
    assert_false(holds(f->location, secret));
    assert_false(holds(f->location_path, secret));
    assert_false(holds(f->user, secret));
    assert_false(holds(f->replica, secret));
    for (size_t i = 0; i < f->token_count; i++) {
        assert_false(holds(f->tokens[i].name, secret));
    }
}

static void no_secret_leaves(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "POST /login?next=/&sid=$a&password=pa55word!&api_key=k3yk3yk3y cookie:sid=$a;other=$b"
        " form:user=alice&password=pa55word!&otp=998877 => 302 location:/home?token=$c set:sid=$c",
        "GET /x/$a/y;jsessionid=$b?z=$c bearer:$d => 302"
        " location:http://u:pa55word!@other.example/cb?code=$b#access_token=$d",
        "POST /api/login json:{\"user\":\"bob\",\"password\":\"pa55word!\"} => 200"
        " json:{\"access_token\":\"$d\"} set:AWSALB=$b header:X-Served-By=$c",
        "GET /private header:X-Auth-Token=$d header:Authorization=Basic_YWxpY2U6cGE1NXdvcmQh => "
        "401",
        "GET /$c?$d => 404",
        NULL,
    };
    static const char *const names[] = {"$a", "$b", "$c", "$d"};
    struct lab *lab = lab_create(NULL);
    lab_add(lab, lines);
    for (size_t i = 0; i < lab_count(lab); i++) {
        for (size_t k = 0; k < HR_ARRAY_LEN(names); k++) {
            char value[33];
            lab_value(names[k], value);
            assert_without(lab_facts(lab, i), value);
        }
        assert_without(lab_facts(lab, i), "pa55word!");
        assert_without(lab_facts(lab, i), "k3yk3yk3y");
        assert_without(lab_facts(lab, i), "998877");
    }
    lab_destroy(lab);
}

/* Which facts each exchange has, of those named: the others of the list must be absent. */
static const struct {
    const char *line;
    uint32_t want;
    const char *user; /* NULL: none */
} facts[] = {
    {"POST /login form:username=al&password=p => 200 json:{\"ok\":false}",
     FACT_FIELDS | FACT_PASSWORD | FACT_USER_NAMED | FACT_LOGIN_PATH | FACT_SAYS_FAILURE,                                                   "al"},
    {"POST /login form:username=al&password= => 200",
     FACT_FIELDS | FACT_USER_NAMED | FACT_LOGIN_PATH,                                                                                       "al"},
    {"POST /signup form:email=al&password=p&password2=p => 200",
     FACT_FIELDS | FACT_PASSWORD | FACT_TWO_PASSWORDS | FACT_USER_NAMED,                                                                    "al"},
    {"POST /x form:old=a&new=b => 200",                                                FACT_FIELDS | FACT_PASSWORD | FACT_TWO_PASSWORDS,    NULL},
    {"POST /x form:new=b => 200",                                                      FACT_FIELDS,                                         NULL},
    {"GET /login?user=al => 200",                                                      FACT_LOGIN_PATH | FACT_USER_NAMED | FACT_USER_QUERY, "al"},
    {"POST /api/session json:{\"user\":{\"email\":\"al\",\"password\":\"p\"}} => 201",
     FACT_FIELDS | FACT_PASSWORD | FACT_USER_NAMED | FACT_LOGIN_PATH,                                                                       "al"},
    {"GET /api/session => 200 json:{\"user\":null}",                                   FACT_SAYS_FAILURE | FACT_LOCATION_LOGIN,             NULL},
    {"GET /api/session => 200 json:{}",                                                FACT_SAYS_FAILURE | FACT_LOCATION_LOGIN,             NULL},
    {"GET /whoami => 200 json:{\"authenticated\":false,\"user\":\"\"}",
     FACT_SAYS_FAILURE | FACT_LOCATION_LOGIN,                                                                                               NULL},
    {"GET /api/me => 200 json:{\"user\":null,\"plan\":\"free\"}",                      0,                                                   NULL},
    {"GET /api/me => 200 json:{}",                                                     0,                                                   NULL},
    {"GET /api/orders => 200 json:{\"user\":null}",                                    0,                                                   NULL},
    {"POST /api/session => 200 json:{\"user\":null}",                                  FACT_LOGIN_PATH,                                     NULL},
    {"DELETE /api/session => 204",                                                     FACT_LOGOUT_PATH,                                    NULL},
    {"POST /Log_Out.php => 302 location:/",                                            FACT_LOGOUT_PATH,                                    NULL},
    {"GET /cb?code=1&state=2 => 302 location:/",                                       FACT_AUTH_CALLBACK,                                  NULL},
    {"GET /coupons?code=1 => 200",                                                     0,                                                   NULL},
    {"POST /token form:grant_type=refresh_token&refresh_token=$r => 200",
     FACT_FIELDS | FACT_REFRESH_GRANT,                                                                                                      NULL},
    {"GET /a => 302 location:/Users/Sign-In/?back=1",                                  FACT_LOCATION_LOGIN,                                 NULL},
    {"GET /a => 302 location:http://shop.example/login",                               FACT_LOCATION_LOGIN,                                 NULL},
    {"GET /a => 302 location:/login;jsessionid=$a",                                    FACT_LOCATION_LOGIN,                                 NULL},
    {"GET /a => 302 location:https://idp.example/oauth2/authorize?client_id=1",
     FACT_LOCATION_AUTHORIZE,                                                                                                               NULL},
    {"GET /a => 302 location:https://news.example/story",                              0,                                                   NULL},
    {"GET /a => 302 location:/sessions",                                               0,                                                   NULL},
    {"POST /login form:user=al => 302 location:/?login_error=1",
     FACT_FIELDS | FACT_USER_NAMED | FACT_LOGIN_PATH | FACT_SAYS_FAILURE,                                                                   "al"},
    {"GET /a => 200 html:<INPUT_TYPE='password'_name=p>",                              FACT_LOGIN_FORM,                                     NULL},
    {"GET /a => 200 html:<form_action=/register><input_type=password></form>",         0,                                                   NULL},
    {"GET /a => 200 html:<input_type=password><input_type=password>",                  0,                                                   NULL},
    {"GET /a => 200 html:<p>your_password_is_safe",                                    0,                                                   NULL},
    {"GET /logout => 200 html:<form_action=/logout_method=post></form>",
     FACT_LOGOUT_PATH | FACT_LOGOUT_FORM,                                                                                                   NULL},
    {"GET /a => 200 json:{\"code\":401,\"msg\":\"no\"}",                               FACT_SAYS_FAILURE | FACT_LOCATION_LOGIN,
     NULL                                                                                                                                       },
    {"GET /a => 200 json:{\"status\":\"401\"}",                                        FACT_SAYS_FAILURE | FACT_LOCATION_LOGIN,             NULL},
    {"GET /a => 200 json:{\"code\":\"NOT_LOGGED_IN\",\"data\":null}",
     FACT_SAYS_FAILURE | FACT_LOCATION_LOGIN,                                                                                               NULL},
    {"GET /a => 200 json:{\"code\":7,\"msg\":\"Unauthenticated\"}",
     FACT_SAYS_FAILURE | FACT_LOCATION_LOGIN,                                                                                               NULL},
    {"GET /a => 200 json:{\"errno\":50014,\"errmsg\":\"x\"}",                          FACT_SAYS_FAILURE,                                   NULL},
    {"GET /a => 200 json:{\"code\":0,\"msg\":\"ok\",\"data\":{\"a\":1}}",              0,                                                   NULL},
    {"GET /a => 200 json:{\"code\":401,\"msg\":\"no\",\"data\":[1]}",                  0,                                                   NULL},
    {"GET /a => 200 json:{\"code\":401,\"a\":1,\"b\":2}",                              0,                                                   NULL},
    {"GET /a => 200 json:{\"message\":\"请先登录\"}",                              FACT_SAYS_FAILURE | FACT_LOCATION_LOGIN,
     NULL                                                                                                                                       },
    {"POST /logout => 200 json:{\"message\":\"请先登录\"}",                        FACT_LOGOUT_PATH,                                    NULL},
    {"GET /a => 302 location:http://app.example/auth/callback?code=1&state=2",         0,                                                   NULL},
    {"GET /a.css => 200 header:Age=3",                                                 FACT_STATIC_PATH | FACT_CACHED,                      NULL},
    {"GET /a => 200 header:Age=0",                                                     0,                                                   NULL},
    {"GET /a header:Authorization=Basic_YWw6cHc= => 200",                              0,                                                   "al"},
    {"POST /otp form:_token=$t&otp=1 => 200",                                          FACT_FIELDS | FACT_CODE_FIELD,                       NULL},
    {"POST /posts form:_token=$t&title=1 => 200",                                      FACT_FIELDS,                                         NULL},
};

static void facts_are_those_of_the_table(void **state)
{
    const uint32_t looked_at = FACT_FIELDS | FACT_PASSWORD | FACT_TWO_PASSWORDS | FACT_USER_NAMED |
                               FACT_LOGIN_PATH | FACT_LOGOUT_PATH | FACT_AUTH_CALLBACK |
                               FACT_REFRESH_GRANT | FACT_STATIC_PATH | FACT_LOGIN_FORM |
                               FACT_LOGOUT_FORM | FACT_LOCATION_LOGIN | FACT_LOCATION_AUTHORIZE |
                               FACT_CACHED | FACT_SAYS_FAILURE | FACT_USER_QUERY | FACT_CODE_FIELD;
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(facts); i++) {
        struct lab *lab = lab_create(NULL);
        const char *const lines[] = {facts[i].line, NULL};
        lab_add(lab, lines);
        const struct exchange_facts *f = lab_facts(lab, 0);
        if ((f->flags & looked_at) != facts[i].want) {
            fail_msg("%s: flags %08x, want %08x", facts[i].line, (unsigned)(f->flags & looked_at),
                     (unsigned)facts[i].want);
        }
        if (facts[i].user == NULL) {
            assert_null(f->user.ptr);
        } else {
            assert_string_equal(f->user.ptr, facts[i].user);
        }
        lab_destroy(lab);
    }
}

/* What travels, by carrier and name: s sent, n set anew, r repeated, d deleted. */
static const struct {
    const char *line;
    const char *want;
} tokens[] = {
    {"GET / cookie:a=$a;b=$b => 200 set:a=$c set:b=$b",                                              "1 a sn 1 b sr"      },
    {"GET / cookie:a\xa0z=$a => 200 set:a\xa0z=$b",                                                  "1 a\\xa0z sn"       }, /* as it is shown */
    {"GET / cookie:a=$a => 200 set:a=;Max-Age=0",                                                    "1 a sd"             },
    {"GET / => 200 set:a=;Path=/old;Max-Age=0 set:a=$a",                                             "1 a n"              },
    {"GET / cookie:a=$a;a=$b => 200 set:a=$a",                                                       "1 a sr"             }, /* the first of a name counts */
    {"GET / cookie:_ga=$a;csrftoken=$b;theme=dark;lang=en;AWSALB=$c => 200",                         ""                   },
    {"GET / bearer:$a => 200",                                                                       "2 bearer s"         },
    {"GET / header:X-Auth-Token=$a => 200",                                                          "2 bearer s"         },
    {"GET /?access_token=$a => 200",                                                                 "2 bearer s"         },
    {"GET /verify?token=$a => 200",                                                                  ""                   },
    {"POST /login json:{\"user\":\"u\"} => 200 json:{\"data\":{\"accessToken\":\"$a\"}}",
     "8 user s 2 bearer n"                                                                                                },
    {"POST /login form:user=u => 200 json:{\"token\":\"$a\",\"refresh_token\":\"$b\"}",
     "8 user s 2 bearer n"                                                                                                },
    {"POST /login form:user=u => 200 json:{\"l\":[1,[{\"a\":\"]\"}],{}],\"e\":[],\"token\":\"$a\"}",
     "8 user s 2 bearer n"                                                                                                },
    {"POST /login form:user=u => 200 json:{\"l\":[{\"token\":\"$a\"}]}",                             "8 user s"           },
    {"POST /login form:user=u => 200 json:{\"l\":[1}],\"token\":\"$a\"}",                            "8 user s"           }, /* no JSON */
    {"POST /login form:user=u => 200 json:{\"token\":\"$a\",\"l\":[1,",                              "8 user s"           }, /* cut */
    {"GET /csrf => 200 json:{\"token\":\"$a\"}",                                                     ""                   },
    {"GET /x;jsessionid=$a => 200",                                                                  "7 jsessionid s"     },
    {"POST /in => 302 location:/x;jsessionid=$a?y=1",                                                "7 jsessionid n"     },
    {"GET /x;jsessionid=$a => 302 location:/y;jsessionid=$a",                                        "7 jsessionid sr"    },
    {"GET /x => 302 location:http://elsewhere.example/y;jsessionid=$a",                              ""                   },
    {"GET /protected?user=alice => 200",                                                             "8 user s"           },
    {"POST /login form:user=u => 200 text:{\"token\":\"$a\"}",                                       "8 user s 2 bearer n"},
    {"POST /posts form:token=$a => 200",                                                             ""                   },
};

static void token_uses_are_those_of_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(tokens); i++) {
        struct lab *lab = lab_create(NULL);
        struct hr_buf got;
        const char *const lines[] = {tokens[i].line, NULL};
        hr_buf_init(&got, 1024);
        lab_add(lab, lines);
        const struct exchange_facts *f = lab_facts(lab, 0);
        for (size_t k = 0; k < f->token_count; k++) {
            const struct token_use *t = &f->tokens[k];
            bool same = (t->flags & TOKEN_SENT) && (t->flags & TOKEN_SET) &&
                        hr_digest_equal(&t->sent, &t->set);
            hr_buf_appendf(&got, "%s%d %.*s %s%s%s", got.len > 0 ? " " : "", (int)t->carrier,
                           (int)t->name.len, t->name.ptr, (t->flags & TOKEN_SENT) ? "s" : "",
                           !(t->flags & TOKEN_SET) ? ""
                           : same                  ? "r"
                                                   : "n",
                           (t->flags & TOKEN_DELETED) ? "d" : "");
        }
        assert_string_equal(hr_buf_str(&got), tokens[i].want);
        hr_buf_finish(&got);
        lab_destroy(lab);
    }
}

/* The name of a site is the Host field's, folded; without one it is the server's address. */
static void a_site_is_the_host_that_was_asked(void **state)
{
    static const char *const lines[] = {
        "GET / host:Shop.Example:80 => 200", "GET / host:shop.example => 200",
        "GET http://shop.example/ host:other => 200", "GET / host:shop.example:8080 => 200", NULL};
    (void)state;
    struct lab *lab = lab_create(NULL);
    lab_add(lab, lines);
    assert_string_equal(lab_facts(lab, 0)->site.ptr, "shop.example");
    assert_string_equal(lab_facts(lab, 1)->site.ptr, "shop.example");
    assert_string_equal(lab_facts(lab, 2)->site.ptr, "shop.example");
    assert_string_equal(lab_facts(lab, 3)->site.ptr, "shop.example:8080");
    lab_destroy(lab);
}

/* A hundred cookies leave room for the one that looks like a session. */
static void the_limit_of_tokens_keeps_the_likeliest(void **state)
{
    char line[2048] = "GET / cookie:";
    const char *const lines[] = {line, NULL};
    (void)state;
    for (int i = 0; i < 60; i++) {
        char one[16];
        snprintf(one, sizeof(one), "k%d=%d;", i, i);
        strcat(line, one); /* NOLINT: the sum is known */
    }
    strcat(line, "PHPSESSID=$a => 200"); /* NOLINT */
    struct lab *lab = lab_create(NULL);
    lab_add(lab, lines);
    const struct exchange_facts *f = lab_facts(lab, 0);
    bool found = false;
    assert_int_equal(f->token_count, FACTS_TOKEN_LIMIT);
    for (size_t i = 0; i < f->token_count; i++) {
        found = found || hr_span_equal(f->tokens[i].name, HR_SPAN("PHPSESSID"));
    }
    assert_true(found);
    lab_destroy(lab);
}

/* A token is seen in no output wherever it stands, in whole or in part; $k is the session's cookie
 * before, $n the one that the same answer sets. */
static const char *const places[] = {
    "/sso?return_to=https%3A%2F%2Fshop.example%2Fx%3Fsid%3D$k",
    "/sso?next=%2Flogin%3Fnext%3D%252Fx%253Fs%253D$k",
    "/sso?next=%2Fa%3Fnext%3D%252Fb%253Fnext%253D%25252Fx%25253Fs%25253D$k",
    "/img?u=http://h/p;jsessionid=$k",
    "/q?x=prefix-$k-suffix",
    "/q?x=a,$k",
    "/q?x=a%2C$k",
    "/q?x=[$k]",
    "/q?a.$k=1",
    "/q?sid_$k",
    "/q?$k=",
    "/page.$k",
    "/page.$k.html",
    "/page-$k;v=1",
    "/p/x%3D$k/y",
    "/q/sid=$k/x",
    "/q/view=$k/x",
    "/q/$k==/x",
    "/q;v=1,$k/x",
    "/q#state:$k",
    "//$k.example/x",
    "http://$k.example/x",
    "http://shop.example/x?u=http://h/$k",
    "/v/$n/x",
    "/v/a.$n?x=b-$n",
    "/r?next=%2Flogin%3Fpassword%3DPa55w0rdXyzzy%21",
    "/r?next=/login?password=Pa55w0rdXyzzy%21",
    "/r?q=1;pwd=Pa55w0rdXyzzy%21",
    "/r?f={%22password%22:%22Pa55w0rdXyzzy%21%22}",
    "/r/password=Pa55w0rdXyzzy%21/x",
    "/cb?redirect=http%3A%2F%2Fh%2F%3Faccess_token%3DPa55w0rdXyzzy",
    "/o?X-Amz-Signature=Pa55w0rdXyzzy&X-Amz-Security-Token=Pa55w0rdXyzzy",
    "/o?X-Amz-Credential=Pa55w0rdXyzzy&AWSAccessKeyId=Pa55w0rdXyzzy&Signature=Pa55w0rdXyzzy",
    "/o?sig=Pa55w0rdXyzzy&X-Goog-Signature=Pa55w0rdXyzzy&GoogleAccessId=Pa55w0rdXyzzy",
};

static void assert_no_piece(const struct exchange_facts *f, const char *secret)
{
    for (size_t i = 0; i + 8 <= strlen(secret); i++) {
        char piece[9] = "";
        memcpy(piece, secret + i, 8);
        assert_without(f, piece);
        assert_false(holds(f->host, piece));
        assert_false(holds(f->site, piece));
        assert_false(holds(f->method, piece));
    }
}

static void no_piece_of_a_secret_leaves(void **state)
{
    (void)state;
    char k[33];
    char n[33];
    lab_value("$k", k);
    lab_value("$n", n);
    for (size_t i = 0; i < HR_ARRAY_LEN(places); i++) {
        struct lab *lab = lab_create(NULL);
        char as_target[256];
        char as_location[256];
        snprintf(as_target, sizeof(as_target), "GET %s => 200 set:sid=$n", places[i]);
        snprintf(as_location, sizeof(as_location), "GET /x => 302 location:%s set:sid=$n",
                 places[i]);
        const char *const lines[] = {"GET / cookie:sid=$k => 200", as_target, as_location, NULL};
        lab_add(lab, lines);
        for (size_t at = 0; at < lab_count(lab); at++) {
            assert_no_piece(lab_facts(lab, at), k);
            assert_no_piece(lab_facts(lab, at), n);
            assert_no_piece(lab_facts(lab, at), "Pa55w0rdXyzzy");
        }
        lab_destroy(lab);
    }
}

/* A host's name that is a known token is hidden, in the site as well; one that only equals a
 * cookie's plain value is not. */
static void hosts_hide_tokens_alone(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "GET / cookie:sid=$k;home=shop.example => 200",
        "GET /h host:$k.example => 200",
        "GET /h host:shop.example => 200",
        NULL,
    };
    char k[33];
    struct lab *lab = lab_create(NULL);
    lab_value("$k", k);
    lab_add(lab, lines);
    assert_no_piece(lab_facts(lab, 1), k);
    assert_int_equal(lab_facts(lab, 1)->host.ptr[0], '~');
    assert_true(hr_span_equal(lab_facts(lab, 2)->host, HR_SPAN("shop.example")));
    lab_destroy(lab);
}

/* Words and numbers stay where a cookie has them as well, but for the whole of a value. */
static void plain_parts_stay(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "GET / cookie:theme=standard => 200",
        "GET /css/standard.css?x=a-standard&next=/a=b&q=100%25&ids=1,2,3 => 200",
        NULL,
    };
    struct lab *lab = lab_create(NULL);
    lab_add(lab, lines);
    assert_true(
        hr_span_equal(lab_facts(lab, 1)->target,
                      HR_SPAN("/css/standard.css?x=a-standard&next=/a=b&q=100%25&ids=1,2,3")));
    assert_true(hr_span_equal(lab_facts(lab, 1)->path_template, HR_SPAN("/css/standard.css")));
    lab_destroy(lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_keep_everything_but_credentials),
        cmocka_unit_test(no_piece_of_a_secret_leaves),
        cmocka_unit_test(hosts_hide_tokens_alone),
        cmocka_unit_test(plain_parts_stay),
        cmocka_unit_test(no_secret_leaves),
        cmocka_unit_test(facts_are_those_of_the_table),
        cmocka_unit_test(token_uses_are_those_of_the_table),
        cmocka_unit_test(a_site_is_the_host_that_was_asked),
        cmocka_unit_test(the_limit_of_tokens_keeps_the_likeliest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
