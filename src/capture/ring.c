#include "capture/ring.h"

#include "base/alloc.h"
#include "capture/pcapng_write.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TITLE "headrace ring 1"
/* A section's head with the longest comment. */
#define HEAD_BYTES 70000u
enum { SECTION_FIXED_BYTES = 24, OPTION_COMMENT = 1 };

void ring_segment_finish(struct ring_segment *s)
{
    free(s->captures);
    free(s->interfaces);
    *s = (struct ring_segment){0};
}

void ring_set_name(struct ring_capture *c, const char *name)
{
    snprintf(c->name, sizeof(c->name), "%s", name);
    for (char *p = strchr(c->name, '\n'); p != NULL; p = strchr(p, '\n')) {
        *p = '?';
    }
}

void ring_append_path(const char *folder, uint64_t number, struct hr_buf *out)
{
    hr_buf_appendf(out, "%s/ring-%012" PRIu64 ".pcapng", folder, number);
}

/* --- the head --------------------------------------------------------------------------------- */

/* Lines: the words before a name are of fixed number, so that it may hold any byte but an end of
 * line.
 */
void ring_format_head(const struct ring_segment *s, struct hr_buf *out)
{
    struct hr_buf text;
    hr_buf_init(&text, SIZE_MAX);
    hr_buf_appendf(&text, TITLE "\nrun %" PRIu64 "\nfrom %" PRId64 "\nuntil %" PRId64 "\n", s->run,
                   s->from, s->until);
    for (size_t i = 0; i < s->capture_count; i++) {
        const struct ring_capture *c = &s->captures[i];
        hr_buf_appendf(&text, "capture %" PRId64 " %" PRIu64 " %s\n", c->first_at, c->frame,
                       c->name);
    }
    for (size_t i = 0; i < s->interface_count; i++) {
        hr_buf_appendf(&text, "interface %zu\n", s->interfaces[i].capture);
    }
    pcapng_write_section(out, "headrace", hr_buf_str(&text));
    hr_buf_finish(&text);
    for (size_t i = 0; i < s->interface_count; i++) {
        const struct ring_interface *n = &s->interfaces[i];
        pcapng_write_interface(out, &(struct pcapng_interface){
                                        .link_type = n->link_type,
                                        .snap_bytes = n->snap_bytes,
                                        .resolution = n->decimals,
                                        .description = s->captures[n->capture].name,
                                    });
    }
}

static void read_capture(struct ring_segment *s, const char *line)
{
    struct ring_capture c = {.frame = 0};
    int used = 0;
    if (s->capture_count >= RING_CAPTURE_LIMIT ||
        sscanf(line, "capture %" SCNd64 " %" SCNu64 " %n", &c.first_at, &c.frame, &used) != 2 ||
        used == 0) {
        return;
    }
    snprintf(c.name, sizeof(c.name), "%s", line + used);
    s->captures = hr_xrealloc(s->captures, (s->capture_count + 1) * sizeof(*s->captures));
    s->captures[s->capture_count++] = c;
}

static void read_interface(struct ring_segment *s, const char *line)
{
    struct ring_interface n = {0};
    if (s->interface_count < RING_INTERFACE_LIMIT &&
        sscanf(line, "interface %zu", &n.capture) == 1 && n.capture < s->capture_count) {
        s->interfaces = hr_xrealloc(s->interfaces, (s->interface_count + 1) * sizeof(n));
        s->interfaces[s->interface_count++] = n;
    }
}

static bool read_lines(struct ring_segment *s, struct hr_span text)
{
    struct hr_span title = hr_span_cut(&text, '\n');
    unsigned seen = 0;
    if (!hr_span_equal(title, HR_SPAN(TITLE))) {
        return false;
    }
    while (text.len > 0) {
        struct hr_span part = hr_span_cut(&text, '\n');
        char line[RING_NAME_BYTES + 64];
        snprintf(line, sizeof(line), "%.*s", (int)part.len, part.ptr);
        seen += sscanf(line, "run %" SCNu64, &s->run) == 1;
        seen += sscanf(line, "from %" SCNd64, &s->from) == 1;
        seen += sscanf(line, "until %" SCNd64, &s->until) == 1;
        read_capture(s, line);
        read_interface(s, line);
    }
    return seen == 3 && s->capture_count > 0;
}

