/*
 * scenario/model.h - a scenario as read: what is said, with messages as bytes already. Inside
 * tools/scenario/ only.
 */
#ifndef HR_SCENARIO_MODEL_H
#define HR_SCENARIO_MODEL_H

#include "base/alloc.h"
#include "base/arena.h"
#include "base/json.h"
#include "scenario/scenario.h"

#define SCENARIO_INTERIM_MAX 8
#define SCENARIO_NONE SIZE_MAX

struct headers { /* lines "Name: value"; removed names as "Name" without a colon */
    struct hr_span *lines;
    size_t count;
};

struct site {
    const char *name;
    const char *host;
    struct net_endpoint server;
    const char *cookie;
    hr_nsec think;
    struct headers headers;
};

struct client {
    const char *name;
    struct net_address address;
    bool has_address;
    const char *agent; /* NULL: no field */
    struct headers headers;
};

struct value {
    const char *name;
    const char *text;
};

enum closing {
    CLOSE_DEFAULT, /* by the client, with FIN, 50 ms after its last exchange */
    CLOSE_OPEN,
    CLOSE_CLIENT_FIN,
    CLOSE_CLIENT_RST,
    CLOSE_SERVER_FIN,
    CLOSE_SERVER_RST,
    CLOSE_REFUSED, /* of a connection: the answer to its SYN is a RST */
};

struct connection {
    const char *name; /* NULL: made for an exchange that named none */
    size_t client;
    size_t site;
    uint16_t port; /* 0: not chosen yet */
    uint16_t mss;  /* 0: the network's */
    hr_nsec opens; /* HR_NSEC_INFINITE: before its first request */
    bool handshake;
    bool wrap;
    enum closing end;
    hr_nsec end_at; /* HR_NSEC_INFINITE: by default */
    /* while scheduling */
    bool used;
    hr_nsec first_at;     /* of its first request */
    hr_nsec last_at;      /* end of its last exchange */
    hr_nsec request_free; /* the next request cannot begin before */
    hr_nsec response_free;
    hr_nsec busy_until; /* an exchange that names no connection may take it from then on */
    hr_nsec closed_at;  /* HR_NSEC_INFINITE: not by an exchange */
    size_t successor;   /* what the name means once this one is closed */
};

struct message {
    struct hr_span bytes;
    size_t head_bytes;   /* start line and field section */
    uint64_t body_bytes; /* behind it, as sent */
    hr_nsec takes;
};

struct exchange {
    const char *label; /* NULL: none */
    size_t client;
    size_t site;
    size_t connection; /* SCENARIO_NONE: any that is idle */
    const char *method;
    const char *target;
    struct message request;
    bool expects_continue;
    bool has_response;
    bool close_delimited;
    unsigned status;
    struct message response;
    struct hr_span interim[SCENARIO_INTERIM_MAX];
    size_t interim_count;
    hr_nsec think;
    hr_nsec request_at;
    hr_nsec body_at; /* of a request that waits for 100 Continue */
    hr_nsec request_end_at;
    hr_nsec response_at; /* HR_NSEC_INFINITE: after think */
    hr_nsec response_end_at;
    hr_nsec end_at; /* of the later of both */
    enum closing close;
    hr_nsec close_at;
    hr_nsec recorded_at; /* of the first byte, after scenario_write() */
    unsigned drop;
    unsigned duplicate;
    unsigned swap;
};

struct scenario {
    struct hr_arena arena;
    hr_nsec start;
    uint64_t seed;
    struct site *sites;
    size_t site_count;
    struct client *clients;
    size_t client_count;
    struct value *values;
    size_t value_count;
    struct connection *connections;
    size_t connection_count;
    size_t connection_capacity;
    struct exchange *exchanges; /* in file order */
    size_t exchange_count;
    uint16_t mss;
    hr_nsec delay;
    bool wrap;
    struct point_config point;
};

/* While reading. */
struct loader {
    struct hr_yaml_doc *doc;
    const struct hr_yaml *node;
    const struct hr_yaml *base;
    struct scenario *s;
    hr_nsec zero; /* of the times that are durations */
};

/* vocabulary.c: names, times and texts */

/** The member of the scenario or, failing that, of its base. */
const struct hr_yaml *load_member(const struct loader *l, const char *key);
/** Text of a scalar with its variables filled in; lives as long as the scenario. */
int load_text(struct loader *l, const struct hr_yaml *node, const char **ret_text);
int load_expand(struct loader *l, const struct hr_yaml *node, struct hr_span text,
                const char **ret_text);
int load_values(struct loader *l);
int load_headers(struct loader *l, const struct hr_yaml *node, struct headers *ret_headers);
/** A duration from base, or RFC 3339. */
int load_time(struct loader *l, const struct hr_yaml *node, hr_nsec base, hr_nsec *ret_at);
int load_rate(struct loader *l, const struct hr_yaml *node, double *ret_rate);
/** One of CLOSE_CLIENT_FIN to CLOSE_SERVER_RST; of a connection also CLOSE_OPEN and CLOSE_REFUSED. */
int load_closing(struct loader *l, const struct hr_yaml *node, bool of_connection,
                 enum closing *ret_closing);
/** @return the number of members or items */
size_t load_count(const struct hr_yaml *node);

/** Writes any node as JSON; unquoted numbers, true, false and null stay what they are. */
int load_json(struct loader *l, const struct hr_yaml *node, struct hr_json *j);

/* message.c */
int load_request(struct loader *l, const struct hr_yaml *node, struct exchange *x);
int load_response(struct loader *l, const struct hr_yaml *node, struct exchange *x);

/* exchange.c */

/** Members client and site, where they are there. */
int load_who(struct loader *l, const struct hr_yaml *node, size_t *client, size_t *site);
/** Refuses a client and a site that cannot talk to each other. */
int load_family(struct loader *l, const struct hr_yaml *node, size_t client, size_t site);
/** Reads a list of exchanges; time zero is *zero, which becomes the end of the last one. */
int load_exchanges(struct loader *l, const struct hr_yaml *list, hr_nsec *zero);

/* load.c */

struct connection *scenario_add_connection(struct scenario *s, size_t client, size_t site);

/* schedule.c: connections for exchanges that name none, and the times of everything */
void scenario_schedule(struct scenario *s);

/* How a message lies in segments: piece i begins at byte offset and is recorded so long after the
 * first. */
struct piece {
    size_t offset;
    size_t len;
    hr_nsec delay;
};
size_t message_piece_count(const struct message *m, size_t mss);
struct piece message_piece(const struct message *m, size_t mss, size_t index);
/** From the first piece to the last. */
hr_nsec message_duration(const struct message *m, size_t mss);

#endif
