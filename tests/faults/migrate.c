/*
 * migrate FILE KEY - brings a database of version 1 up to 3 by steps as real ones are: a column is
 * added and filled, a table made anew. KEY is the file of its key.
 */
#include "store/db.h"

#include <stdio.h>

static const struct store_migration steps[] = {
    {1, "ALTER TABLE exchanges ADD COLUMN colour TEXT; UPDATE exchanges SET colour = 'green'"},
    {2, "CREATE TABLE made_anew AS SELECT * FROM token_uses; DROP TABLE token_uses;"
        "ALTER TABLE made_anew RENAME TO token_uses"                                  },
};

static bool read_key(const char *path, struct hr_key *ret_key)
{
    FILE *f = fopen(path, "rb");
    bool done = f != NULL && fread(ret_key->bytes, sizeof(ret_key->bytes), 1, f) == 1;
    if (f != NULL) {
        fclose(f);
    }
    return done;
}

int main(int argc, char **argv)
{
    struct hr_key key;
    if (argc != 3 || !read_key(argv[2], &key)) {
        return 2;
    }
    struct store *s = NULL;
    const struct store_config config = {.path = argv[1], .mode = STORE_WRITE, .key = &key};
    int r = hr_digest_setup() == 0 ? store_open(&config, &s) : -1;
    r = r == 0 ? store_migrate(s, steps, 2, 3) : r;
    if (r < 0) {
        fprintf(stderr, "%s\n", store_error(s));
    }
    store_close(s);
    return r < 0 ? 1 : 0;
}
