/*
 * floor - the least that any program pays to read a capture: a bare libpcap loop that looks at one
 * byte of each frame. tools/bench measures against it. Usage: floor FILE
 */
#include <pcap/pcap.h>
#include <stdint.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    char error[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *header;
    const unsigned char *data;
    uint64_t frames = 0;
    uint64_t bytes = 0;
    uint64_t sum = 0;
    pcap_t *p;
    int r;
    if (argc != 2) {
        fputs("usage: floor FILE\n", stderr);
        return 2;
    }
    p = pcap_open_offline(argv[1], error);
    if (p == NULL) {
        fprintf(stderr, "floor: %s\n", error);
        return 3;
    }
    while ((r = pcap_next_ex(p, &header, &data)) == 1) {
        frames++;
        bytes += header->caplen;
        sum += header->caplen > 0 ? data[0] : 0;
    }
    printf("%llu frames, %llu bytes, sum %llu\n", (unsigned long long)frames,
           (unsigned long long)bytes, (unsigned long long)sum);
    if (r == PCAP_ERROR) {
        fprintf(stderr, "floor: %s\n", pcap_geterr(p));
    }
    pcap_close(p);
    return r == PCAP_ERROR ? 3 : 0;
}
