#include "decode/segment.h"

#include <arpa/inet.h>
#include <string.h>

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

const char *net_address_format(const struct net_address *a, char text[NET_ADDRESS_TEXT_SIZE])
{
    bool is_ip4 = memcmp(a->bytes, mapped_prefix, sizeof(mapped_prefix)) == 0;
    if (is_ip4) {
        inet_ntop(AF_INET, a->bytes + sizeof(mapped_prefix), text, NET_ADDRESS_TEXT_SIZE);
    } else {
        inet_ntop(AF_INET6, a->bytes, text, NET_ADDRESS_TEXT_SIZE);
    }
    return text;
}

bool net_address_parse(const char *text, struct net_address *ret_address)
{
    struct net_address a;
    memcpy(a.bytes, mapped_prefix, sizeof(mapped_prefix));
    if (inet_pton(AF_INET, text, a.bytes + sizeof(mapped_prefix)) != 1 &&
        inet_pton(AF_INET6, text, a.bytes) != 1) {
        return false;
    }
    *ret_address = a;
    return true;
}

int net_endpoint_compare(const struct net_endpoint *a, const struct net_endpoint *b)
{
    int r = memcmp(a->address.bytes, b->address.bytes, sizeof(a->address.bytes));
    if (r != 0) {
        return r;
    }
    return (a->port > b->port) - (a->port < b->port);
}

uint32_t tcp_segment_identity(uint16_t ip_id, uint64_t stamps)
{
    uint64_t h = (stamps ^ (uint64_t)ip_id << 48) * UINT64_C(0x9e3779b97f4a7c15);
    uint32_t top = (uint32_t)(h >> 33);
    if (ip_id != 0) {
        return top | TCP_IDENTITY_IP;
    }
    return stamps != 0 ? top | 1 : 0;
}
