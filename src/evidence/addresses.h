/*
 * evidence/addresses.h - addresses replaced by others: the same one always by the same, two never by
 * one. The text of an address stays as long as it was: a decimal part keeps its number of digits,
 * a hexadecimal digit 0 stays 0. Addresses that begin alike begin alike, so networks stay networks.
 * Those that name nobody (0.0.0.0, loopback, multicast, broadcast) stay.
 */
#ifndef HR_EVIDENCE_ADDRESSES_H
#define HR_EVIDENCE_ADDRESSES_H

#include "base/digest.h"

struct addresses;

/** @param key  borrowed for its life */
struct addresses *addresses_create(const struct hr_key *key);
void addresses_destroy(struct addresses *a);
void addresses_replace_mac(struct addresses *a, uint8_t bytes[6]);
void addresses_replace_ip4(struct addresses *a, uint8_t bytes[4]);
void addresses_replace_ip6(struct addresses *a, uint8_t bytes[16]);
/**
 * An address that a text begins with, in place.
 * @return its length; 0: none stands there
 */
size_t addresses_replace_text(struct addresses *a, char *text, size_t len);

#endif
