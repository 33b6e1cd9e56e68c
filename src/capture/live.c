#include "capture/live.h"

#include "base/alloc.h"
#include "capture/file.h"
#include "capture/stamps.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* Frames of one interface may come so much later than those of another: both gather, and the second
 * one may be read right before its frames are handed over. */
#define HOLD_TIME ((2 * LIVE_GATHER_MS + 20) * HR_NSEC_PER_MSEC)
#define HOLD_BYTES ((size_t)64 * 1024 * 1024)
/* Of one interface, before the others have their turn. */
#define FRAMES_A_TURN 4096

struct held_frame {
    TAILQ_ENTRY(held_frame) link;
    struct packet packet;
    uint8_t bytes[];
};
TAILQ_HEAD(held_frames, held_frame);

struct interface {
    struct live_source *source;
    size_t index;
    pcap_t *pcap; /* NULL: gone */
    struct held_frames held;
    struct stamps stamps;
    uint64_t drops;      /* as the kernel counted when it was asked last */
    uint64_t told_drops; /* of them */
};

struct live_source {
    struct interface *interfaces;
    struct capture_info *infos;
    size_t count;
    size_t held_bytes;
    /* Of the call under way. */
    void (*emit)(const struct packet *p, void *user);
    void *user;
};

/* --- opening ---------------------------------------------------------------------------------- */

static int explain(struct hr_buf *error, const char *name, int status, const char *why)
{
    static const struct {
        int status;
        int code;
        const char *remedy;
    } known[] = {
        {PCAP_ERROR_PERM_DENIED,         -EPERM,  "capturing needs root, or the capability cap_net_raw"},
        {PCAP_ERROR_PROMISC_PERM_DENIED, -EPERM,  "promiscuous mode needs cap_net_admin"               },
        {PCAP_ERROR_NO_SUCH_DEVICE,      -ENODEV, "there is no such interface; ip link shows them"     },
        {PCAP_ERROR_IFACE_NOT_UP,        -ENODEV, "it is not up; ip link set it up"                    },
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(known); i++) {
        if (known[i].status == status) {
            hr_buf_appendf(error, "interface %s: %s", name, known[i].remedy);
            return known[i].code;
        }
    }
    hr_buf_appendf(error, "interface %s: %s", name,
                   why[0] != '\0' ? why : pcap_statustostr(status));
    return -EIO;
}

static int activate(const struct live_config *c, const char *name, pcap_t *pcap,
                    struct hr_buf *error)
{
    pcap_set_snaplen(pcap, c->snap_bytes);
    pcap_set_promisc(pcap, c->promiscuous);
    pcap_set_timeout(pcap, LIVE_GATHER_MS);
    pcap_set_buffer_size(pcap, c->buffer_bytes);
    pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO);
    int status = pcap_activate(pcap);
    if (status < 0) {
        return explain(error, name, status, pcap_geterr(pcap));
    }
    /* Of cooked captures the newer kind tells the interface; others do not have it. */
    pcap_set_datalink(pcap, DLT_LINUX_SLL2);
    return 0;
}

static int set_filter(const char *filter, const char *name, pcap_t *pcap, struct hr_buf *error)
{
    struct bpf_program program;
    if (filter == NULL) {
        return 0;
    }
    if (pcap_compile(pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) < 0) {
        hr_buf_appendf(error, "the filter '%s' does not compile for %s: %s (see pcap-filter(7))",
                       filter, name, pcap_geterr(pcap));
        return -EINVAL;
    }
    int r = pcap_setfilter(pcap, &program);
    pcap_freecode(&program);
    return r < 0 ? explain(error, name, r, pcap_geterr(pcap)) : 0;
}

