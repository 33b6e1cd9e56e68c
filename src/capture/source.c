/*
 * The merge. A file is asleep (closed; its first time is known), awake (open, with its next frame
 * at hand) or done. A heap orders those that are not done by the time of that frame, then by place
 * in the list, so rotated captures of a month need one descriptor at a time. The frame that was
 * given out last lies in its file's buffer: that file moves on only at the next call. A single
 * capture has no heap and never sleeps.
 */
#include "capture/source.h"

#include "base/alloc.h"
#include "capture/file.h"
#include "capture/filter.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define AWAKE_FROM_START                                                                           \
    16 /* with more files than this, each sleeps until its first frame is due */
#define BUFFER_BYTES ((size_t)256 * 1024)
/* All of many files may overlap in time and be awake at once: their buffers share so much. */
#define BUFFER_BYTES_ALL ((size_t)32 * 1024 * 1024)
#define BUFFER_BYTES_LEAST ((size_t)8 * 1024)
#define DESCRIPTORS_BESIDE 64

struct member {
    struct capture_file file;
    struct packet next; /* while it stands in the heap */
    bool asleep;
};

struct packet_source {
    struct member *members;
    size_t count;
    size_t *heap; /* indices of members, earliest first */
    size_t heap_len;
    bool given; /* the heap's first was handed out and has to move on */
    struct input_config input;
    bool looks_ahead;
    struct capture_filter *filter; /* NULL: none */
};

static bool comes_before(const struct packet_source *s, size_t a, size_t b)
{
    hr_nsec at = s->members[a].next.at;
    hr_nsec bt = s->members[b].next.at;
    return at != bt ? at < bt : a < b;
}

static void sift_down(struct packet_source *s, size_t i)
{
    for (;;) {
        size_t first = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < s->heap_len; child++) {
            if (comes_before(s, s->heap[child], s->heap[first])) {
                first = child;
            }
        }
        if (first == i) {
            return;
        }
        size_t swap = s->heap[i];
        s->heap[i] = s->heap[first];
        s->heap[first] = swap;
        i = first;
    }
}

static void drop_first(struct packet_source *s)
{
    s->heap[0] = s->heap[--s->heap_len];
    sift_down(s, 0);
}

static void member_init(struct packet_source *s, size_t index, const char *path, bool stdin_taken)
{
    struct member *m = &s->members[index];
    if (stdin_taken) {
        m->file.info = (struct capture_info){.path = path, .first_at = HR_NSEC_INFINITE};
        capture_file_fail(&m->file, -EINVAL, "standard input can be given only once");
        return;
    }
    capture_file_init(&m->file, path, &s->input);
    if (s->count == 1 || m->file.done) {
        return;
    }
    if (!capture_file_next(&m->file, &m->next)) {
        capture_file_finish(&m->file);
        return;
    }
    s->heap[s->heap_len++] = index;
    /* What cannot be read twice stays open. */
    if (s->count > AWAKE_FROM_START && m->file.info.size_bytes > 0) {
        capture_file_finish(&m->file);
        m->asleep = true;
    }
}

static size_t buffer_bytes_for(size_t count)
{
    size_t share = count <= AWAKE_FROM_START ? BUFFER_BYTES : BUFFER_BYTES_ALL / count;
    share = share > BUFFER_BYTES ? BUFFER_BYTES : share;
    return share < BUFFER_BYTES_LEAST ? BUFFER_BYTES_LEAST : share;
}

