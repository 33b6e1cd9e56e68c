/*
 * tcp/conn_table.h - inside of tcp/: what is kept of a connection, and the lists that make every
 * time-out cost a constant amount of work. Lists are in order of their times, so only heads are
 * looked at.
 */
#ifndef HR_TCP_CONN_TABLE_H
#define HR_TCP_CONN_TABLE_H

#include "tcp/conn.h"
#include "tcp/index.h"
#include "tcp/kin.h"
#include "tcp/number.h"
#include "tcp/reassembly.h"
#include "tcp/state.h"

#include <sys/queue.h>

/* How long a hole that the receiver acknowledged may still be filled: the capture may put an ACK
 * slightly before the bytes, never long. Also how long a RST may be overtaken by older segments. */
#define TCP_REORDER_GRACE (50 * HR_NSEC_PER_MSEC)
/* The same in segments of the connection, for captures whose times stand still. */
#define TCP_REORDER_SEGMENTS 16

enum tcp_idle_list {
    TCP_LIST_OPENING,
    TCP_LIST_OPEN,
    TCP_LIST_RESET,
    TCP_LIST_CLOSED,
    TCP_LIST_COUNT,
};

enum tcp_watch_list {
    TCP_WATCH_HOLE,  /* a hole waits for its bytes */
    TCP_WATCH_ACKED, /* the same, but its receiver had them: they were not captured */
    TCP_WATCH_COUNT,
};

/* The first hole of one direction. */
struct tcp_watch {
    TAILQ_ENTRY(tcp_watch) link;
    struct tcp_entry *entry;
    hr_nsec since;     /* order within the list */
    tcp_pos hole;      /* where it begins */
    tcp_pos acked;     /* when it came to TCP_WATCH_ACKED */
    unsigned segments; /* of the connection since then */
    enum tcp_watch_list list;
    enum tcp_direction direction;
};
TAILQ_HEAD(tcp_watches, tcp_watch);

/* What every segment touches stands together in front. */
struct tcp_entry {
    struct tcp_key key;
    hr_nsec stamp; /* order within the list */
    enum tcp_idle_list list;
    enum tcp_state state;
    uint8_t orig_side; /* of the key */
    bool ack_seen;
    struct tcp_watch *watch[2]; /* in a list; NULL: the direction has no hole */
    struct tcp_half half[2];
    struct tcp_number number;
    struct tcp_conn conn;
    struct tcp_mark last; /* latest segment */
    TAILQ_ENTRY(tcp_entry) link;  /* of the list of its state */
    TAILQ_ENTRY(tcp_entry) order; /* of all */
    struct tcp_family *family;    /* NULL as long as there is one network only */
    TAILQ_ENTRY(tcp_entry) kin;   /* of the family */
    uint32_t alias[TCP_ALIAS_LIMIT]; /* networks besides the key's */
    uint8_t alias_count;
    struct tcp_mark reset; /* first RST that counted */
    tcp_pos reset_pos[2];  /* where the first RST of each side stands, while it counts; else TCP_POS_NONE */
};
TAILQ_HEAD(tcp_entries, tcp_entry);

/* A ring of the frames at hand: those behind the present one whose segments are known by now. */
#define TCP_AHEAD 16
struct tcp_ahead {
    struct tcp_foreseen {
        struct tcp_key key;
        uint32_t hash; /* of it */
        bool is_known;
    } frames[TCP_AHEAD];
    unsigned at; /* the present one */
};
_Static_assert(TCP_AHEAD_FRAMES < TCP_AHEAD, "the ring holds the present frame, too");

struct tcp_table {
    struct tcp_config config;
    struct tcp_callbacks callbacks;
    void *user;
    struct tcp_counters counters;
    struct tcp_index index;
    struct tcp_entries entries; /* in order of first frames */
    struct tcp_entries idle[TCP_LIST_COUNT];
    size_t idle_count[TCP_LIST_COUNT];
    struct tcp_watches watches[TCP_WATCH_COUNT];
    struct tcp_held_total held;
    struct tcp_numbers numbers;
    struct tcp_kin kin;
    struct tcp_ahead ahead;
    /* Time-outs run on packet time that two frames agree on, so that one frame with a wild time
     * ends nothing. What is touched bears the time of its frame; where that lies ahead of the
     * clock when it is looked at, the frame was wrong and the clock counts. */
    hr_nsec clock;
    hr_nsec now; /* the later of the clock and the present frame */
    hr_nsec previous_at;
    hr_nsec latest; /* see tcp_table_limit_clock() */
    hr_nsec *doubts;  /* by capture; see tcp_table_clock_doubt() */
    unsigned shed_sixteenths; /* of new connections */
    hr_nsec deadline; /* nothing is due before the clock comes to it */
};

/* conn.c: one connection */

/** One selected segment of an entry that tcp_entry_accepts(). */
void tcp_entry_feed(struct tcp_table *t, struct tcp_entry *e, unsigned side,
                    const struct tcp_segment *s);
/** Ends both directions and tells so; does nothing where it is closed. The entry stays. */
void tcp_entry_close(struct tcp_table *t, struct tcp_entry *e, enum tcp_end end);
/**
 * Whether s, though under the same stream number, cannot be part of what this entry followed: that
 * was closed, and s opens again or carries bytes from elsewhere in sequence space.
 */
bool tcp_entry_is_over(const struct tcp_entry *e, unsigned side, const struct tcp_segment *s);

/** After a direction may have come to its FIN: the state that follows, and the close. */
void tcp_entry_settle(struct tcp_table *t, struct tcp_entry *e);

/* The way of one direction's chunks out of the table. Stays where it was initialised. */
struct tcp_route {
    struct tcp_table *table;
    struct tcp_entry *entry;
    enum tcp_direction direction;
    struct tcp_outlet out;
};
void tcp_route_init(struct tcp_route *r, struct tcp_table *t, struct tcp_entry *e,
                    enum tcp_direction direction);

/* hole.c: the waiting for bytes that may still come */

hr_nsec tcp_watch_timeout(const struct tcp_table *t, enum tcp_watch_list list);

/** After every segment of the connection. */
void tcp_holes_update(struct tcp_table *t, struct tcp_entry *e);
/** Whether a segment at pos may give up what lies before it at once. */
bool tcp_hole_is_certain(const struct tcp_table *t, const struct tcp_half *h, tcp_pos pos);
/** Declares what has waited too long on packet time. */
void tcp_holes_expire(struct tcp_table *t);
/** Declares holes, the longest waiting first, until all held bytes are within the budget. */
void tcp_holes_enforce(struct tcp_table *t);
/** See tcp_table_shift_clock(). */
void tcp_holes_shift(struct tcp_table *t, hr_nsec by);
void tcp_holes_forget(struct tcp_table *t, struct tcp_entry *e);

/* ahead.c */

/** Hashes only what was not foreseen. */
uint32_t tcp_ahead_hash(struct tcp_table *t, const struct tcp_key *key);

/* conn_table.c */

/** Something enters a list whose time-out this is. */
static inline void tcp_table_expect(struct tcp_table *t, hr_nsec timeout)
{
    hr_nsec due = hr_nsec_add(t->now, timeout);
    t->deadline = due < t->deadline ? due : t->deadline;
}

/** As if it had never been: another connection has its segments. Nothing was told of it yet. */
void tcp_table_take_back(struct tcp_table *t, struct tcp_entry *take_e);
/** Puts the entry behind the others of the list that its state calls for. */
void tcp_entry_touch(struct tcp_table *t, struct tcp_entry *e);

#endif
