#include "capture/filter.h"

#include "base/alloc.h"
#include "capture/file.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One compiled program, or why there is none. */
struct program {
    uint32_t link_type;
    bool compiled;
    struct bpf_program bpf;
    char error[PCAP_ERRBUF_SIZE];
    struct program *next;
};

struct capture_filter {
    char *expression;
    struct program *programs; /* the one used last is the first */
};

/*
 * A handle on a file without frames. pcap_open_dead() would not do: for that, "inbound" and the
 * like compile to questions that only a kernel can answer, and quietly match nothing.
 */
static pcap_t *open_for(uint32_t link_type)
{
    uint32_t header[6] = {0xa1b2c3d4, 0, 0, 0, CAPTURE_FRAME_LIMIT, link_type};
    const uint16_t version[2] = {2, 4};
    char text[PCAP_ERRBUF_SIZE];
    memcpy(&header[1], version, sizeof(version));
    FILE *file = fmemopen(header, sizeof(header), "r");
    pcap_t *pcap = file == NULL ? NULL : pcap_fopen_offline(file, text);
    if (pcap == NULL) {
        hr_out_of_memory();
    }
    return pcap;
}

static struct program *compile(const char *expression, uint32_t link_type)
{
    struct program *p = hr_xcalloc(1, sizeof(*p));
    p->link_type = link_type;
    pcap_t *pcap = open_for(link_type);
    p->compiled = pcap_compile(pcap, &p->bpf, expression, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (!p->compiled) {
        snprintf(p->error, sizeof(p->error), "%s", pcap_geterr(pcap));
    }
    pcap_close(pcap);
    return p;
}

static void program_destroy(struct program *p)
{
    if (p->compiled) {
        pcap_freecode(&p->bpf);
    }
    free(p);
}

static struct program *program_for(struct capture_filter *f, uint32_t link_type)
{
    struct program **at = &f->programs;
    while (*at != NULL && (*at)->link_type != link_type) {
        at = &(*at)->next;
    }
    struct program *p = *at;
    if (p == NULL) {
        p = compile(f->expression, link_type);
    } else {
        *at = p->next;
    }
    p->next = f->programs;
    f->programs = p;
    return p;
}

int capture_filter_create(const char *expression, struct capture_filter **ret_filter,
                          struct hr_buf *ret_error)
{
    /* "inbound" compiles for cooked captures only, "ether host" for Ethernet only; a wrong word for
     * none. Ethernet comes first: its message is the one people expect. */
    static const uint32_t link_types[] = {1, 113, 276, 101, 0, 108};
    struct capture_filter *f = hr_xcalloc(1, sizeof(*f));
    f->expression = hr_xstrdup(expression);
    for (size_t i = 0; i < HR_ARRAY_LEN(link_types); i++) {
        if (program_for(f, link_types[i])->compiled) {
            *ret_filter = f;
            return 0;
        }
    }
    hr_buf_appendf(ret_error, "the filter '%s' does not compile: %s (see pcap-filter(7))",
                   expression, capture_filter_error(f, 1));
    capture_filter_destroy(f);
    return -EINVAL;
}

void capture_filter_destroy(struct capture_filter *f)
{
    if (f == NULL) {
        return;
    }
    while (f->programs != NULL) {
        struct program *p = f->programs;
        f->programs = p->next;
        program_destroy(p);
    }
    free(f->expression);
    free(f);
}

int capture_filter_match(struct capture_filter *f, const struct packet *p)
{
    struct program *program = f->programs;
    if (program->link_type != p->link_type) {
        program = program_for(f, p->link_type);
    }
    if (!program->compiled) {
        return -EINVAL;
    }
    struct pcap_pkthdr header = {.caplen = p->captured_bytes, .len = p->wire_bytes};
    return pcap_offline_filter(&program->bpf, &header, p->data) != 0;
}

const char *capture_filter_error(const struct capture_filter *f, uint32_t link_type)
{
    for (const struct program *p = f->programs; p != NULL; p = p->next) {
        if (p->link_type == link_type) {
            return p->error;
        }
    }
    return "";
}