/* More files than a process may usually open: it may allow itself more, up to the hard limit. */
static void raise_descriptor_limit(size_t count)
{
    struct rlimit limit;
    const rlim_t want = count + DESCRIPTORS_BESIDE;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < want) {
        limit.rlim_cur = want < limit.rlim_max ? want : limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int packet_source_open(const struct packet_source_config *config, struct packet_source **ret_source,
                       struct hr_buf *ret_error)
{
    struct packet_source *s = hr_xcalloc(1, sizeof(*s));
    s->count = config->path_count;
    s->members = hr_xcalloc(s->count == 0 ? 1 : s->count, sizeof(*s->members));
    s->heap = hr_xcalloc(s->count == 0 ? 1 : s->count, sizeof(*s->heap));
    s->input.buffer_bytes = buffer_bytes_for(s->count);
    s->input.read_ahead = config->read_ahead && s->count <= AWAKE_FROM_START;
    raise_descriptor_limit(s->count);
    if (config->filter != NULL) {
        int r = capture_filter_create(config->filter, &s->filter, ret_error);
        if (r < 0) {
            packet_source_close(s);
            return r;
        }
    }
    bool stdin_taken = false;
    for (size_t i = 0; i < s->count; i++) {
        bool is_stdin = strcmp(config->paths[i], "-") == 0;
        member_init(s, i, config->paths[i], is_stdin && stdin_taken);
        stdin_taken |= is_stdin;
    }
    for (size_t i = s->heap_len; i-- > 0;) {
        sift_down(s, i);
    }
    *ret_source = s;
    return 0;
}

/* Opens the heap's first again. The file may have changed meanwhile: its time is looked at anew. */
static void wake_first(struct packet_source *s)
{
    struct member *m = &s->members[s->heap[0]];
    m->asleep = false;
    if (m->file.info.error == 0) { /* else the caller has rejected it meanwhile */
        capture_file_init(&m->file, m->file.info.path, &s->input);
    }
    if (!capture_file_next(&m->file, &m->next)) {
        capture_file_finish(&m->file);
        drop_first(s);
        return;
    }
    sift_down(s, 0);
}

static void move_first_on(struct packet_source *s)
{
    struct member *m = &s->members[s->heap[0]];
    s->given = false;
    m->file.looks_ahead = s->looks_ahead;
    if (capture_file_next(&m->file, &m->next)) {
        sift_down(s, 0);
    } else {
        capture_file_finish(&m->file);
        drop_first(s);
    }
}

/* @return whether the frame stands; not where the filter means nothing on its link type */
static bool apply_filter(struct packet_source *s, struct packet *p)
{
    p->selected = true;
    if (s->filter == NULL) {
        return true;
    }
    int match = capture_filter_match(s->filter, p);
    if (match < 0) {
        char name[32];
        capture_link_name(p->link_type, name, sizeof(name));
        packet_source_reject(s, p->capture, -EINVAL, "");
        struct capture_info *info = &s->members[p->capture].file.info;
        snprintf(info->error_text, sizeof(info->error_text),
                 "the filter cannot be used on frame %" PRIu64 ", which is %s: %.120s", p->frame,
                 name, capture_filter_error(s->filter, p->link_type));
        return false;
    }
    p->selected = match != 0;
    return true;
}

void packet_source_look_ahead(struct packet_source *s, bool looks)
{
    s->looks_ahead = looks;
}

static int next_of_one(struct packet_source *s, struct packet *ret_packet)
{
    struct capture_file *f = &s->members[0].file;
    f->looks_ahead = s->looks_ahead;
    if (!capture_file_next(f, ret_packet)) {
        return 0;
    }
    ret_packet->capture = 0;
    return apply_filter(s, ret_packet) ? 1 : 0;
}

int packet_source_next(struct packet_source *s, struct packet *ret_packet)
{
    if (s->count == 1) {
        return next_of_one(s, ret_packet);
    }
    for (;;) {
        if (s->given) {
            move_first_on(s);
        }
        if (s->heap_len == 0) {
            return 0;
        }
        if (s->members[s->heap[0]].asleep) {
            wake_first(s);
            continue;
        }
        s->given = true;
        *ret_packet = s->members[s->heap[0]].next;
        ret_packet->capture = s->heap[0];
        if (apply_filter(s, ret_packet)) {
            return 1;
        }
    }
}

void packet_source_reject(struct packet_source *s, size_t capture, int error, const char *text)
{
    assert(capture < s->count);
    capture_file_fail(&s->members[capture].file, error, "%s", text);
}

const struct capture_info *packet_source_info(const struct packet_source *s, size_t capture)
{
    assert(capture < s->count);
    return &s->members[capture].file.info;
}

size_t packet_source_count(const struct packet_source *s)
{
    return s->count;
}

void packet_source_close(struct packet_source *s)
{
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; i < s->count; i++) {
        capture_file_finish(&s->members[i].file);
    }
    capture_filter_destroy(s->filter);
    free(s->members);
    free(s->heap);
    free(s);
}
