/*
 * Frames written as hexadecimal digits, and what comes out of them as text.
 */
#ifndef HR_TESTS_DECODE_LAB_H
#define HR_TESTS_DECODE_LAB_H

#include "base/buf.h"
#include "decode/decode.h"

#define ETH(type) "020000000001 020000000002 " type " "
#define IP4(total, fragment, protocol)                                                             \
    "45 00 " total " 1234 " fragment " 40 " protocol " 0000 0a000001 0a000002 "
#define IP6_ADDRESSES "20010db8000000000000000000000001 20010db8000000000000000000000002 "
#define IP6(payload, next) "60000000 " payload " " next " 40 " IP6_ADDRESSES
#define TCP "03e8 0050 00000001 00000002 50 18 0005 0000 0000 "
#define HELLO "68656c6c6f "
#define GOOD4 IP4("002d", "0000", "06") TCP HELLO
#define GOOD6 IP6("0019", "06") TCP HELLO
#define SLL(type) "0000 0001 0006 0200000000010000 " type " "
#define SLL2(type) type " 0000 00000002 0001 00 06 0200000000010000 "

#define WANT4 "10.0.0.1:1000>10.0.0.2:80 seq=1 ack=2 PA win=5 wire=5 [hello]\n"
#define WANT6 "2001:db8::1:1000>2001:db8::2:80 seq=1 ack=2 PA win=5 wire=5 [hello]\n"

/* A macro because clang-format 14 crashes on rows of joined strings in braces. */
#define ROW(...)                                                                                   \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

struct sink {
    struct hr_buf text;
    uint32_t network; /* of the last segment */
};

/* A frame and what must come out of it: segments, then the counters that it raised. */
struct lab_case {
    const char *name;
    uint32_t link_type;
    const char *frame;
    const char *want;
};

extern const struct decode_config lab_config;

/** A decode_segment_fn; user is a struct sink. */
void lab_append_segment(const struct tcp_segment *s, void *user);
/** @return heap block of exactly as many bytes as the digits give, so that every overread shows */
uint8_t *lab_from_hex(const char *hex, size_t *ret_len);
/**
 * Segments and the counters that it raised, appended to the sink.
 * @param cut   bytes captured at most
 * @param wire  bytes on the wire; 0: as captured
 */
void lab_decode(struct sink *sink, uint32_t link_type, const char *hex, size_t cut, size_t wire);
/** Fails the test unless the whole frame gives what the case wants. @return the segment's network */
uint32_t lab_check(const struct lab_case *one);

#endif
