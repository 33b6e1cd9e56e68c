/*
 * Bytes wait in buf[pos, end). Behind them lies the file, or the unpacker whose own input waits in
 * packed. A packed file may have several members, one behind the other.
 */
#include "capture/input.h"

#include "base/alloc.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PACKED_BYTES ((size_t)128 * 1024)

struct input {
    struct input_state state;
    int fd;
    uint8_t *buf;
    size_t pos;
    size_t end;
    size_t capacity;
    uint64_t offset;           /* of buf[pos] */
    struct unpacker *unpacker; /* NULL: not packed */
    uint8_t *packed;
    const uint8_t *packed_at; /* what of it was not unpacked yet */
    size_t packed_bytes;
    bool between_members;
};

static void fail(struct input *in, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void fail(struct input *in, int error, const char *format, ...)
{
    if (in->state.error != 0) {
        return;
    }
    in->state.error = error;
    va_list ap;
    va_start(ap, format);
    vsnprintf(in->state.error_text, sizeof(in->state.error_text), format, ap);
    va_end(ap);
}

static size_t read_raw(struct input *in, void *to, size_t size)
{
    if (in->state.error != 0 || in->fd < 0) {
        return 0;
    }
    ssize_t n;
    do {
        n = read(in->fd, to, size);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        fail(in, -errno, "cannot be read at byte %" PRIu64 ": %s", in->state.read_bytes,
             strerror(errno));
        return 0;
    }
    in->state.read_bytes += (uint64_t)n;
    return (size_t)n;
}

/* @return whether there is packed data to go on with */
static bool refill_packed(struct input *in)
{
    if (in->packed_bytes == 0) {
        in->packed_at = in->packed;
        in->packed_bytes = read_raw(in, in->packed, PACKED_BYTES);
    }
    if (in->packed_bytes == 0) {
        if (!in->between_members) {
            fail(in, -EBADMSG, "the %s data is cut off at byte %" PRIu64,
                 packing_name(in->state.packing), in->state.read_bytes);
        }
        return false;
    }
    return !in->between_members || unpacker_goes_on(in->unpacker, *in->packed_at);
}

static void fail_unpacking(struct input *in, enum unpack_result result)
{
    const char *name = packing_name(in->state.packing);
    if (result == UNPACK_TOO_BIG) {
        fail(in, -EFBIG,
             "the %s data needs a window of more than 128 MiB: unpack it first (unzstd --long=31)",
             name);
    } else {
        fail(in, -EBADMSG, "the %s data is corrupt at byte %" PRIu64, name,
             in->state.read_bytes - in->packed_bytes);
    }
}

static size_t read_packed(struct input *in, void *to, size_t size)
{
    struct unpack_io io = {.out = to, .out_bytes = size};
    /* Once the data is broken, what was made before that is handed out first. */
    while (io.out_bytes == size && in->state.error == 0 && refill_packed(in)) {
        io.in = in->packed_at;
        io.in_bytes = in->packed_bytes;
        enum unpack_result result = unpacker_step(in->unpacker, &io);
        in->packed_at = io.in;
        in->packed_bytes = io.in_bytes;
        in->between_members = result == UNPACK_END;
        if (result == UNPACK_BROKEN || result == UNPACK_TOO_BIG) {
            fail_unpacking(in, result);
        }
    }
    return size - io.out_bytes;
}

static size_t read_more(struct input *in, void *to, size_t size)
{
    return in->unpacker != NULL ? read_packed(in, to, size) : read_raw(in, to, size);
}

static void start_unpacking(struct input *in, enum packing packing)
{
    in->state.packing = packing;
    if (!packing_is_known(packing)) {
        fail(in, -EOPNOTSUPP,
             "packed with %s, and this headrace was built without the library that reads it: "
             "unpack it first (un%s)",
             packing_name(packing), packing_name(packing));
        in->pos = in->end = 0;
        return;
    }
    in->packed = hr_xmalloc(PACKED_BYTES);
    assert(in->end <= PACKED_BYTES);
    memcpy(in->packed, in->buf, in->end);
    in->packed_at = in->packed;
    in->packed_bytes = in->end;
    in->pos = in->end = 0;
    in->unpacker = unpacker_create(packing);
}

static void open_file(struct input *in, const char *path)
{
    bool is_stdin = strcmp(path, "-") == 0;
    /* Standard input itself, no copy: whoever ends a run that waits for it puts another file there.
     */
    in->fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (in->fd < 0) {
        int error = errno;
        if (error == EMFILE || error == ENFILE) {
            fail(in, -error, "too many open files: raise `ulimit -n` or give fewer at a time");
        } else if (error == EACCES) {
            fail(in, -error, "Permission denied: no right to read it");
        } else {
            fail(in, -error, "%s", strerror(error));
        }
        return;
    }
    struct stat st;
    if (fstat(in->fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        fail(in, -EISDIR, "is a folder, not a capture file");
        return;
    }
    if (fstat(in->fd, &st) == 0 && S_ISREG(st.st_mode)) {
        in->state.size_bytes = (uint64_t)st.st_size;
        posix_fadvise(in->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
}

struct input *input_open(const char *path, size_t buffer_bytes)
{
    struct input *in = hr_xcalloc(1, sizeof(*in));
    in->capacity = buffer_bytes < 4096 ? 4096 : buffer_bytes;
    in->fd = -1;
    open_file(in, path);
    if (in->state.error != 0) {
        return in;
    }
    in->buf = hr_xmalloc(in->capacity);
    size_t first = in->capacity < PACKED_BYTES ? in->capacity : PACKED_BYTES;
    size_t n;
    while (in->end < 4 && (n = read_raw(in, in->buf + in->end, first - in->end)) > 0) {
        in->end += n;
    }
    enum packing packing = packing_of(in->buf, in->end);
    if (packing != PACKING_NONE) {
        start_unpacking(in, packing);
    }
    return in;
}

void input_close(struct input *in)
{
    if (in == NULL) {
        return;
    }
    unpacker_destroy(in->unpacker);
    if (in->fd > STDIN_FILENO) {
        close(in->fd);
    }
    free(in->packed);
    free(in->buf);
    free(in);
}

const struct input_state *input_state(const struct input *in)
{
    return &in->state;
}

static void make_room(struct input *in, size_t want)
{
    if (in->pos > 0) {
        memmove(in->buf, in->buf + in->pos, in->end - in->pos);
        in->end -= in->pos;
        in->pos = 0;
    }
    if (want > in->capacity) {
        while (in->capacity < want) {
            in->capacity *= 2;
        }
        in->buf = hr_xrealloc(in->buf, in->capacity);
    }
}

uint8_t *input_peek(struct input *in, size_t want, size_t *ret_have)
{
    assert(want <= INPUT_PEEK_LIMIT);
    if (in->end - in->pos < want && in->buf != NULL) {
        make_room(in, want);
        size_t n = 1;
        while (in->end - in->pos < want && n > 0) {
            n = read_more(in, in->buf + in->end, in->capacity - in->end);
            in->end += n;
        }
    }
    *ret_have = in->end - in->pos;
    return in->buf + in->pos;
}

void input_consume(struct input *in, size_t count)
{
    assert(count <= in->end - in->pos);
    in->pos += count;
    in->offset += count;
    if (in->pos == in->end) {
        in->pos = in->end = 0; /* the next read fills the buffer from its beginning */
    }
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

size_t input_read(struct input *in, void *to, size_t size)
{
    size_t have = in->end - in->pos;
    if (have == 0) {
        if (in->buf == NULL) {
            return 0;
        }
        size_t n = read_more(in, to, size);
        in->offset += n;
        return n;
    }
    size_t n = have < size ? have : size;
    memcpy(to, in->buf + in->pos, n);
    input_consume(in, n);
    return n;
}

uint64_t input_offset(const struct input *in)
{
    return in->offset;
}
