#include "base/alloc.h"
#include "support/test.h"
#include "tcp/conn_table.h"

#include <stdlib.h>

#define ENTRIES 5000u
#define STEPS 60000u

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static struct tcp_entry *new_entries(void)
{
    struct tcp_entry *all = hr_xcalloc(ENTRIES, sizeof(*all));
    for (uint32_t i = 0; i < ENTRIES; i++) {
        all[i].key.network = i % 3;
        all[i].key.side[0].port = (uint16_t)(i / 3);
    }
    return all;
}

static const struct tcp_entry *find(const struct tcp_index *x, const struct tcp_key *key)
{
    return tcp_index_find(x, key, tcp_index_hash(key));
}

/* Whatever comes and goes, exactly what is in the index is found, each under its own key. */
static void finds_what_is_in_it(void **state)
{
    (void)state;
    struct tcp_entry *all = new_entries();
    bool *in = hr_xcalloc(ENTRIES, sizeof(*in));
    uint32_t random = 1;
    struct tcp_index x;
    size_t count = 0;
    tcp_index_init(&x);
    for (uint32_t step = 0; step < STEPS; step++) {
        uint32_t i = next_random(&random) % ENTRIES;
        if (in[i]) {
            tcp_index_remove(&x, &all[i]);
        } else {
            tcp_index_add(&x, &all[i]);
        }
        in[i] = !in[i];
        count += in[i] ? 1 : (size_t)-1;
        uint32_t asked = next_random(&random) % ENTRIES;
        assert_ptr_equal(find(&x, &all[asked].key), in[asked] ? &all[asked] : NULL);
    }
    assert_int_equal(x.count, count);
    for (uint32_t i = 0; i < ENTRIES; i++) {
        assert_ptr_equal(find(&x, &all[i].key), in[i] ? &all[i] : NULL);
        assert_true(!in[i] || tcp_index_guess(&x, tcp_index_hash(&all[i].key)) != NULL);
    }
    tcp_index_finish(&x);
    free(in);
    free(all);
}

/* A half empty table: what is looked for in vain is looked for at few places. */
static void stays_half_empty(void **state)
{
    (void)state;
    struct tcp_entry *all = new_entries();
    struct tcp_index x;
    tcp_index_init(&x);
    for (uint32_t i = 0; i < ENTRIES; i++) {
        tcp_index_add(&x, &all[i]);
        assert_true(2 * x.count <= x.mask + 2);
    }
    for (uint32_t i = 0; i < ENTRIES; i++) {
        tcp_index_remove(&x, &all[i]);
    }
    for (size_t i = 0; i <= x.mask; i++) {
        assert_null(x.slots[i].entry);
    }
    tcp_index_finish(&x);
    free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_is_in_it),
        cmocka_unit_test(stays_half_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
