/*
 * capture/file.h - one capture file: what format it is, its frames in file order, and what is known
 * about it. The formats (pcap_file.c, pcapng_file.c) are reached through the functions at the end.
 */
#ifndef HR_CAPTURE_FILE_H
#define HR_CAPTURE_FILE_H

#include "capture/input.h"
#include "capture/source.h"

/* As libpcap's MAXIMUM_SNAPLEN and Wireshark's limit for standard encapsulations. */
#define CAPTURE_FRAME_LIMIT 262144u

struct pcap_reader;
struct pcapng_reader;

struct capture_file {
    struct capture_info info;
    struct input *input;
    struct pcap_reader *pcap; /* one of these two, or none after an error */
    struct pcapng_reader *pcapng;
    bool looks_ahead; /* packet.ahead is looked for */
    uint64_t number; /* of the last frame, as Wireshark counts */
    bool done;
};

/** Opens and detects; what goes wrong is in f->info. path is borrowed for the file's life. */
void capture_file_init(struct capture_file *f, const char *path, const struct input_config *config);
/** @return 1 and the frame, all but capture and selected; 0 at the end, after an error as well */
int capture_file_next(struct capture_file *f, struct packet *ret_packet);
/** Ends it with an error; the first one stays. */
void capture_file_fail(struct capture_file *f, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** Gives memory and the descriptor back; info stays. */
void capture_file_finish(struct capture_file *f);
/** Looks at the beginning only. @return whether it is a pcap or pcapng file, plain or packed */
bool capture_file_is_capture(const char *path);

/** Writes "EN10MB" and the like, "link type 999" where it has no name. */
void capture_link_name(uint32_t link_type, char *text, size_t size);

/** @return the LINKTYPE_ number of libpcap's DLT_ number */
uint32_t capture_link_of(int dlt);

/** @return whether head is the beginning of a pcap file that libpcap knows */
bool pcap_reader_knows(const uint8_t *head, size_t len);
/** @return NULL with the file's error set where it cannot be read */
struct pcap_reader *pcap_reader_open(struct capture_file *f);
/** @return 1 and at, data, captured_bytes, wire_bytes, link_type, interface, perhaps ahead; 0 at the end
 * or error */
int pcap_reader_next(struct pcap_reader *r, struct capture_file *f, struct packet *ret_packet);
void pcap_reader_close(struct pcap_reader *r);

bool pcapng_reader_knows(const uint8_t *head, size_t len);
struct pcapng_reader *pcapng_reader_open(struct capture_file *f);
/** Also raises f->number for records that Wireshark numbers but that are no frames. */
int pcapng_reader_next(struct pcapng_reader *r, struct capture_file *f, struct packet *ret_packet);
void pcapng_reader_close(struct pcapng_reader *r);

#endif
