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
    uint32_t size_bytes;  /* of a body, about: half to one and a half of it */
    uint64_t seed;
    struct point_config point; /* seed is set from the above */
};

/** The usual ones: 1,000 exchanges on 20 connections, bodies of about 1 KB, no faults. */
void traffic_config_init(struct traffic_config *c);
/** @return 0, or -errno where a file could not be written */
int traffic_write(const struct traffic_config *c, const char *path, FILE *truth,
                  struct point_counts *ret_counts);

#endif
