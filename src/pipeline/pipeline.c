/*
 * The whole program on one screen: pipeline_run(). One transaction holds it all, so a run that is
 * killed leaves no trace, and one that is stopped keeps what is whole.
 */
#include "pipeline/pipeline.h"

#include "base/alloc.h"
#include "base/log.h"
#include "pipeline/capture_end.h"
#include "pipeline/classify.h"
#include "pipeline/ingest.h"
#include "pipeline/judge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How many frames pass between two looks at the stop flag and the progress line. */
enum {
    FRAMES_PER_LOOK = 4096,
    CONNECTIONS_CACHED = 1000, /* what is kept of so many stays in the processor's caches */
};

static void report_progress(const struct pipeline_run *run, const struct packet_source *source,
                            const struct ingest *g, const char *stage)
{
    struct pipeline_progress p = {.stage = stage};
    bool sizes_known = true;
    if (run->progress == NULL) {
        return;
    }
    for (size_t i = 0; i < packet_source_count(source); i++) {
        const struct capture_info *info = packet_source_info(source, i);
        p.read_bytes += info->read_bytes;
        p.total_bytes += info->size_bytes;
        p.frames += info->frames;
        sizes_known = sizes_known && (info->size_bytes > 0 || info->error != 0);
    }
    p.total_bytes = sizes_known ? p.total_bytes : 0;
    p.exchanges = ingest_exchange_count(g);
    run->progress(&p, run->user);
}

static bool is_stopped(const struct pipeline_run *run)
{
    return run->stop != NULL && *run->stop != 0;
}

/* Pulls every frame through the stages. @return 0 or the store's error; *ret_stopped early */
static int read_frames(const struct pipeline_run *run, struct packet_source *source,
                       struct ingest *g, bool *ret_stopped)
{
    struct packet p;
    uint64_t count = 0;
    while (packet_source_next(source, &p) > 0) {
        /* The frames of a further interface are counted by the decoder, and the rest goes on. */
        if (!decode_knows_link(p.link_type) &&
            p.link_type == packet_source_info(source, p.capture)->link_type) {
            char text[64];
            snprintf(text, sizeof(text), "link type %u is not known", p.link_type);
            packet_source_reject(source, p.capture, -EPROTONOSUPPORT, text);
            continue;
        }
        ingest_feed(g, &p);
        if (++count % FRAMES_PER_LOOK == 0) {
            report_progress(run, source, g, "reading");
            packet_source_look_ahead(source, ingest_connection_count(g) > CONNECTIONS_CACHED);
            if (is_stopped(run) || ingest_has_failed(g)) {
                break;
            }
        }
    }
    *ret_stopped = is_stopped(run);
    return ingest_finish(g);
}

/* What a file says of its own losses, and its final numbers. */
static int end_captures(struct import *import, const struct packet_source *source,
                        const struct ingest *g)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < packet_source_count(source); i++) {
        const struct capture_info *info = packet_source_info(source, i);
        hr_nsec doubt = ingest_clock_doubt(g, i);
        doubt = doubt > info->largest_step_back ? doubt : info->largest_step_back;
        r = capture_end_losses(import, i, info);
        r = r == 0 ? import_end_capture(import, i, info, doubt) : r;
    }
    return r;
}

/* @param classifier  is fed meanwhile where the database held nothing before */
static int run_import(struct store *s, const struct pipeline_run *run, struct packet_source *source,
                      struct pipeline_result *result, struct classifier *classifier)
{
    struct import *import = NULL;
    struct ingest *g = NULL;
    int r = import_begin(s, &import);
    for (size_t i = 0; r == 0 && i < run->capture_count; i++) {
        r = import_add_capture(import, i, run->captures[i]);
    }
    if (r == 0) {
        struct writer_target target = {.import = import,
                                       .classifier = import_is_first(import) ? classifier : NULL};
        r = ingest_create(run->config, store_key(s), run->profiles, &target, run->capture_count,
                          &g);
    }
    if (r < 0) {
        goto out;
    }
    r = read_frames(run, source, g, &result->stopped);
    report_progress(run, source, g, "analysing");
    ingest_counters(g, result);
    result->exchanges = ingest_exchange_count(g);
    if (r == 0) {
        r = end_captures(import, source, g);
    }
    if (r == 0) {
        r = import_finish(import);
    }
out:
    ingest_destroy(g);
    import_destroy(import);
    return r;
}

static void keep_judge_counter(const struct hr_counter_info *info, uint64_t value, void *user)
{
    pipeline_keep_counter(user, "pipeline", info, value);
}

