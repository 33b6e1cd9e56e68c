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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_tell_what_is_self_contained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
