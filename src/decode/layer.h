/*
 * decode/layer.h - what the steps of decoding share. A layer takes the bytes from its header on,
 * eats the header and hands the rest to the layer that the header names; rows in link.c (link types
 * and ethertypes) and ip.c (IP protocols) name them. Whatever ends a frame is counted once.
 */
#ifndef HR_DECODE_LAYER_H
#define HR_DECODE_LAYER_H

#include "decode/cursor.h"
#include "decode/decode.h"

/* Headers of one frame that lie in each other; more is no traffic but an attack on readers. */
#define LAYER_DEPTH_LIMIT 32u

/* Kinds of networks inside networks. */
enum {
    NETWORK_VLAN = 1,
    NETWORK_VNI = 2,
};

struct fragment_table;
struct ipcomp;

struct decoder {
    struct decode_counters counters;
    decode_segment_fn emit;
    void *user;
    struct decode_watch watch; /* part NULL: nobody watches */
    struct fragment_table *fragments;
    struct ipcomp *ipcomp; /* made when first needed */
    bool verify_checksums;
    uint64_t checksum_bytes; /* of segments so far */
    unsigned checksum_turn;  /* among the long ones, when not all are looked at */
};

/* One frame on its way through the layers. */
struct layers {
    struct decoder *decoder;
    const struct packet *packet;
    uint32_t network; /* see struct tcp_segment */
    unsigned depth;
    unsigned tunnels; /* headers of tunnels so far */
    bool is_rerouted; /* the address that TCP's checksum is about stands elsewhere */
    bool is_inflated; /* a compressed packet was put out into the decoder's room */
    bool selected;             /* the packet's; of reassembled datagrams: any fragment's */
    struct net_address source; /* of the IP header looked at last */
    struct net_address destination;
    uint16_t ip_id; /* of that header; 0: none */
};

typedef void (*layer_fn)(struct layers *l, struct cursor c);

/* Which layer a number names. The frequent ones stand first in their tables. */
struct layer_row {
    uint32_t number;
    layer_fn decode;
};

/** Begins with the frame's first byte. @return false where the link type has no row */
bool link_decode(struct layers *l, uint32_t link_type, struct cursor c);
/** Unless the header that named it was cut. */
void ethertype_decode(struct layers *l, uint16_t ethertype, struct cursor c);
/** One more VLAN or tunnel around: equal addresses inside are not equal any more. */
void layers_enter_network(struct layers *l, uint32_t kind, uint32_t id);
void ip4_decode(struct layers *l, struct cursor c);
void ip6_decode(struct layers *l, struct cursor c);
/** By the version in the first byte. */
void ip_decode(struct layers *l, struct cursor c);
/** What an IP header names as next, extension headers included. */
void ip_payload_decode(struct layers *l, uint8_t protocol, struct cursor c);
void tcp_decode(struct layers *l, struct cursor c);
void udp_decode(struct layers *l, struct cursor c);

/* link.c */
void ethernet_decode(struct layers *l, struct cursor c);
/** IEEE 802.2, from the service access points on. */
void llc_decode(struct layers *l, struct cursor c);
/* tunnel.c */
/** Hands what is inside a tunnel on, unless the header was cut; deep nesting is counted. */
void layers_enter_tunnel(struct layers *l, layer_fn next, struct cursor c);
void ip_tunnel_decode(struct layers *l, struct cursor c);
void ethernet_tunnel_decode(struct layers *l, struct cursor c);
void gre_decode(struct layers *l, struct cursor c);
void mpls_decode(struct layers *l, struct cursor c);
/* overlay.c */
void etherip_decode(struct layers *l, struct cursor c);
void l2tp3_decode(struct layers *l, struct cursor c);
void l2tp3_udp_decode(struct layers *l, struct cursor c);
void service_header_decode(struct layers *l, struct cursor c);
void trill_decode(struct layers *l, struct cursor c);
void fabric_decode(struct layers *l, struct cursor c);
void macsec_decode(struct layers *l, struct cursor c);
void lisp_decode(struct layers *l, struct cursor c);
void capwap_decode(struct layers *l, struct cursor c);
/* ipcomp.c */
/** @return NULL where there is no room */
struct ipcomp *ipcomp_create(void);
void ipcomp_destroy(struct ipcomp *z);
void ipcomp_decode(struct layers *l, struct cursor c);
/* ppp.c */
void ppp_decode(struct layers *l, struct cursor c);
void pppoe_decode(struct layers *l, struct cursor c);
void hdlc_decode(struct layers *l, struct cursor c);
/* wireless.c */
void wireless_decode(struct layers *l, struct cursor c);
/** Some access points swap the first two bytes of what they hand on. */
void wireless_tunnel_decode(struct layers *l, struct cursor c);
void radiotap_decode(struct layers *l, struct cursor c);
void prism_decode(struct layers *l, struct cursor c);
void ppi_decode(struct layers *l, struct cursor c);

/* Counts the frame as cut or malformed. */
static inline void layers_cut(struct layers *l)
{
    l->decoder->counters.cut++;
}

static inline void layers_malformed(struct layers *l)
{
    l->decoder->counters.malformed++;
}

/** Tells of len bytes that stand skip bytes behind c, if they are there. */
static inline void layers_tell(const struct layers *l, enum decode_part part,
                               const struct cursor *c, size_t skip, size_t len)
{
    const struct decode_watch *w = &l->decoder->watch;
    if (w->part != NULL && len > 0 && cursor_left(c) >= skip + len) {
        w->part(part, hr_span_of(c->at + skip, len), w->user);
    }
}

/** Tells of the bytes from start to where c stands. */
static inline void layers_tell_since(const struct layers *l, enum decode_part part,
                                     const uint8_t *start, const struct cursor *c)
{
    const struct decode_watch *w = &l->decoder->watch;
    if (w->part != NULL && c->at > start) {
        w->part(part, hr_span_of(start, (size_t)(c->at - start)), w->user);
    }
}

/** Tells of a header at start and everything behind it, to the end of c. */
static inline void layers_tell_packet(const struct layers *l, enum decode_part part,
                                      const uint8_t *start, const struct cursor *c)
{
    const struct decode_watch *w = &l->decoder->watch;
    if (w->part != NULL) {
        w->part(part, hr_span_of(start, (size_t)(c->end - start)), w->user);
    }
}

/** Goes one header deeper. @return false, and the frame is counted, where that is too deep */
static inline bool layers_nest(struct layers *l)
{
    if (++l->depth > LAYER_DEPTH_LIMIT) {
        layers_malformed(l);
        return false;
    }
    return true;
}

/** @return NULL where no row has that number */
static inline layer_fn layer_find(const struct layer_row *rows, size_t count, uint32_t number)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].number == number) {
            return rows[i].decode;
        }
    }
    return NULL;
}

/** Hands on to the layer that the number names; *counter is for those that none decodes. */
static inline void layers_hand_on(struct layers *l, const struct layer_row *rows, size_t count,
                                  uint32_t number, struct cursor c, uint64_t *counter)
{
    layer_fn decode = layer_find(rows, count, number);
    if (!layers_nest(l)) {
        return;
    }
    if (decode != NULL) {
        decode(l, c);
    } else {
        ++*counter;
    }
}

#endif