static int open_interface(const struct live_config *c, struct live_source *s, size_t index,
                          struct hr_buf *error)
{
    char text[PCAP_ERRBUF_SIZE] = "";
    const char *name = c->interfaces[index];
    struct interface *i = &s->interfaces[index];
    struct capture_info *info = &s->infos[index];
    i->pcap = pcap_create(name, text);
    if (i->pcap == NULL) {
        return explain(error, name, PCAP_ERROR, text);
    }
    /* Adapters that stamp frames have clocks of their own: they differ from each other, and nobody
     * tells when they are set. */
    bool is_by_host = pcap_set_tstamp_type(i->pcap, PCAP_TSTAMP_HOST) == 0;
    int r = activate(c, name, i->pcap, error);
    r = r == 0 ? set_filter(c->filter, name, i->pcap, error) : r;
    if (r == 0 && pcap_setnonblock(i->pcap, 1, text) < 0) {
        r = explain(error, name, PCAP_ERROR, text);
    }
    if (r == 0) {
        info->has_nanoseconds = pcap_get_tstamp_precision(i->pcap) == PCAP_TSTAMP_PRECISION_NANO;
        info->time_source = is_by_host ? TIME_SOURCE_HOST : TIME_SOURCE_UNKNOWN;
        info->link_type = capture_link_of(pcap_datalink(i->pcap));
        capture_link_name(info->link_type, info->link_name, sizeof(info->link_name));
    }
    return r;
}

int live_source_open(const struct live_config *config, struct live_source **ret_source,
                     struct hr_buf *ret_error)
{
    struct live_source *s = hr_xcalloc(1, sizeof(*s));
    int r = 0;
    s->count = config->interface_count;
    s->interfaces = hr_xcalloc(s->count, sizeof(*s->interfaces));
    s->infos = hr_xcalloc(s->count, sizeof(*s->infos));
    for (size_t i = 0; i < s->count; i++) {
        s->interfaces[i] = (struct interface){.source = s, .index = i};
        TAILQ_INIT(&s->interfaces[i].held);
        stamps_init(&s->interfaces[i].stamps);
        s->infos[i] = (struct capture_info){
            .path = config->interfaces[i], .is_pcapng = true, .first_at = HR_NSEC_INFINITE};
    }
    for (size_t i = 0; r == 0 && i < s->count; i++) {
        r = open_interface(config, s, i, ret_error);
    }
    if (r < 0) {
        live_source_close(s);
        return r;
    }
    *ret_source = s;
    return 0;
}

static void release(struct live_source *s, struct interface *i)
{
    struct held_frame *f = TAILQ_FIRST(&i->held);
    TAILQ_REMOVE(&i->held, f, link);
    s->held_bytes -= sizeof(*f) + f->packet.captured_bytes;
    free(f);
}

void live_source_close(struct live_source *s)
{
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; i < s->count; i++) {
        while (!TAILQ_EMPTY(&s->interfaces[i].held)) {
            release(s, &s->interfaces[i]);
        }
        if (s->interfaces[i].pcap != NULL) {
            pcap_close(s->interfaces[i].pcap);
        }
    }
    free(s->interfaces);
    free(s->infos);
    free(s);
}

/* --- reading ---------------------------------------------------------------------------------- */

static void hold(struct live_source *s, struct interface *i, const struct packet *p)
{
    struct held_frame *f = hr_xmalloc(sizeof(*f) + p->captured_bytes);
    f->packet = *p;
    memcpy(f->bytes, p->data, p->captured_bytes);
    f->packet.data = f->bytes;
    TAILQ_INSERT_TAIL(&i->held, f, link);
    s->held_bytes += sizeof(*f) + p->captured_bytes;
}

static void note(struct capture_info *info, const struct packet *p)
{
    info->frames++;
    info->frame_bytes += p->captured_bytes;
    info->cut_frames += p->captured_bytes < p->wire_bytes;
    if (info->first_at == HR_NSEC_INFINITE) {
        info->first_at = info->last_at = p->at;
    }
    info->first_at = p->at < info->first_at ? p->at : info->first_at;
    info->last_at = p->at > info->last_at ? p->at : info->last_at;
}

static void on_frame(u_char *user, const struct pcap_pkthdr *header, const u_char *data)
{
    struct interface *i = (void *)user;
    struct live_source *s = i->source;
    struct capture_info *info = &s->infos[i->index];
    struct packet p = {
        .at = hr_nsec_from((uint32_t)header->ts.tv_sec,
                           (int64_t)header->ts.tv_usec *
                               (info->has_nanoseconds ? 1 : HR_NSEC_PER_USEC)),
        .data = data,
        .captured_bytes = header->caplen,
        .wire_bytes = header->len,
        .link_type = info->link_type,
        .snap_bytes = (uint32_t)pcap_snapshot(i->pcap),
        .resolution = info->has_nanoseconds ? 9 : 6,
        .frame = info->frames + 1,
        .capture = i->index,
        .selected = true,
    };
    note(info, &p);
    stamps_note(&i->stamps, p.at);
    if (s->count > 1) {
        hold(s, i, &p);
    } else {
        s->emit(&p, s->user);
    }
}

