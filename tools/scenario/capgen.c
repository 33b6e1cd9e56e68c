/*
 * capgen - makes captures: of a scenario (headrace-scenario(5)), or of much traffic of correct
 * sites with faults of the network. Usage: capgen(1), beside this file.
 */
#include "base/alloc.h"
#include "scenario/scenario.h"
#include "scenario/traffic.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum {
    STATUS_OK = 0,
    STATUS_FAILED = 1,
    STATUS_USAGE = 2,
};

static const char usage[] =
    "usage: capgen scenario FILE.yaml -o OUT.pcap [--truth OUT.ndjson] [--seed N]\n"
    "       capgen traffic [--exchanges N] [--connections N] [--size BYTES] [--per-connection N]\n"
    "               [--unclosed RATE] [--start SECONDS] [--loss RATE] [--reorder RATE] "
    "[--duplicate RATE] [--seed "
    "N]\n"
    "               -o OUT.pcap [--truth OUT.ndjson]\n"
    "OUT.pcap: - is standard output. RATE: 0.001 or 0.1%.\n";

struct options {
    const char *output;
    const char *truth;
    bool has_seed;
    uint64_t seed;
    struct traffic_config traffic;
};

static const struct option long_options[] = {
    {"output",         required_argument, NULL, 'o'},
    {"truth",          required_argument, NULL, 't'},
    {"seed",           required_argument, NULL, 's'},
    {"exchanges",      required_argument, NULL, 'e'},
    {"connections",    required_argument, NULL, 'c'},
    {"size",           required_argument, NULL, 'b'},
    {"per-connection", required_argument, NULL, 'p'},
    {"unclosed",       required_argument, NULL, 'u'},
    {"start",          required_argument, NULL, 'a'},
    {"loss",           required_argument, NULL, 'l'},
    {"reorder",        required_argument, NULL, 'r'},
    {"duplicate",      required_argument, NULL, 'd'},
    {"help",           no_argument,       NULL, 'h'},
    {NULL,             0,                 NULL, 0  },
};

static bool parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value)
{
    uint64_t value;
    if (!hr_span_to_u64(hr_span_str(text), &value) || value < min || value > max) {
        fprintf(stderr, "capgen: '%s': expected a number from %llu to %llu\n", text,
                (unsigned long long)min, (unsigned long long)max);
        return false;
    }
    *ret_value = value;
    return true;
}

/* N, or MIN-MAX. */
static bool parse_range(const char *text, uint32_t min, uint32_t max, uint32_t *ret_least,
                        uint32_t *ret_most)
{
    struct hr_span rest = hr_span_str(text);
    struct hr_span first = hr_span_cut(&rest, '-');
    struct hr_span second = rest.ptr != NULL ? rest : first;
    uint64_t least;
    uint64_t most;
    if (!hr_span_to_u64(first, &least) || !hr_span_to_u64(second, &most) || least < min ||
        most < least || most > max) {
        fprintf(stderr, "capgen: '%s': expected a number from %u to %u, or two with a - between\n",
                text, min, max);
        return false;
    }
    *ret_least = (uint32_t)least;
    *ret_most = (uint32_t)most;
    return true;
}

/* One number is the mean. */
static bool parse_size(const char *text, struct traffic_config *t)
{
    if (!parse_range(text, 0, 100u << 20, &t->size_min_bytes, &t->size_max_bytes)) {
        return false;
    }
    if (strchr(text, '-') == NULL) {
        t->size_min_bytes /= 2;
        t->size_max_bytes += t->size_min_bytes;
    }
    return true;
}

static bool parse_rate(const char *text, double *ret_rate)
{
    char *end;
    double rate = strtod(text, &end);
    if (end != text && strcmp(end, "%") == 0) {
        rate /= 100;
        end++;
    }
    if (end == text || *end != '\0' || !(rate >= 0 && rate <= 1)) {
        fprintf(stderr, "capgen: '%s': expected a rate from 0 to 1, or a percentage\n", text);
        return false;
    }
    *ret_rate = rate;
    return true;
}

