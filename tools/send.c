/*
 * What tools/bench-watch sends with: send IFACE CAPTURE BYTES_PER_SECOND puts the frames of a
 * capture on an interface, evenly at that rate, and prints how many, their bytes, and the seconds
 * that took.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64

struct frames {
    struct iovec *items;
    size_t count;
    size_t bytes;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *checked(void *p)
{
    if (p == NULL) {
        perror("memory");
        exit(1);
    }
    return p;
}

/* All of it, so that no disk is waited for. */
static int load(const char *path, struct frames *f)
{
    char error[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *header;
    const u_char *data;
    size_t limit = 0;
    pcap_t *pcap = pcap_open_offline(path, error);
    if (pcap == NULL) {
        fprintf(stderr, "%s\n", error);
        return -1;
    }
    while (pcap_next_ex(pcap, &header, &data) == 1) {
        if (f->count == limit) {
            limit = limit > 0 ? 2 * limit : 65536;
            f->items = checked(realloc(f->items, limit * sizeof(*f->items)));
        }
        f->items[f->count] =
            (struct iovec){.iov_base = checked(malloc(header->caplen)), .iov_len = header->caplen};
        memcpy(f->items[f->count].iov_base, data, header->caplen);
        f->bytes += header->caplen;
        f->count++;
    }
    pcap_close(pcap);
    return 0;
}

static int open_interface(const char *name)
{
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(name)};
    int size = 64 * 1024 * 1024;
    int fd = socket(AF_PACKET, SOCK_RAW, 0);
    if (fd < 0 || to.sll_ifindex == 0 || bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
        perror(name);
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
    return fd;
}

static int send_batch(int fd, struct iovec *items, unsigned count)
{
    struct mmsghdr messages[BATCH];
    unsigned done = 0;
    memset(messages, 0, sizeof(messages));
    for (unsigned i = 0; i < count; i++) {
        messages[i].msg_hdr.msg_iov = &items[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    while (done < count) {
        int n = sendmmsg(fd, messages + done, count - done, 0);
        if (n < 0 && errno != ENOBUFS && errno != EINTR) {
            perror("sendmmsg");
            return -1;
        }
        done += n > 0 ? (unsigned)n : 0;
    }
    return 0;
}

static void wait_until(double at)
{
    double left = at - now();
    if (left > 0) {
        struct timespec t = {.tv_sec = (time_t)left,
                             .tv_nsec = (long)((left - (double)(time_t)left) * 1e9)};
        nanosleep(&t, NULL);
    }
}

int main(int argc, char **argv)
{
    struct frames f = {0};
    if (argc != 4 || load(argv[2], &f) < 0) {
        return 2;
    }
    double rate = strtod(argv[3], NULL);
    int fd = open_interface(argv[1]);
    double began = now();
    size_t sent = 0;
    for (size_t i = 0; fd >= 0 && i < f.count; i += BATCH) {
        unsigned count = f.count - i < BATCH ? (unsigned)(f.count - i) : BATCH;
        wait_until(began + (double)sent / rate);
        if (send_batch(fd, f.items + i, count) < 0) {
            return 1;
        }
        for (unsigned k = 0; k < count; k++) {
            sent += f.items[i + k].iov_len;
        }
    }
    printf("%zu %zu %.3f\n", f.count, f.bytes, now() - began);
    return fd < 0 ? 1 : 0;
}
