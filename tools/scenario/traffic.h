/*
 * scenario/traffic.h - much traffic of correct sites: logins, accesses with a session, logouts,
 * refused requests, on many interleaved kept-alive connections. Written as it is made; memory does
 * not grow with its length.
 */
#ifndef HR_SCENARIO_TRAFFIC_H
#define HR_SCENARIO_TRAFFIC_H

#include "scenario/point.h"

struct traffic_config {
    uint64_t exchanges;
    uint32_t connections; /* open at one time, each of a client of its own; 1 to 1,000,000 */
    uint32_t size_min_bytes; /* of a body that is not empty */
    uint32_t size_max_bytes;
    uint32_t conn_exchanges_min; /* on one connection */
    uint32_t conn_exchanges_max;
    double unclosed; /* part of the connections of one time that nobody closes */
    hr_nsec start; /* of the first connections */
    uint64_t seed;
    struct point_config point; /* seed is set from the above */
};

/** The usual ones: 1,000 exchanges on 20 connections, 20 to 79 on each before it is closed, bodies of
 * 500 to 1,500 bytes, no faults. */
void traffic_config_init(struct traffic_config *c);
/** @return 0, or -errno where a file could not be written */
int traffic_write(const struct traffic_config *c, const char *path, FILE *truth,
                  struct point_counts *ret_counts);

#endif
