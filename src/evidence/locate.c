#include "evidence/locate.h"

#include "base/alloc.h"
#include "capture/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum verdict {
    IS_IT,
    IS_OTHER,
    IS_UNREADABLE,
};

/* @param ret_error  why it is unreadable */
static enum verdict look_at(const char *path, const struct cut_capture *c, struct hr_buf *ret_error)
{
    struct packet_source_config config = {.paths = &path, .path_count = 1};
    struct packet_source *source = NULL;
    struct packet p;
    enum verdict v = IS_IT;
    if (packet_source_open(&config, &source, ret_error) < 0) {
        return IS_UNREADABLE;
    }
    const struct capture_info *info = packet_source_info(source, 0);
    while (info->frames < CAPTURE_HEAD_FRAMES && packet_source_next(source, &p) > 0) {
    }
    if (info->error != 0 && info->frames == 0) {
        hr_buf_append_str(ret_error, info->error_text);
        v = IS_UNREADABLE;
    } else if (!hr_digest_equal(&info->head, &c->head)) {
        v = IS_OTHER;
    }
    packet_source_close(source);
    return v;
}

static char *join(const char *folder, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct hr_buf b;
    hr_buf_init(&b, SIZE_MAX);
    hr_buf_appendf(&b, "%s/%s", folder, slash != NULL ? slash + 1 : path);
    char *joined = hr_xstrdup(hr_buf_str(&b));
    hr_buf_finish(&b);
    return joined;
}

static bool take(struct plan_source *s, const char *path)
{
    struct hr_buf unused;
    hr_buf_init(&unused, SIZE_MAX);
    bool is_it = look_at(path, &s->capture, &unused) == IS_IT;
    hr_buf_finish(&unused);
    if (is_it) {
        s->path = hr_xstrdup(path);
    }
    return is_it;
}

/* Under its own name, or as any capture that begins like it. */
static bool find_in(struct plan_source *s, const char *folder)
{
    char **paths = NULL;
    size_t count = 0;
    char *named = join(folder, s->capture.path);
    bool found = access(named, R_OK) == 0 && take(s, named);
    free(named);
    if (found || packet_paths_expand(&folder, 1, &paths, &count) < 0) {
        return found;
    }
    for (size_t i = 0; i < count && !found; i++) {
        found = take(s, paths[i]);
    }
    packet_paths_free(paths, count);
    return found;
}

static void complain(const struct plan_source *s, const char *folder, const char *what,
                     struct hr_buf *out)
{
    const char *path = s->capture.path;
    bool was_stdin = strcmp(path, "-") == 0;
    hr_buf_appendf(out, "%s%s: %s; ", out->len > 0 ? "\n" : "", was_stdin ? "standard input" : path,
                   what);
    if (folder != NULL) {
        hr_buf_appendf(out, "no capture in %s begins with the same frames", folder);
    } else if (was_stdin) {
        hr_buf_append_str(out, "if it was saved, name the folder with --from DIR");
    } else {
        hr_buf_append_str(out, "if it lies elsewhere now, name the folder with --from DIR");
    }
}

static bool locate(struct plan_source *s, const char *folder, struct hr_buf *ret_error)
{
    struct hr_buf why;
    if (folder != NULL && find_in(s, folder)) {
        return true;
    }
    if (strcmp(s->capture.path, "-") == 0) {
        complain(s, folder, "cannot be read again", ret_error);
        return false;
    }
    hr_buf_init(&why, SIZE_MAX);
    enum verdict v = look_at(s->capture.path, &s->capture, &why);
    if (v == IS_IT) {
        s->path = hr_xstrdup(s->capture.path);
    } else if (v == IS_OTHER) {
        complain(s, folder, "changed since it was read: its first frames are others", ret_error);
    } else {
        complain(s, folder, hr_buf_str(&why), ret_error);
    }
    hr_buf_finish(&why);
    return v == IS_IT;
}

