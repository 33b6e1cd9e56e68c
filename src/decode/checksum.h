/*
 * decode/checksum.h - checksums of IPv4 headers and of TCP (RFC 1071). Wrong ones are counted and
 * accepted: the network cards of today fill them in after a capture on the sending host has seen
 * the packet. Where the caller asks for it, what bears a wrong one is refused.
 */
#ifndef HR_DECODE_CHECKSUM_H
#define HR_DECODE_CHECKSUM_H

#include "decode/layer.h"

/** @param header  all of it. @return whether to go on with the packet */
bool checksum_accepts_ip4(struct layers *l, struct hr_span header);
/** @param c  the whole segment. @return whether to go on with it; true where it cannot be told */
bool checksum_accepts_tcp(struct layers *l, struct cursor c);

#endif
