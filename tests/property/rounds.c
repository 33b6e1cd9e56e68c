/*
 * rounds CAPTURE DATABASE KEY FRAMES SHARE [FROM TO]: reads the capture as a watch does, with a
 * round after each FRAMES frames, and runs the built-in rules in each. KEY is a file of 32 bytes.
 * SHARE is rounds_config.glance_share: 0 looks at everything in each round, a large one in the
 * first and the last, with an h behind it in the first alone, and with a g also where an eighth of
 * what is stored is new, and with rSECONDS what ended so long ago is deleted. Connections that begin behind
 * frame FROM and up to frame TO are left out, as under overload. Prints for each round how it
 * looked, and the findings after it.
 */
#include "pipeline/ingest.h"
#include "store/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int nothing(const struct round *r, void *user)
{
    (void)r;
    (void)user;
    return 0;
}

static int print_finding(const struct query_row *row, void *user)
{
    const struct hr_span text = row->values[0].text;
    (void)user;
    printf(" %.*s", (int)text.len, text.ptr);
    return 0;
}

struct teller {
    struct store *store;
    bool is_glance; /* the last round was */
};

static int note(const struct round *r, void *user)
{
    struct teller *t = user;
    t->is_glance = r->is_glance;
    return 0;
}

static void tell(void *user)
{
    const struct teller *t = user;
    struct query_error e;
    const struct query all = {
        .sql = HR_SPAN("SELECT rule || ':' || fingerprint || ':' || verdict FROM findings "
                       "WHERE withdrawn_at IS NULL ORDER BY fingerprint")};
    printf("%s", t->is_glance ? "glance" : "look");
    if (query_run(t->store, &all, print_finding, NULL, &e) != 0) {
        printf(" %s", e.text);
    }
    printf("\n");
}

static void complain(const char *line, void *user)
{
    (void)user;
    fprintf(stderr, "%s\n", line);
}

static int fail(const char *what)
{
    fprintf(stderr, "rounds: %s\n", what);
    return 2;
}

/* In frames of the capture. */
struct plan {
    unsigned long round;
    unsigned share;
    unsigned growth; /* rounds_config.glance_growth */
    bool is_hurried;
    hr_nsec retain;
    unsigned long shed_from;
    unsigned long shed_to;
};

/* @return 0 or the store's negative errno */
static int feed(struct packet_source *source, struct ingest *g, const struct plan *plan)
{
    struct packet p;
    unsigned long count = 0;
    while (packet_source_next(source, &p) > 0) {
        ingest_shed(g, count >= plan->shed_from && count < plan->shed_to ? 16 : 0);
        ingest_feed(g, &p);
        if (++count % plan->round == 0) {
            ingest_end_round(g, packet_source_info(source, 0), false, false);
        }
    }
    ingest_end_round(g, packet_source_info(source, 0), true, plan->is_hurried);
    return ingest_finish(g);
}

static int run(const char *const *path, struct store *store, const struct plan *plan)
{
    struct packet_source_config files = {.paths = path, .path_count = 1};
    struct packet_source *source = NULL;
    struct hr_buf error;
    struct rule_set rules;
    struct pipeline_config config;
    struct ingest *ingest = NULL;
    struct teller teller = {.store = store};
    hr_buf_init(&error, SIZE_MAX);
    pipeline_config_init(&config);
    if (packet_source_open(&files, &source, &error) < 0 ||
        rule_set_load(NULL, 0, complain, NULL, &rules) != 0) {
        return fail("no capture, or broken rules");
    }
    struct rounds_config rounds_config = {
        .store = store,
        .rules = &rules,
        .clock_error = config.clock_error,
        .captures = path,
        .capture_count = 1,
        .glance_share = plan->share,
        .glance_growth = plan->growth,
        .retain = plan->retain,
        .found = note,
        .idle = nothing,
        .ended = tell,
        .user = &teller,
    };
    struct rounds *rounds = rounds_create(&rounds_config);
    struct writer_target target = {.rounds = rounds};
    int r = ingest_create(&config, store_key(store), NULL, &target, 1, &ingest);
    r = r == 0 ? feed(source, ingest, plan) : r;
    ingest_destroy(ingest);
    rounds_destroy(rounds);
    packet_source_close(source);
    rule_set_finish(&rules);
    hr_buf_finish(&error);
    return r == 0 ? 0 : fail(store_error(store));
}

int main(int argc, char **argv)
{
    struct hr_key key;
    struct store *store = NULL;
    if (argc != 6 && argc != 8) {
        return fail("CAPTURE DATABASE KEY FRAMES SHARE [FROM TO]");
    }
    FILE *f = fopen(argv[3], "rb");
    if (f == NULL || fread(&key, 1, sizeof(key), f) != sizeof(key)) {
        return fail("no key");
    }
    fclose(f);
    struct store_config config = {
        .path = argv[2], .mode = STORE_WRITE, .busy_timeout_ms = 10000, .key = &key};
    if (store_open(&config, &store) < 0) {
        return fail(store_error(store));
    }
    struct plan plan = {.round = strtoul(argv[4], NULL, 10),
                        .share = (unsigned)strtoul(argv[5], NULL, 10),
                        .growth = strchr(argv[5], 'g') != NULL ? 8 : 0,
                        .is_hurried = strchr(argv[5], 'h') != NULL};
    const char *retain = strchr(argv[5], 'r');
    if (retain != NULL) {
        plan.retain = strtol(retain + 1, NULL, 10) * HR_NSEC_PER_SEC;
    }
    if (argc == 8) {
        plan.shed_from = strtoul(argv[6], NULL, 10);
        plan.shed_to = strtoul(argv[7], NULL, 10);
    }
    int status = run((const char *const *)&argv[1], store, &plan);
    store_close(store);
    return status;
}