static int analyse(struct store *s, const struct pipeline_run *run, struct classifier *classifier,
                   struct pipeline_result *result)
{
    struct judge_counters counters = {0};
    int r = pipeline_analyse(s, run->profiles, run->config->clock_error, classifier, &counters);
    judge_emit_counters(&counters, keep_judge_counter, result);
    return r == 0 ? classifier_save(classifier) : r;
}

static void log_rule_error(const char *line, void *user)
{
    (void)user;
    hr_error("%s", line);
}

static int run_rules(struct store *s, const struct pipeline_run *run,
                     struct pipeline_result *result)
{
    if (run->rules == NULL) {
        return 0;
    }
    int r = rule_set_run(run->rules, s, false, log_rule_error, NULL, &result->rules);
    return r < 0 ? r : 0;
}

static void keep_capture_info(const struct packet_source *source, struct pipeline_result *result)
{
    result->capture_count = packet_source_count(source);
    result->captures = hr_xcalloc(result->capture_count, sizeof(*result->captures));
    for (size_t i = 0; i < result->capture_count; i++) {
        result->captures[i] = *packet_source_info(source, i);
        if (result->captures[i].error != 0) {
            result->capture_status = 3;
        }
    }
}

/* All of it within a transaction. */
static int fill(struct store *s, const struct pipeline_run *run, struct packet_source *source,
                struct pipeline_result *result)
{
    struct classifier *classifier = classifier_create(s, run->profiles);
    int r = run_import(s, run, source, result, classifier);
    r = r == 0 ? analyse(s, run, classifier, result) : r;
    classifier_destroy(classifier);
    return r == 0 ? run_rules(s, run, result) : r;
}

/* How a run begins and ends its transaction. */
struct frame {
    int (*begin)(struct store *s);
    int (*end)(struct store *s, void *user);
    void *user;
};

static int run_framed(struct store *s, const struct pipeline_run *run, const struct frame *f,
                      struct pipeline_result *ret_result, struct hr_buf *ret_error)
{
    const struct packet_source_config config = {.paths = run->captures,
                                                .path_count = run->capture_count,
                                                .filter = run->filter,
                                                .read_ahead = true};
    struct packet_source *source = NULL;
    *ret_result = (struct pipeline_result){0};
    int r = packet_source_open(&config, &source, ret_error);
    if (r < 0) {
        return r;
    }
    r = f->begin(s);
    r = r == 0 ? fill(s, run, source, ret_result) : r;
    r = r == 0 ? f->end(s, f->user) : r;
    if (r < 0) {
        hr_buf_append_str(ret_error, store_error(s));
        store_rollback(s);
    }
    keep_capture_info(source, ret_result);
    packet_source_close(source);
    return r;
}

static int keep(struct store *s, void *user)
{
    (void)user;
    return store_commit(s);
}

int pipeline_run(struct store *s, const struct pipeline_run *run,
                 struct pipeline_result *ret_result, struct hr_buf *ret_error)
{
    const struct frame f = {.begin = store_begin_import, .end = keep};
    return run_framed(s, run, &f, ret_result, ret_error);
}

struct trial {
    int (*look)(struct store *s, void *user);
    void *user;
};

static int look_and_forget(struct store *s, void *user)
{
    const struct trial *t = user;
    const int r = t->look(s, t->user);
    if (r == 0) {
        store_rollback(s);
    }
    return r;
}

int pipeline_try(struct store *s, const struct pipeline_run *run,
                 int (*look)(struct store *s, void *user), void *user,
                 struct pipeline_result *ret_result, struct hr_buf *ret_error)
{
    struct trial t = {.look = look, .user = user};
    const struct frame f = {.begin = store_begin_trial, .end = look_and_forget, .user = &t};
    return run_framed(s, run, &f, ret_result, ret_error);
}

int pipeline_prepare_trials(struct store *s, const struct pipeline_run *run,
                            struct hr_buf *ret_error)
{
    const struct frame f = {.begin = store_begin_trial, .end = keep};
    struct pipeline_run nothing = *run;
    struct pipeline_result result;
    nothing.captures = NULL;
    nothing.capture_count = 0;
    const int r = run_framed(s, &nothing, &f, &result, ret_error);
    pipeline_result_finish(&result);
    return r;
}

void pipeline_keep_counter(struct pipeline_result *r, const char *stage,
                           const struct hr_counter_info *info, uint64_t value)
{
    r->counters = hr_xgrow(r->counters, r->counter_count, sizeof(*r->counters));
    r->counters[r->counter_count++] =
        (struct pipeline_counter){.stage = stage, .info = *info, .value = value};
}

void pipeline_result_finish(struct pipeline_result *r)
{
    if (r != NULL) {
        free(r->captures);
        free(r->counters);
        rule_run_result_finish(&r->rules);
        *r = (struct pipeline_result){0};
    }
}
