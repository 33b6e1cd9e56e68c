/* A full map forgets, but what it knows is right, and what is asked for again and again stays. */
#include "base/digest.h"
#include "store/ids.h"
#include "support/test.h"

#include <stdio.h>

enum {
    LIMIT = 50,
    KEYS = 20000,
};

static size_t key_of(int i, char key[32])
{
    return (size_t)snprintf(key, 32, "%*d", i % 20 + 1, i);
}

static struct id_key hashed(const char *key, size_t len)
{
    return (struct id_key){key, len, hr_hash_table(key, len)};
}

static int64_t find(struct id_cache *c, const char *key, size_t len)
{
    const struct id_key k = hashed(key, len);
    id_cache_fetch_slot(c, k.hash); /* changes nothing */
    id_cache_fetch(c, k.hash);
    return id_cache_find(c, &k);
}

static void add(struct id_cache *c, const char *key, size_t len, int64_t id)
{
    const struct id_key k = hashed(key, len);
    id_cache_add(c, &k, id);
}

static void what_is_known_is_right(void **state)
{
    (void)state;
    struct id_cache c;
    char key[32];
    int known = 0;
    id_cache_init(&c, LIMIT, true);
    for (int i = 0; i < KEYS; i++) {
        size_t len = key_of(i, key);
        assert_int_equal(find(&c, key, len), 0);
        add(&c, key, len, i + 1);
        assert_true(c.is_whole == (i < LIMIT));
        /* Few: where all were asked for lately, the oldest goes all the same. */
        for (int old = i > 2 * LIMIT ? i - 2 * LIMIT : 0; old <= i && i % 97 == 0; old += 7) {
            int64_t id = find(&c, key, key_of(old, key));
            assert_true(id == 0 || id == old + 1);
            known += id != 0;
        }
        /* asked for all the time */
        assert_int_equal(find(&c, key, key_of(0, key)), 1);
    }
    assert_true(known > 0);
    assert_int_equal(c.count, LIMIT);
    id_cache_finish(&c);
}

static void nothing_is_forgotten_below_the_limit(void **state)
{
    (void)state;
    struct id_cache c;
    char key[32];
    id_cache_init(&c, KEYS, true);
    for (int i = 0; i < KEYS; i++) {
        add(&c, key, key_of(i, key), i + 1);
    }
    for (int i = 0; i < KEYS; i++) {
        assert_int_equal(find(&c, key, key_of(i, key)), i + 1);
    }
    assert_true(c.is_whole);
    id_cache_finish(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_known_is_right),
        cmocka_unit_test(nothing_is_forgotten_below_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
