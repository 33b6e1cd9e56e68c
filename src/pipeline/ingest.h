/*
 * pipeline/ingest.h - frames of a run into rows of the store: decode, tcp, http, extract, import.
 */
#ifndef HR_PIPELINE_INGEST_H
#define HR_PIPELINE_INGEST_H

#include "pipeline/pipeline.h"
#include "store/write.h"

struct ingest;
struct classifier;

/**
 * Until ingest_finish() a thread of its own uses the store, and nobody else may.
 * @param import  borrowed; its captures are added by the caller, before
 * @param classifier  borrowed; is fed what is stored; NULL: none
 */
int ingest_create(const struct pipeline_config *config, const struct hr_key *key,
                  const struct profile_set *profiles, struct import *import,
                  struct classifier *classifier, size_t capture_count, struct ingest **ret_ingest);
void ingest_feed(struct ingest *g, const struct packet *p);
/** @return true where the store has failed: a run stops early then */
bool ingest_has_failed(const struct ingest *g);
/** Ends every connection and waits until all is stored. @return 0, or the store's negative errno */
int ingest_finish(struct ingest *g);
/** Enters into the ledger what could not be read, by capture; after ingest_finish(). */
int ingest_store_blindness(const struct ingest *g, struct import *import);
/** As of tcp_table_clock_doubt(). */
hr_nsec ingest_clock_doubt(const struct ingest *g, size_t capture);
uint64_t ingest_exchange_count(const struct ingest *g);
/** Appends the counters of every stage; stages are named as their folders. */
void ingest_counters(const struct ingest *g, struct pipeline_result *result);
void ingest_destroy(struct ingest *g);

#endif
