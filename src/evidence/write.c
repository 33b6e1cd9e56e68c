#include "base/alloc.h"
#include "capture/pcapng_write.h"
#include "evidence/comment.h"
#include "evidence/evidence.h"

#include <stdlib.h>

/* An interface of a source, as far as frames of it are here. */
struct from {
    size_t source;
    uint32_t link_type;
    uint32_t snap_bytes;
    uint8_t decimals;
};

static struct from from_of(const struct evidence_frame *f)
{
    return (struct from){
        .source = f->source,
        .link_type = f->packet.link_type,
        .snap_bytes = f->packet.snap_bytes,
        .decimals = pcapng_decimals(f->packet.resolution),
    };
}

static size_t find(const struct from *all, size_t count, const struct from *f)
{
    size_t i = 0;
    while (i < count && (all[i].source != f->source || all[i].link_type != f->link_type ||
                         all[i].snap_bytes != f->snap_bytes || all[i].decimals != f->decimals)) {
        i++;
    }
    return i;
}

static void write_interface(const struct evidence *e, const struct from *f, struct hr_buf *out)
{
    struct hr_buf name;
    hr_buf_init(&name, SIZE_MAX);
    comment_append_source(&name, e, f->source, e->is_private);
    pcapng_write_interface(out, &(struct pcapng_interface){
                                    .link_type = f->link_type,
                                    .snap_bytes = f->snap_bytes,
                                    .resolution = f->decimals,
                                    .description = hr_buf_str(&name),
                                });
    hr_buf_finish(&name);
}

void evidence_write(const struct evidence *e, void (*emit)(struct hr_span bytes, void *user),
                    void *user)
{
    struct hr_buf out;
    struct from *all = hr_xcalloc(e->frame_count + 1, sizeof(*all));
    size_t count = 0;
    hr_buf_init(&out, SIZE_MAX);
    pcapng_write_section(&out, "headrace", e->comment);
    for (size_t i = 0; i < e->frame_count; i++) {
        struct from f = from_of(&e->frames[i]);
        if (find(all, count, &f) == count) {
            all[count++] = f;
            write_interface(e, &f, &out);
        }
    }
    for (size_t i = 0; i < e->frame_count; i++) {
        struct from f = from_of(&e->frames[i]);
        pcapng_write_packet(&out, &e->frames[i].packet, (uint32_t)find(all, count, &f), f.decimals,
                            e->frames[i].comment);
        emit(hr_buf_span(&out), user);
        hr_buf_clear(&out);
    }
    emit(hr_buf_span(&out), user);
    hr_buf_finish(&out);
    free(all);
}