static void ask_drops(struct interface *i)
{
    struct pcap_stat stat;
    if (i->pcap != NULL && pcap_stats(i->pcap, &stat) == 0) {
        uint64_t drops = (uint64_t)stat.ps_drop + stat.ps_ifdrop;
        i->drops = drops > i->drops ? drops : i->drops;
    }
}

static void lose(struct live_source *s, struct interface *i)
{
    struct capture_info *info = &s->infos[i->index];
    ask_drops(i); /* for the last time */
    info->error = -ENODEV;
    snprintf(info->error_text, sizeof(info->error_text), "the interface is gone: %s",
             pcap_geterr(i->pcap));
    pcap_close(i->pcap);
    i->pcap = NULL;
}

/* A time that is still to come was stamped before the clock was set back: it waits for nothing. */
static hr_nsec due_at(const struct held_frame *f, hr_nsec until)
{
    bool is_to_come = f->packet.at > hr_nsec_add(until, 2 * HOLD_TIME);
    return is_to_come ? INT64_MIN : f->packet.at;
}

static bool is_ahead(const struct interface *a, const struct interface *b, hr_nsec until)
{
    const struct held_frame *x = TAILQ_FIRST(&a->held);
    const struct held_frame *y = TAILQ_FIRST(&b->held);
    return y == NULL || (x != NULL && due_at(x, until) < due_at(y, until));
}

/* The earliest frames first, as far as nothing earlier can come. */
static void emit_held(struct live_source *s, hr_nsec until)
{
    for (;;) {
        struct interface *first = &s->interfaces[0];
        for (size_t i = 1; i < s->count; i++) {
            first = is_ahead(first, &s->interfaces[i], until) ? first : &s->interfaces[i];
        }
        struct held_frame *f = TAILQ_FIRST(&first->held);
        if (f == NULL || (due_at(f, until) > until && s->held_bytes <= HOLD_BYTES)) {
            return;
        }
        s->emit(&f->packet, s->user);
        release(s, first);
    }
}

int live_source_read(struct live_source *s, hr_nsec now,
                     void (*emit)(const struct packet *p, void *user), void *user)
{
    int frames = 0;
    bool is_alive = false;
    s->emit = emit;
    s->user = user;
    for (size_t k = 0; k < s->count; k++) {
        struct interface *i = &s->interfaces[k];
        int n = i->pcap != NULL ? pcap_dispatch(i->pcap, FRAMES_A_TURN, on_frame, (void *)i) : 0;
        if (n < 0) {
            lose(s, i);
            n = 0;
        }
        is_alive = is_alive || i->pcap != NULL;
        frames += n;
    }
    if (s->count > 1) {
        emit_held(s, hr_nsec_sub(now, HOLD_TIME));
    }
    return is_alive ? frames : -ENODEV;
}

void live_source_flush(struct live_source *s, void (*emit)(const struct packet *p, void *user),
                       void *user)
{
    s->emit = emit;
    s->user = user;
    emit_held(s, HR_NSEC_INFINITE);
}

/* --- what is told of it ----------------------------------------------------------------------- */

uint64_t live_source_drops(struct live_source *s, size_t interface)
{
    struct interface *i = &s->interfaces[interface];
    ask_drops(i);
    uint64_t more = i->drops - i->told_drops;
    i->told_drops = i->drops;
    s->infos[interface].dropped_frames += more;
    return more;
}

void live_source_settle_clock(struct live_source *s, const struct live_clock_step *step)
{
    for (size_t i = 0; i < s->count; i++) {
        struct stamps *stamps = &s->interfaces[i].stamps;
        if (step != NULL) {
            stamps_set(stamps, step->from_at, step->to_at);
        }
        stamps_settle(stamps);
        s->infos[i].largest_step_back = stamps->doubt;
    }
}

int live_source_fd(const struct live_source *s, size_t interface)
{
    pcap_t *pcap = s->interfaces[interface].pcap;
    return pcap != NULL ? pcap_get_selectable_fd(pcap) : -1;
}

const struct capture_info *live_source_infos(const struct live_source *s)
{
    return s->infos;
}
