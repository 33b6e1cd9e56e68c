#include "base/alloc.h"
#include "session/values.h"
#include "support/test.h"

/* A token that says by itself whose it is, and one that is only long. */
static const struct {
    const char *value;
    bool is_self_contained;
} tokens[] = {
    {"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl",        true },
    {"eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.",                     true },
    {"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..aXY.Y3Q.dGFn",         true },
    {"eyJ1c2VyIjoiYWxpY2UifQ.ZjE2Qw.Zm9vYmFyYmF6cXV4cXV1eA",          true }, /* Flask */
    {".eJyrVkrLz1eyUkpKLFKqBQAdegQ0.ZjE2Qw.Zm9vYmFyYmF6cXV4cXV1eA",   true },
    {"eyJ1c2VyIjoiYWxpY2UifQ:1s2AbC:Zm9vYmFyYmF6cXV4cXV1eA",          true }, /* Django */
    {".eJyrVkrLz1eyUkpKLFKqBQAdegQ0:1s2AbC:Zm9vYmFyYmF6cXV4cXV1eA",   true },
    {"v4.local.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",                 true }, /* PASETO */
    {"v2.public.eyJzdWIiOiJhbGljZSJ9c2ln.Zm9vdGVy",                   true },
    {"BAh7CEkiD3Nlc3Npb25faWQGOgZFVEkiJTQ3--"
     "0123456789abcdef0123456789abcdef01234567",                 true }, /* Rails */
    {"Zm9vYmFyYmF6cXV4cXV1eGZvb2JhcmJheg%3D%3D--MTIzNDU2Nzg5MDEy--"
     "MTIzNDU2Nzg5MDEyMzQ1Ng%3D%3D",                             true },
    {"Zm9vYmFyYmF6cXV4cXV1eGZvb2JhcmJheg%3D%3D--MTIz%2BDU2Nzg5%2FDEy--"
     "MTIz%2BDU2Nzg5%2FDEyMzQ1Ng%3D%3D",                         true },
    {"eyJfcmFpbHMiOnsibWVzc2FnZSI6Ik1RPT0ifX0=--"
     "0123456789abcdef0123456789abcdef01234567",                 false}, /* a signed number */
    {"eyJpdiI6IkFBQUEiLCJ2YWx1ZSI6IkFBQUEiLCJtYWMiOiJBQUFBIn0%3D",    false}, /* Laravel: of an id */
    {"s%3AAbCdEfGhIjKlMnOpQrStUvWxYz012345.c2lnbmF0dXJlc2lnbmF0dXJl", false}, /* Express */
    {"0123456789abcdef0123456789abcdef",                              false},
    {"eyJhbGciOiJIUzI1NiJ9",                                          false},
    {"v4.local.",                                                     false},
    {"a--b--c--d--e--f--g--h--i--j",                                  false},
    {"--------------------------------",                              false},
    {"",                                                              false},
};

static void shapes_tell_what_is_self_contained(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(tokens); i++) {
        if (text_is_jwt(hr_span_str(tokens[i].value)) != tokens[i].is_self_contained) {
            fail_msg("%s", tokens[i].value);
        }
    }
}

/* Sessions that single frameworks keep in the browser. */
static const char *const sealed[] = {
    /* Tornado */
    "2|1:0|10:1795888787|4:user|8:YWxpY2U=|"
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "\"2|1:0|10:1795888787|4:user|8:YWxpY2U=|"
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"",
    /* Pyramid */
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd"
    "ef0123456789abcdef0123456789abcdef6b0b1675YWxpY2U%3D!userid_type:b64unicode",
    /* mod_auth_tkt */
    "0123456789abcdef0123456789abcdef6b0b1675alice!",
    /* hapi */
    "Fe26.2**aa89743b*s4fXUZIJ6tkivMQDPLIuig*yfezyR2EP1NShY06EK7tEg**edb68f*KjijiZJe1s9seV9lBVJ1",
    /* Fernet */
    "gAAAAABlZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYm"
    "FyZm9vYmFyZm9vYmFyZm9vYmFy",
    /* ASP.NET Core: a ticket */
    "CfDJ8Zm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZ"
    "m9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmF"
    "yZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vY"
    "mFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFy",
    /* koa-session */
    "eyJ1c2VyIjoiYm9iIiwibGFzdCI6IjMiLCJ2aWV3cyI6MSwiX2V4cGlyZSI6MTc5NTk3NTM5MDM0Mn0=",
    /* cookie-session */
    "eyJwYXNzcG9ydCI6eyJ1c2VyIjo0Mn19",
    /* Mojolicious */
    "eyJ1c2VyIjoiYm9iIn0---0123456789abcdef0123456789abcdef01234567",
    /* Fastify */
    "9Md%2Fxrhe6ShAhibDIYjdlun8VDG938R9nJskrpmXGc8rZNxNHFL%2FWEaM%3D%3B1Xtp3Eqh9uMJr4m0Q2Kii5192jQ%"
    "2BGETp",
    /* gorilla/sessions: a map */
    "MTcwMDAwMDAwMHxEWDhFQVFMX2dBQUJFQUVRQUFCMWMyVnlJR0ZzYVdObElERXlNelExfG1tbW1tbW1tbW1tbW1tbW1tbW"
    "1tbW1tbW1tbW1tbW1t",
    "MTcwMDAwMDAwMHxEdi1CQkFFQ180SUFBUkFCRUFBQWRYTmxjaUJoYkdsalpTQXhNak0wfG1tbW1tbW1tbW1tbW1tbW1tbW"
    "1tbW1tbW1tbW1tbW1t",
};

/* What only looks so, or only names a session. */
static const char *const unsealed[] = {
    "2|1:0|10:1795888787|4:user|8:YWxpY2U=|0123456789abcdef",
    "0123456789abcdef0123456789abcdef6b0b1675alice",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    /* ... the number of a session */
    "CfDJ8Zm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZ"
    "m9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFy",
    /* a number in JSON */
    "eyJzaWQiOiIwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZiJ9",
    "eyJfcmFpbHMiOnsibWVzc2FnZSI6Ik1RPT0ifX0=--"
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "1234567890123456789012345678901234567890;abc",
    /* ... the number of a file */
    "MTcwMDAwMDAwMHxOd3dBTkVGQlFVRkJRVUZCUVVGQlFVRkJRVUZCUVVGQlFVRkJRVUZCUVVGQlFVRkJRVUZCUVVGQlFVRk"
    "JRVUZCUVVGQlFVRkJRVUU9fG1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1t",
};

static void formats_of_frameworks_are_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < HR_ARRAY_LEN(sealed); i++) {
        if (!text_is_sealed(hr_span_str(sealed[i]))) {
            fail_msg("%s", sealed[i]);
        }
    }
    for (size_t i = 0; i < HR_ARRAY_LEN(unsealed); i++) {
        if (text_is_sealed(hr_span_str(unsealed[i]))) {
            fail_msg("%s", unsealed[i]);
        }
    }
    for (size_t i = 0; i < HR_ARRAY_LEN(tokens); i++) {
        if (!tokens[i].is_self_contained && text_is_sealed(hr_span_str(tokens[i].value))) {
            fail_msg("%s", tokens[i].value);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_tell_what_is_self_contained),
        cmocka_unit_test(formats_of_frameworks_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
