/*
 * Capture files made byte by byte, and their frames read back as text.
 */
#ifndef HR_TESTS_UNIT_CAPTURE_FILES_H
#define HR_TESTS_UNIT_CAPTURE_FILES_H

#include "base/buf.h"
#include "capture/source.h"

/* Bytes of a file under way, in one byte order. */
struct made {
    struct hr_buf b;
    bool is_big;
};

void made_init(struct made *m, bool is_big);
void made_u16(struct made *m, uint16_t v);
void made_u32(struct made *m, uint32_t v);
void made_u64(struct made *m, uint64_t v);
void made_text(struct made *m, const char *text, size_t len);

void made_pcap_header(struct made *m, uint32_t magic, uint32_t snap, uint32_t link_type);
/** fraction in the file's unit */
void made_pcap_frame(struct made *m, uint32_t sec, uint32_t fraction, const char *text);

/** Begins a block; made_block_end() pads it and writes both lengths. @return its position */
size_t made_block(struct made *m, uint32_t type);
void made_block_end(struct made *m, size_t position);
void made_section(struct made *m);
void made_interface(struct made *m, uint16_t link_type, uint32_t snap);
void made_option(struct made *m, uint16_t code, const char *bytes, size_t len);
void made_packet(struct made *m, uint32_t interface, uint64_t units, const char *text);

/** Packs it, as one member; with check sums where the format has them. */
void made_pack(struct made *m, enum packing packing);
/** Writes a new temporary file. @return its path; remove and free it */
char *made_save(const struct made *m);

/**
 * Frames one a line, "frame@seconds.nanoseconds captured/wire Llink Iinterface text", errors at the
 * end as "!text".
 */
void read_as_text(const char *const *paths, size_t count, const char *filter, struct hr_buf *out);
/** Saves, reads, removes. */
void made_read(const struct made *m, struct hr_buf *out);

#endif
