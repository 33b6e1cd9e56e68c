/*
 * A capture file, pcap or pcapng, plain or packed; read alone and merged with itself.
 */
#include "capture/source.h"
#include "fuzz.h"

enum { FRAME_LIMIT = 20000 };

struct count {
    uint64_t frames;
    uint64_t sum;
    hr_nsec latest;
};

static void look_at(const struct packet *p, struct count *c, uint64_t last_frame)
{
    LAW(p->captured_bytes <= 262144);
    LAW(p->wire_bytes >= p->captured_bytes);
    LAW(p->frame > last_frame);
    LAW(p->selected);
    c->frames++;
    c->latest = p->at > c->latest || c->frames == 1 ? p->at : c->latest;
    fuzz_mix_number(&c->sum, (uint64_t)p->at);
    fuzz_mix_number(&c->sum, p->link_type);
    fuzz_mix(&c->sum, p->data, p->captured_bytes);
}

static void check_info(const struct capture_info *info, const struct count *c)
{
    LAW(info->frames == c->frames);
    LAW(info->error <= 0);
    LAW(info->error == 0 || info->error_text[0] != '\0');
    LAW(strlen(info->error_text) < sizeof(info->error_text));
    LAW(strlen(info->link_name) < sizeof(info->link_name));
    LAW(strlen(info->comments) < sizeof(info->comments));
    LAW(info->largest_step_back >= 0);
    LAW(c->frames == 0 || info->last_at == c->latest);
    LAW(info->cut_frames <= info->frames);
}

/* Reads the file so many times at once. @return what came, of each the same */
static struct count read_merged(const char *path, size_t copies)
{
    const char *paths[] = {path, path};
    struct packet_source_config config = {.paths = paths, .path_count = copies};
    struct packet_source *source = NULL;
    struct hr_buf error;
    struct packet p;
    struct count counts[2] = {{0}, {0}};
    uint64_t last[2] = {0, 0};
    hr_buf_init(&error, 1000);
    LAW(packet_source_open(&config, &source, &error) == 0);
    while (counts[0].frames < FRAME_LIMIT && packet_source_next(source, &p) > 0) {
        LAW(p.capture < copies);
        look_at(&p, &counts[p.capture], last[p.capture]);
        last[p.capture] = p.frame;
    }
    for (size_t i = 0; i < copies && counts[0].frames < FRAME_LIMIT; i++) {
        check_info(packet_source_info(source, i), &counts[i]);
        LAW(counts[i].sum == counts[0].sum);
    }
    packet_source_close(source);
    hr_buf_finish(&error);
    return counts[0];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_file file;
    fuzz_file_open(&file, hr_span_of(data, size));
    struct count alone = read_merged(file.path, 1);
    struct count merged = read_merged(file.path, 2);
    LAW(alone.frames == merged.frames);
    LAW(alone.sum == merged.sum || alone.frames == FRAME_LIMIT);
    fuzz_file_close(&file);
    return 0;
}