static uint32_t get_u32(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* @return the comment of the section; it is the first option that we write */
static struct hr_span find_comment(const unsigned char *head, size_t len)
{
    if (len < SECTION_FIXED_BYTES + 4 || get_u32(head) != 0x0a0d0d0a ||
        get_u32(head + 8) != 0x1a2b3c4d) {
        return HR_SPAN("");
    }
    const unsigned char *option = head + SECTION_FIXED_BYTES;
    size_t size = (size_t)option[2] | (size_t)option[3] << 8;
    if ((option[0] | option[1] << 8) != OPTION_COMMENT || size > len - SECTION_FIXED_BYTES - 4) {
        return HR_SPAN("");
    }
    return hr_span_of(option + 4, size);
}

/* @return whether it is a segment of ours */
static bool read_segment(const char *folder, uint64_t number, struct ring_segment *ret_segment)
{
    struct ring_segment s = {.number = number};
    struct hr_buf path;
    struct stat st;
    unsigned char *head = hr_xcalloc(1, HEAD_BYTES);
    hr_buf_init(&path, SIZE_MAX);
    ring_append_path(folder, number, &path);
    int fd = open(hr_buf_str(&path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t len = fd < 0 ? -1 : read(fd, head, HEAD_BYTES);
    bool is_good = len > 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
                   read_lines(&s, find_comment(head, (size_t)len));
    if (is_good) {
        s.size_bytes = (uint64_t)st.st_size;
        *ret_segment = s;
    } else {
        ring_segment_finish(&s);
    }
    if (fd >= 0) {
        close(fd);
    }
    hr_buf_finish(&path);
    free(head);
    return is_good;
}

/* --- the folder ------------------------------------------------------------------------------- */

static bool parse_name(const char *name, uint64_t *ret_number)
{
    struct hr_span rest = hr_span_str(name);
    struct hr_span prefix = HR_SPAN("ring-");
    struct hr_span suffix = HR_SPAN(".pcapng");
    if (rest.len != prefix.len + 12 + suffix.len ||
        !hr_span_equal(hr_span_of(rest.ptr, prefix.len), prefix) ||
        !hr_span_equal(hr_span_of(rest.ptr + prefix.len + 12, suffix.len), suffix)) {
        return false;
    }
    return hr_span_to_u64(hr_span_of(rest.ptr + prefix.len, 12), ret_number);
}

static int compare_segments(const void *a, const void *b)
{
    const struct ring_segment *x = a;
    const struct ring_segment *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

int ring_list_read(const char *folder, struct ring_list *ret_list)
{
    struct ring_list l = {0};
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        return -errno;
    }
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        struct ring_segment s;
        uint64_t number;
        if (parse_name(e->d_name, &number) && read_segment(folder, number, &s)) {
            l.items = hr_xrealloc(l.items, (l.count + 1) * sizeof(*l.items));
            l.items[l.count++] = s;
        }
    }
    closedir(dir);
    if (l.count > 0) {
        qsort(l.items, l.count, sizeof(*l.items), compare_segments);
    }
    *ret_list = l;
    return 0;
}

void ring_list_finish(struct ring_list *l)
{
    for (size_t i = 0; i < l->count; i++) {
        ring_segment_finish(&l->items[i]);
    }
    free(l->items);
    *l = (struct ring_list){0};
}

/* --- reading ---------------------------------------------------------------------------------- */

struct ring_reader {
    const char *folder;
    const struct ring_segment *segments;
    size_t count;
    size_t next; /* segment to open */
    struct packet_source *source;
    struct hr_buf path;                  /* of its file */
    uint64_t frames[RING_CAPTURE_LIMIT]; /* number of the next one */
};

struct ring_reader *ring_reader_create(const char *folder, const struct ring_segment *segments,
                                       size_t count)
{
    struct ring_reader *r = hr_xcalloc(1, sizeof(*r));
    r->folder = folder;
    r->segments = segments;
    r->count = count;
    hr_buf_init(&r->path, SIZE_MAX);
    return r;
}

static void open_next(struct ring_reader *r)
{
    const struct ring_segment *s = &r->segments[r->next++];
    struct hr_buf error;
    hr_buf_init(&error, SIZE_MAX);
    hr_buf_clear(&r->path);
    ring_append_path(r->folder, s->number, &r->path);
    const char *name = hr_buf_str(&r->path);
    packet_source_open(&(struct packet_source_config){.paths = &name, .path_count = 1}, &r->source,
                       &error);
    for (size_t i = 0; i < s->capture_count; i++) {
        r->frames[i] = s->captures[i].frame;
    }
    hr_buf_finish(&error);
}

int ring_reader_next(struct ring_reader *r, struct packet *ret_packet)
{
    for (;;) {
        struct packet p;
        while (r->source != NULL && packet_source_next(r->source, &p) > 0) {
            const struct ring_segment *s = &r->segments[r->next - 1];
            if (p.interface < s->interface_count) {
                p.capture = s->interfaces[p.interface].capture;
                p.frame = r->frames[p.capture]++;
                *ret_packet = p;
                return 1;
            }
        }
        packet_source_close(r->source);
        r->source = NULL;
        if (r->next == r->count) {
            return 0;
        }
        open_next(r);
    }
}

void ring_reader_destroy(struct ring_reader *r)
{
    if (r != NULL) {
        packet_source_close(r->source);
        hr_buf_finish(&r->path);
        free(r);
    }
}
