#include "evidence/evidence.h"

#include "base/alloc.h"
#include "evidence/anonymize.h"
#include "evidence/collect.h"
#include "evidence/comment.h"
#include "evidence/locate.h"
#include "evidence/scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A segment takes about 64 bytes. */
#define SEGMENTS_LIMIT ((size_t)32 * 1024 * 1024)

static void add_sources(struct evidence *e, const struct plan_import *import)
{
    e->sources =
        hr_xrealloc(e->sources, (e->source_count + import->source_count + 1) * sizeof(*e->sources));
    for (size_t i = 0; i < import->source_count; i++) {
        const struct plan_source *s = &import->sources[i];
        e->sources[e->source_count++] = (struct evidence_source){
            .path = hr_arena_strdup(&e->arena, hr_span_str(s->capture.path)),
            .real_path = hr_arena_text(&e->arena, s->path),
            .ring = import->ring,
            .place = s->place,
            .from = import->from,
        };
    }
}

/* None is where only the beginnings of connections were wanted, and are lost. */
static bool is_any_needed(const struct plan_import *import)
{
    for (size_t i = 0; i < import->source_count; i++) {
        if (import->sources[i].is_needed) {
            return true;
        }
    }
    return false;
}

static int scan_all(const struct evidence_job *job, struct plan *p, struct evidence *e,
                    struct frame_picks *picks, struct hr_buf *ret_error)
{
    struct scan_config config = {
        .decode = job->decode,
        .tcp = job->tcp,
        .http = job->http,
        .segment_limit = SEGMENTS_LIMIT,
        .is_private = job->anonymize,
        .stop = job->stop,
    };
    int r = 0;
    for (size_t i = 0; i < p->import_count && (r == 0 || r == -ESTALE); i++) {
        size_t first = e->source_count;
        add_sources(e, &p->imports[i]);
        if (!is_any_needed(&p->imports[i])) {
            continue;
        }
        int one = scan_import(p, &p->imports[i], first, &config, e, picks, ret_error);
        r = one < 0 ? one : r;
    }
    return r;
}

static int compare_segments(const void *a, const void *b)
{
    const struct evidence_segment *x = a;
    const struct evidence_segment *y = b;
    int r = (x->source > y->source) - (x->source < y->source);
    r = r != 0 ? r : (x->frame > y->frame) - (x->frame < y->frame);
    return r != 0 ? r : (x->nth > y->nth) - (x->nth < y->nth);
}

static void explain(int r, struct hr_buf *ret_error)
{
    if (ret_error->len > 0) {
        return;
    }
    if (r == -EFBIG) {
        hr_buf_append_str(ret_error, "the evidence is too large; name fewer findings at a time, or "
                                     "raise --max-evidence");
    } else if (r == -ENODATA) {
        hr_buf_append_str(ret_error, "no exchange stands behind these findings: there is nothing "
                                     "to cut out");
    } else if (r == -ENOENT) {
        hr_buf_append_str(ret_error, "the database does not say whole where the frames of these "
                                     "findings are: headrace db check");
    }
}

/* Who reads a database that was made with a key file has no key of it: one is drawn. */
static void anonymize_all(const struct evidence_job *job, struct evidence *e,
                          struct evidence_result *result)
{
    static const struct hr_key none = {{0}};
    struct hr_key key = *store_key(job->store);
    if (memcmp(&key, &none, sizeof(key)) == 0) {
        hr_key_random(&key);
    }
    anonymize(e, &key, job->decode, result);
    hr_wipe(&key, sizeof(key));
}

int evidence_cut(const struct evidence_job *job, struct evidence *ret_evidence,
                 struct evidence_result *ret_result, struct hr_buf *ret_error)
{
    struct plan plan;
    struct frame_picks picks = {0};
    struct evidence *e = ret_evidence;
    evidence_init(e);
    *ret_result = (struct evidence_result){0};
    int r = plan_make(&plan, job->store, job->findings, job->finding_count, ret_error);
    r = r == 0 && plan.exchange_count == 0 ? -ENODATA : r;
    r = r == 0 ? plan_locate(&plan, job->folder, job->ring, ret_error) : r;
    r = r == 0 ? scan_all(job, &plan, e, &picks, ret_error) : r;
    r = r == 0 && ret_error->len > 0 && picks.count == 0 ? -ESTALE : r;
    if (r == 0) {
        frame_picks_settle(&picks, &e->arena);
        e->comment = comment_section(&e->arena, &plan, e, &picks, job->anonymize);
        e->is_private = job->anonymize;
        if (e->segment_count > 0) {
            qsort(e->segments, e->segment_count, sizeof(*e->segments), compare_segments);
        }
        r = collect_frames(e, &picks, job->bytes_limit, job->stop, ret_error);
    }
    if (r == 0 && job->anonymize) {
        anonymize_all(job, e, ret_result);
    }
    ret_result->exchanges = plan.exchange_count;
    ret_result->connections = e->conn_count;
    explain(r, ret_error);
    frame_picks_finish(&picks);
    plan_finish(&plan);
    return r;
}
