/*
 * http/reader.h - what the files behind message.h share.
 */
#ifndef HR_HTTP_READER_H
#define HR_HTTP_READER_H

#include "base/alloc.h"
#include "http/message.h"

/* Three segments' bytes at most are told apart: of what was held back the first and the last. */
struct http_window {
    struct hr_span bytes;
    uint64_t offset;  /* of bytes[0] */
    bool starts_line; /* with bytes[0] */
    struct http_mark marks[3];
    uint64_t before; /* acked of the byte before bytes[0] */
};

static inline const struct http_mark *http_window_mark(const struct http_window *w, size_t pos)
{
    size_t i = HR_ARRAY_LEN(w->marks) - 1;
    while (i > 0 && pos < w->marks[i].from) {
        i--;
    }
    return &w->marks[i];
}

static inline struct http_place http_window_place(const struct http_window *w, size_t pos)
{
    return http_window_mark(w, pos)->place;
}

/** Reads the window's bytes. @return how many it took */
size_t http_reader_run(struct http_reader *r, const struct http_window *w);
/* Each takes some bytes of the window from pos on, or none and changes the state. @return how many
 */
size_t http_reader_read_start(struct http_reader *r, const struct http_window *w, size_t pos);
size_t http_reader_read_head(struct http_reader *r, const struct http_window *w, size_t pos);
size_t http_reader_read_content(struct http_reader *r, const struct http_window *w, size_t pos);
size_t http_reader_search(struct http_reader *r, const struct http_window *w, size_t pos);

/** A message begins at pos. */
void http_reader_note_start(struct http_reader *r, const struct http_window *w, size_t pos);
/** Appends to held what lies in one segment. */
void http_reader_hold(struct http_reader *r, const struct http_window *w, size_t pos,
                      struct hr_span piece);
void http_reader_release_held(struct http_reader *r);
/** Ends the message in progress, if there is one. */
void http_reader_end_message(struct http_reader *r, enum http_cut cut);
/** A head ends before its end: what of it is whole is a message all the same. */
void http_reader_cut_head(struct http_reader *r, enum http_cut cut);
/** The message cannot be followed. */
void http_reader_fail(struct http_reader *r, hr_nsec at);
void http_reader_open_loss(struct http_reader *r, uint64_t bytes, hr_nsec from_at);
void http_reader_lose_position(struct http_reader *r, enum http_cut why);

#endif
