/*
 * capture/pcapng_write.h - blocks of a pcapng file of our own (draft-ietf-opsawg-pcapng), little-endian,
 * appended to a buffer: one section, then interfaces and packets in any order that names an
 * interface before its packets.
 */
#ifndef HR_CAPTURE_PCAPNG_WRITE_H
#define HR_CAPTURE_PCAPNG_WRITE_H

#include "capture/source.h"

/* An interface of the file under way; numbered from 0 in the order written. */
struct pcapng_interface {
    uint32_t link_type;
    uint32_t snap_bytes;     /* 0: none */
    uint8_t resolution;      /* decimals of a second, 0..9 */
    const char *description; /* NULL: none */
};

/** @return the decimals that hold every time of a clock with this if_tsresol, as far as hr_nsec does */
uint8_t pcapng_decimals(uint8_t resolution);
/** Texts are UTF-8; what is longer than an option can hold is cut. @param comment  NULL: none */
void pcapng_write_section(struct hr_buf *out, const char *application, const char *comment);
void pcapng_write_interface(struct hr_buf *out, const struct pcapng_interface *i);
/**
 * @param interface  its number in this file
 * @param decimals   of that interface
 * @param comment    NULL: none
 */
void pcapng_write_packet(struct hr_buf *out, const struct packet *p, uint32_t interface,
                         uint8_t decimals, const char *comment);

#endif
