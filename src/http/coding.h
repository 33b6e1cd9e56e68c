/*
 * http/coding.h - content codings taken off, one at a time, under a limit: what http/content.h is made
 * of. br and zstd only where their libraries were there when Headrace was built.
 */
#ifndef HR_HTTP_CODING_H
#define HR_HTTP_CODING_H

#include "http/content.h"

enum http_coding {
    HTTP_CODING_UNKNOWN,
    HTTP_CODING_GZIP,
    HTTP_CODING_DEFLATE, /* with and without the header of zlib */
    HTTP_CODING_BROTLI,
    HTTP_CODING_ZSTD,
};

/** By the name in Content-Encoding. @return HTTP_CODING_UNKNOWN also for one left out of the build */
enum http_coding http_coding_find(struct hr_span name);
/**
 * Appends what in decodes to.
 * @param most  bytes that out may hold then
 * @return HTTP_CONTENT_CUT also where the coded bytes break off or go wrong behind a good beginning
 */
enum http_content_result http_coding_remove(enum http_coding coding, struct hr_span in, size_t most,
                                            struct hr_buf *out);

#endif