static bool parse_option(struct options *o, int c)
{
    struct traffic_config *t = &o->traffic;
    uint64_t number = 0;
    bool good = true;
    switch (c) {
    case 'o':
        o->output = optarg;
        break;
    case 't':
        o->truth = optarg;
        break;
    case 's':
        good = parse_number(optarg, 0, UINT64_MAX, &o->seed);
        o->has_seed = true;
        break;
    case 'e':
        good = parse_number(optarg, 1, UINT64_MAX, &t->exchanges);
        break;
    case 'c':
        good = parse_number(optarg, 1, 1000000, &number);
        t->connections = (uint32_t)number;
        break;
    case 'b':
        good = parse_size(optarg, t);
        break;
    case 'p':
        good = parse_range(optarg, 1, 1000000, &t->conn_exchanges_min, &t->conn_exchanges_max);
        break;
    case 'u':
        good = parse_rate(optarg, &t->unclosed);
        break;
    case 'a':
        good = parse_number(optarg, 0, 4000000000, &number);
        t->start = (hr_nsec)number * HR_NSEC_PER_SEC;
        break;
    case 'l':
        good = parse_rate(optarg, &t->point.loss);
        break;
    case 'r':
        good = parse_rate(optarg, &t->point.reorder);
        break;
    case 'd':
        good = parse_rate(optarg, &t->point.duplicate);
        break;
    default:
        fputs(usage, stderr);
        good = false;
    }
    return good;
}

static int run_scenario(const char *path, const struct options *o, FILE *truth)
{
    struct scenario *s = NULL;
    struct hr_buf error;
    int r;
    hr_buf_init(&error, SIZE_MAX);
    r = scenario_load(path, o->has_seed ? &o->seed : NULL, &s, &error);
    if (r < 0) {
        fprintf(stderr, "capgen: %s\n", hr_buf_str(&error));
    } else {
        r = scenario_write(s, o->output, truth, NULL);
        if (r < 0) {
            fprintf(stderr, "capgen: %s: %s\n", o->output, strerror(-r));
        }
    }
    hr_buf_finish(&error);
    scenario_destroy(s);
    return r < 0 ? STATUS_FAILED : STATUS_OK;
}

static int run_traffic(struct options *o, FILE *truth)
{
    struct point_counts n;
    int r;
    o->traffic.seed = o->has_seed ? o->seed : o->traffic.seed;
    r = traffic_write(&o->traffic, o->output, truth, &n);
    if (r < 0) {
        fprintf(stderr, "capgen: %s: %s\n", o->output, strerror(-r));
        return STATUS_FAILED;
    }
    fprintf(stderr,
            "capgen: %llu exchanges (%llu whole), %llu frames, %llu bytes; %llu lost, %llu "
            "reordered, %llu doubled\n",
            (unsigned long long)n.exchanges, (unsigned long long)n.whole,
            (unsigned long long)n.frames, (unsigned long long)n.bytes, (unsigned long long)n.lost,
            (unsigned long long)n.reordered, (unsigned long long)n.doubled);
    return STATUS_OK;
}

static int run(const char *command, int argc, char **argv, struct options *o)
{
    const bool is_scenario = strcmp(command, "scenario") == 0;
    FILE *truth = NULL;
    int status;
    if (argc - optind != (is_scenario ? 1 : 0) || o->output == NULL ||
        (!is_scenario && strcmp(command, "traffic") != 0)) {
        fputs(usage, stderr);
        return STATUS_USAGE;
    }
    if (o->truth != NULL && (truth = fopen(o->truth, "w")) == NULL) {
        fprintf(stderr, "capgen: %s: %s\n", o->truth, strerror(errno));
        return STATUS_FAILED;
    }
    status = is_scenario ? run_scenario(argv[optind], o, truth) : run_traffic(o, truth);
    if (truth != NULL && fclose(truth) != 0) {
        fprintf(stderr, "capgen: %s: %s\n", o->truth, strerror(errno));
        status = STATUS_FAILED;
    }
    return status;
}

int main(int argc, char **argv)
{
    struct options o = {0};
    int c;
    traffic_config_init(&o.traffic);
    if (argc < 2 || strcmp(argv[1], "--help") == 0) {
        fputs(usage, argc < 2 ? stderr : stdout);
        return argc < 2 ? STATUS_USAGE : STATUS_OK;
    }
    while ((c = getopt_long(argc - 1, argv + 1, "o:", long_options, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            return STATUS_OK;
        }
        if (!parse_option(&o, c)) {
            return STATUS_USAGE;
        }
    }
    return run(argv[1], argc - 1, argv + 1, &o);
}
