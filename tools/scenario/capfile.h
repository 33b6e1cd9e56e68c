/*
 * scenario/capfile.h - writes capture files: pcap (microseconds or nanoseconds) and pcapng, either
 * byte order. Formats: draft-ietf-opsawg-pcap-04, draft-ietf-opsawg-pcapng.
 */
#ifndef HR_SCENARIO_CAPFILE_H
#define HR_SCENARIO_CAPFILE_H

#include "base/time.h"

#include <stdbool.h>

enum capfile_format {
    CAPFILE_PCAP_NSEC,
    CAPFILE_PCAP_USEC,
    CAPFILE_PCAPNG,
};

struct capfile_config {
    enum capfile_format format;
    bool big_endian;
    uint32_t link_type;
    uint32_t snaplen; /* most bytes kept of a frame; 0: all */
};

struct capfile;

/** @param path  "-" is standard output. @return 0 or -errno */
int capfile_open(const char *path, const struct capfile_config *config, struct capfile **ret_file);
/** Cuts at the snap length. Errors are kept and told by capfile_close(). */
void capfile_write(struct capfile *c, hr_nsec at, const uint8_t *frame, size_t len);
/** @return 0, or -errno of the first write that failed; NULL is 0 */
int capfile_close(struct capfile *c);

#endif
