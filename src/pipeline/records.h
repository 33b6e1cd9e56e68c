/*
 * pipeline/records.h - what goes from the reading thread to the extracting one, and from there to
 * the writing one: records of a queue. Connections are named by a number of the reader's, which may
 * be used again after the end of the connection.
 */
#ifndef HR_PIPELINE_RECORDS_H
#define HR_PIPELINE_RECORDS_H

#include "http/exchange.h"
#include "pipeline/queue.h"
#include "pipeline/rounds.h"
#include "session/facts.h"
#include "store/write.h"

enum record_kind {
    RECORD_CONN,     /* struct conn_record */
    RECORD_CONN_END, /* struct conn_record */
    RECORD_MESSAGES, /* struct messages_record; the exchange behind it; becomes RECORD_FACTS */
    RECORD_FACTS,    /* struct facts_record; the facts behind it */
    RECORD_LOSS,     /* struct loss_record */
    RECORD_REFUSAL,  /* struct refusal_row */
    RECORD_ROUND,    /* struct round_record; the arrays of a round_end behind it */
    RECORD_CHANGE,   /* struct change_record */
};

struct conn_record {
    size_t conn_number; /* from 1 on, and small: they are kept in an array */
    bool orig_is_client;
    enum tcp_end end;
    struct tcp_conn conn; /* its user pointer is the reader's */
};

struct messages_record {
    size_t conn_number;
    size_t capture; /* of the connection */
    struct net_endpoint client;
    struct net_endpoint server;
};

struct facts_record {
    size_t conn_number;
};

struct loss_record {
    size_t conn_number;
    struct loss_row row;
};

struct round_record {
    size_t capture_count;
    size_t pending_count;
    hr_nsec last_at;
    hr_nsec waits_since;
    bool is_last;
    bool is_hurried;
};

/* From here on. Borrowed. */
struct change_record {
    const struct profile_set *profiles;
    struct rule_set *rules;
};

/* All of them drop what they are given once the queue is closed, and copy all that spans point to. */
void records_put_conn(struct queue *q, size_t conn_number, const struct tcp_conn *c,
                      bool orig_is_client);
void records_put_conn_end(struct queue *q, size_t conn_number, const struct tcp_conn *c,
                          enum tcp_end end);
void records_put_messages(struct queue *q, const struct messages_record *m,
                          const struct http_exchange *x);
/** @return false where the queue is closed */
bool records_put_facts(struct queue *q, size_t conn_number, const struct exchange_facts *f);
void records_put_loss(struct queue *q, size_t conn_number, const struct loss_row *row);
void records_put_refusal(struct queue *q, const struct refusal_row *row);
/** What was put so far makes a round; handed over at once. The names of captures are not copied. */
void records_put_round(struct queue *q, const struct round_end *e);
/** @param record  of records_put_round(). @param ret_end  points into it */
void records_read_round(const struct round_record *record, struct round_end *ret_end);
/** Handed over at once. */
void records_put_change(struct queue *q, const struct profile_set *profiles,
                        struct rule_set *rules);
/** Passes a record on as it is. @return false where the queue is closed */
bool records_pass(struct queue *q, const struct queue_record *record);

#endif
