/*
 * Bytes wait in bytes[pos, end): of a block that was read ahead, or of a buffer that the stream is
 * read into. What is left of one moves in front of the next.
 */
#include "capture/input.h"

#include "base/alloc.h"
#include "capture/read_ahead.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A file of which so much was read is read by a thread of its own from then on. */
#define AHEAD_AFTER_BYTES ((uint64_t)2 * 1024 * 1024)

struct input {
    struct stream *stream;
    struct stream_state seen; /* of the stream, as far as the bytes go that came from it */
    bool may_read_ahead;
    struct read_ahead *ahead; /* NULL: none */
    bool holds_block;         /* of it: bytes lie there */
    uint8_t *bytes;
    size_t pos;
    size_t end;
    uint8_t *buf;
    size_t capacity; /* of buf */
    uint64_t offset; /* of bytes[pos] */
};

struct input *input_open(const char *path, const struct input_config *config)
{
    struct input *in = hr_xcalloc(1, sizeof(*in));
    in->capacity = config->buffer_bytes < 4096 ? 4096 : config->buffer_bytes;
    in->stream = stream_open(path, in->capacity);
    in->seen = *stream_state(in->stream);
    /* Who ends a run that waits for a pipe wakes the thread that was there before. */
    in->may_read_ahead = config->read_ahead && in->seen.size_bytes > 0;
    return in;
}

void input_close(struct input *in)
{
    if (in == NULL) {
        return;
    }
    read_ahead_stop(in->ahead);
    stream_close(in->stream);
    free(in->buf);
    free(in);
}

const struct stream_state *input_state(const struct input *in)
{
    return &in->seen;
}

/* Moves what is left to the beginning of the buffer, with room for so much behind it. */
static void make_room(struct input *in, size_t more)
{
    const size_t left = in->end - in->pos;
    size_t capacity = in->capacity;
    while (capacity < left + more) {
        capacity *= 2;
    }
    uint8_t *buf = in->buf;
    if (buf == NULL || capacity > in->capacity) {
        buf = hr_xmalloc(capacity);
    }
    if (left > 0 && in->bytes + in->pos != buf) {
        memmove(buf, in->bytes + in->pos, left);
    }
    if (buf != in->buf) {
        free(in->buf);
    }
    in->buf = in->bytes = buf;
    in->capacity = capacity;
    in->pos = 0;
    in->end = left;
}

static bool read_here(struct input *in, size_t want)
{
    make_room(in, want - (in->end - in->pos));
    const size_t n = stream_read(in->stream, in->buf + in->end, in->capacity - in->end);
    in->end += n;
    in->seen = *stream_state(in->stream);
    return n > 0;
}

static bool take_block(struct input *in)
{
    struct read_ahead_block b;
    const size_t left = in->end - in->pos;
    if (!read_ahead_take(in->ahead, &b, &in->seen)) {
        return false;
    }
    const bool is_small = left <= READ_AHEAD_ROOM;
    if (is_small) {
        memcpy(b.bytes - left, in->bytes + in->pos, left);
    } else {
        make_room(in, b.len);
        memcpy(in->buf + in->end, b.bytes, b.len);
        in->end += b.len;
        read_ahead_give_back(in->ahead);
    }
    if (in->holds_block) {
        read_ahead_give_back(in->ahead);
    }
    in->holds_block = is_small;
    if (is_small) {
        in->bytes = b.bytes - left;
        in->pos = 0;
        in->end = left + b.len;
    }
    return true;
}

static bool read_more(struct input *in, size_t want)
{
    if (in->may_read_ahead && in->seen.read_bytes >= AHEAD_AFTER_BYTES) {
        in->may_read_ahead = false;
        in->ahead = read_ahead_start(in->stream);
    }
    return in->ahead != NULL ? take_block(in) : read_here(in, want);
}

uint8_t *input_peek(struct input *in, size_t want, size_t *ret_have)
{
    assert(want <= INPUT_PEEK_LIMIT);
    while (in->end - in->pos < want && read_more(in, want)) {
    }
    *ret_have = in->end - in->pos;
    return in->bytes + in->pos;
}

void input_consume(struct input *in, size_t count)
{
    assert(count <= in->end - in->pos);
    in->pos += count;
    in->offset += count;
}

uint64_t input_skip(struct input *in, uint64_t count)
{
    uint64_t done = 0;
    while (done < count) {
        size_t have;
        input_peek(in, 1, &have);
        if (have == 0) {
            break;
        }
        size_t step = have < count - done ? have : (size_t)(count - done);
        input_consume(in, step);
        done += step;
    }
    return done;
}

uint64_t input_offset(const struct input *in)
{
    return in->offset;
}