/* --- in a ring -------------------------------------------------------------------------------- */

/* Its name, and begun while the capture was read. */
static bool is_kept_as(const struct ring_capture *kept, const struct cut_capture *c)
{
    struct ring_capture named;
    ring_set_name(&named, c->path);
    return strcmp(kept->name, named.name) == 0 && kept->first_at >= c->first_at &&
           kept->first_at <= c->last_at;
}

static bool find_place(struct plan_source *s, const struct ring_segment *segments, size_t count)
{
    for (size_t i = count; i-- > 0;) { /* the last one knows all captures */
        for (size_t k = 0; k < segments[i].capture_count; k++) {
            if (is_kept_as(&segments[i].captures[k], &s->capture)) {
                s->place = k;
                return true;
            }
        }
    }
    return false;
}

static bool is_run_of(struct plan_import *p, const struct ring_segment *segments, size_t count)
{
    for (size_t i = 0; i < p->source_count; i++) {
        if (p->sources[i].is_needed && !find_place(&p->sources[i], segments, count)) {
            return false;
        }
    }
    return true;
}

/* The newest run that fits: a capture that was read again is there again. */
static bool find_run(struct plan_import *p, struct intake_ring *ring)
{
    const struct ring_list *l = &ring->list;
    for (size_t end = l->count; end > 0;) {
        size_t begin = end - 1;
        while (begin > 0 && l->items[begin - 1].run == l->items[end - 1].run) {
            begin--;
        }
        if (is_run_of(p, l->items + begin, end - begin)) {
            ring->segments = l->items + begin;
            ring->segment_count = end - begin;
            return true;
        }
        end = begin;
    }
    return false;
}

static bool locate_in_ring(struct plan_import *p, const char *folder, struct hr_buf *why)
{
    struct intake_ring *ring = hr_xcalloc(1, sizeof(*ring));
    char since[HR_TIME_TEXT_SIZE];
    ring->folder = folder;
    if (ring_list_read(folder, &ring->list) == 0 && find_run(p, ring)) {
        p->ring = ring;
        return true;
    }
    if (ring->list.count > 0) {
        hr_time_format(ring->list.items[0].from, since);
        hr_buf_appendf(why, "\n%s does not hold it either: it goes back to %s", folder, since);
    }
    ring_list_finish(&ring->list);
    free(ring);
    return false;
}

/* --- both ------------------------------------------------------------------------------------- */

static bool locate_import(struct plan_import *p, const char *folder, const char *ring,
                          struct hr_buf *ret_error)
{
    struct hr_buf why;
    bool found = true;
    bool lost = false;
    hr_buf_init(&why, SIZE_MAX);
    for (size_t k = 0; k < p->source_count; k++) {
        struct plan_source *s = &p->sources[k];
        const size_t before = why.len;
        s->is_lost = s->is_needed && !locate(s, folder, &why);
        found = found && (!s->is_lost || s->is_optional);
        lost = lost || s->is_lost;
        if (s->is_optional) {
            why.len = before;
        }
    }
    if (lost && ring != NULL && locate_in_ring(p, ring, &why)) {
        found = true;
        lost = false;
    }
    for (size_t k = 0; k < p->source_count; k++) {
        struct plan_source *s = &p->sources[k];
        s->is_lost = s->is_lost && lost;
        s->is_needed = s->is_needed && !s->is_lost;
    }
    if (!found) {
        hr_buf_appendf(ret_error, "%s%s", ret_error->len > 0 ? "\n" : "", hr_buf_str(&why));
    }
    hr_buf_finish(&why);
    return found;
}

int plan_locate(struct plan *p, const char *folder, const char *ring, struct hr_buf *ret_error)
{
    int r = 0;
    for (size_t i = 0; i < p->import_count; i++) {
        r = locate_import(&p->imports[i], folder, ring, ret_error) ? r : -ESTALE;
    }
    return r;
}
