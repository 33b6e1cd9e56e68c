/*
 * scenario/draft.h - a message while it is written: fields, then a body in its codings. Inside
 * tools/scenario/ only.
 */
#ifndef HR_SCENARIO_DRAFT_H
#define HR_SCENARIO_DRAFT_H

#include "scenario/model.h"

struct draft {
    struct loader *l;
    const struct headers *sets[2]; /* the site's or client's, then the message's own */
    struct hr_buf head;
    struct hr_buf body;
    const char *type;
    bool has_body;
    bool chunked;
    bool gzip;
};

/** @param common  of the site or client. @param own  of the message; both must outlive the draft */
void draft_init(struct draft *d, struct loader *l, const struct headers *common,
                const struct headers *own);
void draft_finish(struct draft *d);
/** A field that gives way to one of that name in the sets; value may be NULL: none. */
void draft_put_default(struct draft *d, const char *name, const char *value);
void draft_put_number(struct draft *d, const char *name, uint64_t value);
/** The fields of both sets. */
void draft_put_headers(struct draft *d);
/** The body that node names, if any, with its type and whether it is chunked. */
int draft_load_body(struct draft *d, const struct hr_yaml *node);
void draft_deflate_body(struct draft *d);
void draft_chunk_body(struct draft *d);
/** Ends the field section and puts head and body together. */
struct message draft_assemble(struct draft *d, bool with_body);

#endif
