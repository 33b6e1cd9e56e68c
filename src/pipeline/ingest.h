/*
 * pipeline/ingest.h - frames of a run into rows of the store: decode, tcp, http, extract, import.
 */
#ifndef HR_PIPELINE_INGEST_H
#define HR_PIPELINE_INGEST_H

#include "pipeline/pipeline.h"
#include "pipeline/writer.h"
#include "store/write.h"

struct ingest;

/** Until ingest_finish() a thread of its own uses the store, and nobody else may. */
int ingest_create(const struct pipeline_config *config, const struct hr_key *key,
                  const struct profile_set *profiles, const struct writer_target *target,
                  size_t capture_count, struct ingest **ret_ingest);
void ingest_feed(struct ingest *g, const struct packet *p);
/** @return true where the store has failed: a run stops early then */
bool ingest_has_failed(const struct ingest *g);
/** Ends every connection and waits until all is stored. @return 0, or the store's negative errno */
int ingest_finish(struct ingest *g);
/** No frame comes, and it is that late by now. */
void ingest_advance(struct ingest *g, hr_nsec at);
/** Hands what came in since the last round to the store. @param infos  by capture */
void ingest_end_round(struct ingest *g, const struct capture_info *infos, 
                      bool is_last, bool is_hurried);
/** Frames that kernel or interface dropped between those times. */
void ingest_add_drops(struct ingest *g, size_t capture, hr_nsec from_at, hr_nsec to_at,
                      uint64_t count);
/** As of tcp_table_shed(): what is left out is a loss. */
void ingest_shed(struct ingest *g, unsigned sixteenths);
/** Connections that were left out so, since the start. @param ret_frames  of them */
uint64_t ingest_shed_count(const struct ingest *g, uint64_t *ret_frames);
/** The clock that stamps all frames was set by so much: time-outs go on with the rest of their time. */
void ingest_shift_clock(struct ingest *g, hr_nsec by);
/** No frame can be of later than that: one that says so moves no time. */
void ingest_limit_clock(struct ingest *g, hr_nsec latest);
/** The clock of that capture was set: those times may be of before or of after that. */
void ingest_add_clock_step(struct ingest *g, size_t capture, hr_nsec from_at, hr_nsec to_at);
/** @return how much of the way to the store is full: 0 nothing, 1 all of it */
double ingest_fill(const struct ingest *g);
/**
 * In rounds: others for what comes from now on, and for rounds that end from now on. Does not wait; the
 * rounds' `changed` is called once nobody uses the old ones any more. Borrowed.
 */
void ingest_change(struct ingest *g, const struct profile_set *profiles, struct rule_set *rules);
/** Holes in connections since the start. */
uint64_t ingest_gap_count(const struct ingest *g);
size_t ingest_connection_count(const struct ingest *g);
#define INGEST_USES 7
/* What is held now of what a bound limits. */
struct ingest_use {
    const char *name; /* of the bound, in words joined by _ */
    uint64_t used;
    uint64_t limit;
};
void ingest_uses(const struct ingest *g, struct ingest_use ret_uses[INGEST_USES]);
#define INGEST_CUTS 11
/* What a bound cut off since the start. */
struct ingest_cut {
    const char *name; /* of the counter */
    uint64_t count;
};
void ingest_cuts(const struct ingest *g, struct ingest_cut ret_cuts[INGEST_CUTS]);
/** As of tcp_table_clock_doubt(). */
hr_nsec ingest_clock_doubt(const struct ingest *g, size_t capture);
uint64_t ingest_exchange_count(const struct ingest *g);
/** Appends the counters of every stage; stages are named as their folders. */
void ingest_counters(const struct ingest *g, struct pipeline_result *result);
void ingest_destroy(struct ingest *g);

#endif
