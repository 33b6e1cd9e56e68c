/*
 * tcp/seq.h - sequence numbers are 32 bits and wrap (RFC 9293 3.4); inside, bytes have 64-bit
 * positions that do not. A position's low 32 bits are its sequence number, so one addition
 * goes from the one to the other.
 */
#ifndef HR_TCP_SEQ_H
#define HR_TCP_SEQ_H

#include <stdint.h>

typedef uint32_t tcp_seq;
typedef uint64_t tcp_pos;

#define TCP_POS_NONE UINT64_MAX
/* Positions begin this high, so that what lies before the first byte known of has one, too. */
#define TCP_POS_ORIGIN (UINT64_C(1) << 40)
/* Farther from what is expected nothing is believed: the largest window (RFC 7323 2.3). */
#define TCP_WINDOW_MAX (INT32_C(1) << 30)

/** How far a lies ahead of b; negative: behind. */
static inline int32_t tcp_seq_diff(tcp_seq a, tcp_seq b)
{
    return (int32_t)(a - b);
}

/** The position with this sequence number that lies nearest to a known position. */
static inline tcp_pos tcp_pos_near(tcp_pos known, tcp_seq seq)
{
    return known + (tcp_pos)(int64_t)tcp_seq_diff(seq, (tcp_seq)known);
}

#endif
