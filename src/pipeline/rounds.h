/*
 * pipeline/rounds.h - the store's side of a run that goes on: what came in since the last round is
 * one import in one transaction, with its analysis and its findings. A kill loses the round under
 * way and nothing else. All of it belongs to the writing thread once that runs (pipeline/writer.h).
 *
 * To judge all that is known of a site takes the longer the more is stored. Where that is long, most
 * rounds only take a glance: what came in is classified by what is known, the sessions that it touches
 * are checked, and the rules run whose findings are read quickly. The rest waits for the next whole
 * look, after so many times the CPU time of the last one (glance_share), or as soon as the store has grown
 * by so large a part that the last one knew little (glance_growth). In the end the store is the same.
 * A long look has a transaction of its own, after what came in was stored and told. After a restart
 * glances go by what the run before it learned, and the first look comes when the next one would have.
 */
#ifndef HR_PIPELINE_ROUNDS_H
#define HR_PIPELINE_ROUNDS_H

#include "rule/rule.h"
#include "session/profile.h"
#include "store/write.h"

struct rounds;

/* A server with a request under way, and since when. */
struct round_pending {
    struct net_endpoint server;
    hr_nsec since;
};

/* What the reading thread knows when a round ends. Borrowed. */
struct round_end {
    const struct capture_info *infos; /* by capture */
    const hr_nsec *clock_doubts;      /* by capture */
    size_t capture_count;
    hr_nsec last_at; /* of the frames; steps back with their clock; INT64_MIN: there was none */
    const struct round_pending *pending; /* each server once */
    size_t pending_count;
    hr_nsec waits_since; /* bytes are missing that may still come; HR_NSEC_INFINITE: none */
    bool is_last;
    bool is_hurried; /* the last one, and whoever ends the run waits */
};

/* What a round did, while its transaction is still open. */
struct round {
    int64_t number; /* of its import: what changed bears it; 0: nothing came in */
    bool is_glance; /* only what came in was judged, and not by every rule */
    const struct round_end *end;
};

struct rounds_config {
    struct store *store;
    const struct profile_set *profiles; /* borrowed, may be NULL */
    struct rule_set *rules;             /* a rule that fails is named once and switched off */
    hr_nsec clock_error;
    const char *const *captures; /* borrowed: names of the interfaces or files */
    size_t capture_count;
    unsigned glance_share;  /* 0: no glances */
    unsigned glance_growth; /* a look is due when one exchange in so many is new; 0: size does not count */
    unsigned glance_rest;   /* at glances, a rule that takes longer rests so many times as long */
    hr_nsec patience;      /* of a whole look that is hurried: beyond it the run ends with a glance */
    hr_nsec retain; /* delete what ended longer ago than that on the packets' clock; 0: nothing */
    /** Within the transaction. @return 0, or a negative errno that ends the run */
    int (*found)(const struct round *r, void *user);
    /** In place of it, without a transaction: nothing came in. @return as above */
    int (*idle)(const struct round *r, void *user);
    /** All that the round found is stored, or it was idle; old days are deleted after it. May be NULL. */
    void (*stored)(void *user);
    /** After rounds_change(), perhaps within a transaction. @return 0, or a negative errno that ends the run */
    int (*changed)(void *user);
    /** After each round, also one in which nothing came in. */
    void (*ended)(void *user);
    void *user;
};

struct rounds *rounds_create(const struct rounds_config *config);
/** What is not committed is lost. */
void rounds_destroy(struct rounds *r);
/** The import of the round under way, begun where there is none. @return 0 or a negative errno */
int rounds_open(struct rounds *r, struct import **ret_import);
/** @return 0 or the store's negative errno; then nothing of the round is stored */
int rounds_end(struct rounds *r, const struct round_end *e);
/** Any thread: whoever ends the run waits, so a long look under way is given up. */
void rounds_hurry(struct rounds *r);
/** Whether something waits for a whole look: another round is due, though nothing comes in. In ended(). */
bool rounds_is_behind(const struct rounds *r);
/** Others, beginning with the round under way. @return 0 or a negative errno */
int rounds_change(struct rounds *r, const struct profile_set *profiles, struct rule_set *rules);

#endif
