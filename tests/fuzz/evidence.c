/*
 * Evidence cut out of a capture that is not what it was, as a database says that is damaged or
 * hostile (records: site.h). What cannot be found is told in lines; what is written is written
 * alike twice, within the bound.
 */
#include "evidence/evidence.h"

#include "fuzz.h"
#include "pipeline/pipeline.h"
#include "site.h"
#include "store/read.h"

enum { FINDING_LIMIT = 16, BYTES_LIMIT = 1024 * 1024 };

struct findings {
    int64_t ids[FINDING_LIMIT];
    size_t count;
};

static int keep_finding(const struct finding_view *x, void *user)
{
    struct findings *f = user;
    if (f->count < FINDING_LIMIT) {
        f->ids[f->count++] = x->id;
    }
    return 0;
}

static void append(struct hr_span bytes, void *user)
{
    hr_buf_append(user, bytes);
}

static void cut(struct store *s, const struct findings *f, bool anonymize, struct hr_buf *out)
{
    struct pipeline_config config;
    struct evidence e;
    struct evidence_result done;
    struct hr_buf error;
    pipeline_config_init(&config);
    hr_buf_init(&error, SIZE_MAX);
    int r = evidence_cut(&(struct evidence_job){.store = s,
                                                .findings = f->ids,
                                                .finding_count = f->count,
                                                .folder = fuzz_site_folder(),
                                                .anonymize = anonymize,
                                                .decode = &config.decode,
                                                .tcp = &config.tcp,
                                                .http = &config.http,
                                                .bytes_limit = BYTES_LIMIT},
                         &e, &done, &error);
    LAW(r <= 0);
    LAW(r == 0 || error.len > 0);
    if (r == 0) {
        LAW(e.frame_bytes <= BYTES_LIMIT);
        evidence_write(&e, append, out);
    }
    evidence_finish(&e);
    hr_buf_finish(&error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct store *s = NULL;
    if (fuzz_site_open(hr_span_of(data, size), &s) == 0) {
        const struct read_filter all = READ_FILTER_ALL;
        struct findings f = {.count = 0};
        struct hr_buf first;
        struct hr_buf second;
        hr_buf_init(&first, SIZE_MAX);
        hr_buf_init(&second, SIZE_MAX);
        (void)read_findings(s, &all, keep_finding, &f);
        cut(s, &f, size % 2 == 1, &first);
        cut(s, &f, size % 2 == 1, &second);
        LAW(hr_span_equal(hr_buf_span(&first), hr_buf_span(&second)));
        hr_buf_finish(&first);
        hr_buf_finish(&second);
    }
    fuzz_site_close(s);
    return 0;
}
