/*
 * What was read to tell the packing waits in first; behind it lies the file. A packed file may have
 * several members, one behind the other.
 */
#include "capture/stream.h"

#include "base/alloc.h"

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

struct stream {
    struct stream_state state;
    int fd;
    uint8_t *waiting; /* bytes of the file that were read and not handed out or unpacked yet ... */
    const uint8_t *waiting_at; /* ... from here on */
    size_t waiting_bytes;
    struct unpacker *unpacker; /* NULL: not packed */
    bool between_members;
};

static void fail(struct stream *s, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void fail(struct stream *s, int error, const char *format, ...)
{
    if (s->state.error != 0) {
        return;
    }
    s->state.error = error;
    va_list ap;
    va_start(ap, format);
    vsnprintf(s->state.error_text, sizeof(s->state.error_text), format, ap);
    va_end(ap);
}

static size_t read_raw(struct stream *s, void *to, size_t size)
{
    if (s->state.error != 0 || s->fd < 0) {
        return 0;
    }
    ssize_t n;
    do {
        n = read(s->fd, to, size);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        fail(s, -errno, "cannot be read at byte %" PRIu64 ": %s", s->state.read_bytes,
             strerror(errno));
        return 0;
    }
    s->state.read_bytes += (uint64_t)n;
    return (size_t)n;
}

/* @return whether there is packed data to go on with */
static bool refill_packed(struct stream *s)
{
    if (s->waiting_bytes == 0) {
        s->waiting_at = s->waiting;
        s->waiting_bytes = read_raw(s, s->waiting, PACKED_BYTES);
    }
    if (s->waiting_bytes == 0) {
        if (!s->between_members) {
            fail(s, -EBADMSG, "the %s data is cut off at byte %" PRIu64,
                 packing_name(s->state.packing), s->state.read_bytes);
        }
        return false;
    }
    return !s->between_members || unpacker_goes_on(s->unpacker, *s->waiting_at);
}

static void fail_unpacking(struct stream *s, enum unpack_result result)
{
    const char *name = packing_name(s->state.packing);
    if (result == UNPACK_TOO_BIG) {
        fail(s, -EFBIG,
             "the %s data needs a window of more than 128 MiB: unpack it first (unzstd --long=31)",
             name);
    } else {
        fail(s, -EBADMSG, "the %s data is corrupt at byte %" PRIu64, name,
             s->state.read_bytes - s->waiting_bytes);
    }
}

static size_t read_packed(struct stream *s, void *to, size_t size)
{
    struct unpack_io io = {.out = to, .out_bytes = size};
    /* Once the data is broken, what was made before that is handed out first. */
    while (io.out_bytes == size && s->state.error == 0 && refill_packed(s)) {
        io.in = s->waiting_at;
        io.in_bytes = s->waiting_bytes;
        enum unpack_result result = unpacker_step(s->unpacker, &io);
        s->waiting_at = io.in;
        s->waiting_bytes = io.in_bytes;
        s->between_members = result == UNPACK_END;
        if (result == UNPACK_BROKEN || result == UNPACK_TOO_BIG) {
            fail_unpacking(s, result);
        }
    }
    return size - io.out_bytes;
}

static void start_unpacking(struct stream *s, enum packing packing)
{
    s->state.packing = packing;
    if (!packing_is_known(packing)) {
        fail(s, -EOPNOTSUPP,
             "packed with %s, and this headrace was built without the library that reads it: "
             "unpack it first (un%s)",
             packing_name(packing), packing_name(packing));
        return;
    }
    s->unpacker = unpacker_create(packing);
}

static void open_file(struct stream *s, const char *path)
{
    bool is_stdin = strcmp(path, "-") == 0;
    /* Standard input itself, no copy: whoever ends a run that waits for it puts another file there.
     */
    s->fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (s->fd < 0) {
        int error = errno;
        if (error == EMFILE || error == ENFILE) {
            fail(s, -error, "too many open files: raise `ulimit -n` or give fewer at a time");
        } else if (error == EACCES) {
            fail(s, -error, "Permission denied: no right to read it");
        } else {
            fail(s, -error, "%s", strerror(error));
        }
        return;
    }
    struct stat st;
    if (fstat(s->fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        fail(s, -EISDIR, "is a folder, not a capture file");
        return;
    }
    if (fstat(s->fd, &st) == 0 && S_ISREG(st.st_mode)) {
        s->state.size_bytes = (uint64_t)st.st_size;
        posix_fadvise(s->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
}

struct stream *stream_open(const char *path, size_t first_bytes)
{
    struct stream *s = hr_xcalloc(1, sizeof(*s));
    s->fd = -1;
    open_file(s, path);
    if (s->state.error != 0) {
        return s;
    }
    s->waiting = hr_xmalloc(PACKED_BYTES);
    s->waiting_at = s->waiting;
    const size_t first = first_bytes < PACKED_BYTES ? first_bytes : PACKED_BYTES;
    size_t n = 1;
    while (s->waiting_bytes < 4 && n > 0) {
        n = read_raw(s, s->waiting + s->waiting_bytes, first - s->waiting_bytes);
        s->waiting_bytes += n;
    }
    const enum packing packing = packing_of(s->waiting, s->waiting_bytes);
    if (packing != PACKING_NONE) {
        start_unpacking(s, packing);
    }
    return s;
}

void stream_close(struct stream *s)
{
    if (s == NULL) {
        return;
    }
    unpacker_destroy(s->unpacker);
    if (s->fd > STDIN_FILENO) {
        close(s->fd);
    }
    free(s->waiting);
    free(s);
}

const struct stream_state *stream_state(const struct stream *s)
{
    return &s->state;
}

static size_t read_waiting(struct stream *s, void *to, size_t size)
{
    const size_t n = s->waiting_bytes < size ? s->waiting_bytes : size;
    memcpy(to, s->waiting_at, n);
    s->waiting_at += n;
    s->waiting_bytes -= n;
    return n;
}

size_t stream_read(struct stream *s, void *to, size_t size)
{
    if (s->unpacker != NULL) {
        return read_packed(s, to, size);
    }
    return s->waiting_bytes > 0 && s->state.error == 0 ? read_waiting(s, to, size)
                                                       : read_raw(s, to, size);
}
