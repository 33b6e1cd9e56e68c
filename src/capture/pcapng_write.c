#include "capture/pcapng_write.h"

enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 6,
};

enum {
    OPTION_END = 0,
    OPTION_COMMENT = 1,
    OPTION_SHB_USERAPPL = 4,
    OPTION_IF_DESCRIPTION = 3,
    OPTION_IF_TSRESOL = 9,
};

#define TEXT_LIMIT 65535u

static void put_u16(struct hr_buf *out, uint32_t v)
{
    hr_buf_append_char(out, (char)(v & 0xff));
    hr_buf_append_char(out, (char)(v >> 8 & 0xff));
}

static void put_u32(struct hr_buf *out, uint32_t v)
{
    put_u16(out, v & 0xffff);
    put_u16(out, v >> 16);
}

static void put_padding(struct hr_buf *out, size_t len)
{
    hr_buf_append(out, hr_span_of("\0\0\0", (4 - len % 4) % 4));
}

static size_t block_begin(struct hr_buf *out, uint32_t type)
{
    size_t start = out->len;
    put_u32(out, type);
    put_u32(out, 0); /* known at the end */
    return start;
}

static void block_end(struct hr_buf *out, size_t start)
{
    uint32_t len = (uint32_t)(out->len - start) + 4;
    put_u32(out, len);
    for (unsigned i = 0; i < 4; i++) {
        out->ptr[start + 4 + i] = (char)(len >> 8 * i & 0xff);
    }
}

static void put_option(struct hr_buf *out, uint16_t code, struct hr_span value)
{
    put_u16(out, code);
    put_u16(out, (uint32_t)value.len);
    hr_buf_append(out, value);
    put_padding(out, value.len);
}

/* Cut between characters. */
static void put_text(struct hr_buf *out, uint16_t code, const char *text)
{
    struct hr_span value = hr_span_str(text);
    if (value.len > TEXT_LIMIT) {
        size_t len = TEXT_LIMIT;
        while (len > 0 && ((unsigned char)value.ptr[len] & 0xc0) == 0x80) {
            len--;
        }
        value.len = len;
    }
    if (value.len > 0) {
        put_option(out, code, value);
    }
}

uint8_t pcapng_decimals(uint8_t resolution)
{
    return resolution <= 9 ? resolution : 9;
}

void pcapng_write_section(struct hr_buf *out, const char *application, const char *comment)
{
    size_t start = block_begin(out, BLOCK_SECTION);
    put_u32(out, 0x1a2b3c4d);
    put_u16(out, 1);
    put_u16(out, 0);
    put_u32(out, UINT32_MAX); /* length of the section: not said */
    put_u32(out, UINT32_MAX);
    put_text(out, OPTION_COMMENT, comment);
    put_text(out, OPTION_SHB_USERAPPL, application);
    put_option(out, OPTION_END, HR_SPAN(""));
    block_end(out, start);
}

void pcapng_write_interface(struct hr_buf *out, const struct pcapng_interface *i)
{
    size_t start = block_begin(out, BLOCK_INTERFACE);
    put_u16(out, i->link_type);
    put_u16(out, 0);
    put_u32(out, i->snap_bytes);
    put_text(out, OPTION_IF_DESCRIPTION, i->description);
    put_option(out, OPTION_IF_TSRESOL, hr_span_of(&i->resolution, 1));
    put_option(out, OPTION_END, HR_SPAN(""));
    block_end(out, start);
}

void pcapng_write_packet(struct hr_buf *out, const struct packet *p, uint32_t interface,
                         uint8_t decimals, const char *comment)
{
    uint64_t units = p->at > 0 ? (uint64_t)p->at : 0;
    for (unsigned i = decimals; i < 9; i++) {
        units /= 10;
    }
    size_t start = block_begin(out, BLOCK_PACKET);
    put_u32(out, interface);
    put_u32(out, (uint32_t)(units >> 32));
    put_u32(out, (uint32_t)units);
    put_u32(out, p->captured_bytes);
    put_u32(out, p->wire_bytes);
    hr_buf_append(out, hr_span_of(p->data, p->captured_bytes));
    put_padding(out, p->captured_bytes);
    if (comment != NULL) {
        put_text(out, OPTION_COMMENT, comment);
        put_option(out, OPTION_END, HR_SPAN(""));
    }
    block_end(out, start);
}
