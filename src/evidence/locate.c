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

int plan_locate(struct plan *p, const char *folder, struct hr_buf *ret_error)
{
    int r = 0;
    for (size_t i = 0; i < p->import_count; i++) {
        for (size_t k = 0; k < p->imports[i].source_count; k++) {
            struct plan_source *s = &p->imports[i].sources[k];
            if (s->is_needed && !locate(s, folder, ret_error)) {
                r = -ESTALE;
            }
        }
    }
    return r;
}
