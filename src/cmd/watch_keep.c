#include "cmd/watch_keep.h"

#include "base/alloc.h"
#include "base/log.h"
#include "capture/ring.h"
#include "cmd/cmd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of several values the narrowest holds. */
static void take_bounds(const struct cmd_args *args, struct keeper_config *c)
{
    for (size_t i = 0; i < args->ring_keep.count; i++) {
        const char *value = args->ring_keep.items[i];
        hr_nsec span;
        uint64_t size;
        if (cmd_parse_span(value, &span)) {
            c->keep_span = c->keep_span == 0 || span < c->keep_span ? span : c->keep_span;
        } else if (cmd_parse_size(value, &size)) {
            c->keep_bytes = c->keep_bytes == 0 || size < c->keep_bytes ? size : c->keep_bytes;
        }
    }
}

static int complain(int r, struct hr_buf *error)
{
    if (r < 0) {
        hr_error("%s", hr_buf_str(error));
    }
    hr_buf_finish(error);
    return r < 0 ? CMD_DATABASE : -1;
}

char *watch_keep_folder(const char *given, const char *db)
{
    struct hr_buf path;
    hr_buf_init(&path, SIZE_MAX);
    if (given != NULL) {
        hr_buf_append_str(&path, given);
    } else {
        hr_buf_appendf(&path, "%s.ring", db);
    }
    char *folder = hr_xstrdup(hr_buf_str(&path));
    hr_buf_finish(&path);
    return folder;
}

int watch_keep_open(struct watch_keep *k, const struct watch_keep_config *config)
{
    const struct cmd_args *args = config->args;
    struct keeper_config c = {.captures = config->captures, .capture_count = config->capture_count};
    struct hr_buf error;
    take_bounds(args, &c);
    if (args->ring_keep.count == 0) {
        return args->ring == NULL
                   ? -1
                   : cmd_usage_error("watch", "--ring goes with --keep SIZE or SPAN");
    }
    if (c.capture_count > RING_CAPTURE_LIMIT) {
        return cmd_usage_error("watch", "--keep takes at most %u captures", RING_CAPTURE_LIMIT);
    }
    k->folder = watch_keep_folder(args->ring, config->real_db);
    c.folder = k->folder;
    hr_buf_init(&error, SIZE_MAX);
    return complain(keeper_open(&c, config->uid, config->gid, &k->keeper, &error), &error);
}

void watch_keep_list_paths(const struct watch_keep *k, struct cmd_words *write)
{
    if (k->folder != NULL) {
        cmd_words_add(write, k->folder);
    }
}

int watch_keep_start(struct watch_keep *k)
{
    struct hr_buf error;
    if (k->keeper == NULL) {
        return -1;
    }
    hr_buf_init(&error, SIZE_MAX);
    return complain(keeper_start(k->keeper, &error), &error);
}

void watch_keep_finish(struct watch_keep *k)
{
    keeper_close(k->keeper);
    free(k->folder);
}
