#include "evidence/intake.h"

#include "base/alloc.h"

#include <stdlib.h>

struct intake {
    struct packet_source *files; /* or */
    struct ring_reader *ring;
    size_t
        captures[RING_CAPTURE_LIMIT]; /* by place in the ring; SIZE_MAX: none of those asked for */
};

static void open_ring(struct intake *in, const struct intake_config *config)
{
    const struct intake_ring *ring = config->ring;
    size_t first = 0;
    for (size_t i = 0; i < RING_CAPTURE_LIMIT; i++) {
        in->captures[i] = SIZE_MAX;
    }
    for (size_t i = 0; i < config->capture_count; i++) {
        if (config->captures[i].place < RING_CAPTURE_LIMIT) {
            in->captures[config->captures[i].place] = i;
        }
    }
    while (first < ring->segment_count && ring->segments[first].until < config->from) {
        first++;
    }
    in->ring =
        ring_reader_create(ring->folder, ring->segments + first, ring->segment_count - first);
}

int intake_open(const struct intake_config *config, struct intake **ret_input,
                struct hr_buf *ret_error)
{
    struct intake *in = hr_xcalloc(1, sizeof(*in));
    int r = 0;
    if (config->ring != NULL) {
        open_ring(in, config);
    } else {
        const char **paths = hr_xcalloc(config->capture_count + 1, sizeof(*paths));
        for (size_t i = 0; i < config->capture_count; i++) {
            paths[i] = config->captures[i].path;
        }
        r = packet_source_open(
            &(struct packet_source_config){.paths = paths, .path_count = config->capture_count},
            &in->files, ret_error);
        free(paths);
    }
    if (r < 0) {
        intake_close(in);
        return r;
    }
    *ret_input = in;
    return 0;
}

int intake_next(struct intake *in, struct packet *ret_packet)
{
    struct packet p;
    if (in->files != NULL) {
        return packet_source_next(in->files, ret_packet);
    }
    while (ring_reader_next(in->ring, &p) > 0) {
        if (in->captures[p.capture] != SIZE_MAX) {
            p.capture = in->captures[p.capture];
            *ret_packet = p;
            return 1;
        }
    }
    return 0;
}

const char *intake_error(const struct intake *in, size_t capture)
{
    const struct capture_info *info =
        in->files != NULL ? packet_source_info(in->files, capture) : NULL;
    return info != NULL && info->error != 0 ? info->error_text : NULL;
}

void intake_close(struct intake *in)
{
    if (in != NULL) {
        packet_source_close(in->files);
        ring_reader_destroy(in->ring);
        free(in);
    }
}
