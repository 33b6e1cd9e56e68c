/*
 * pipeline/ingest.h - frames of a run into rows of the store: decode, tcp, http, extract, import.
 */
#ifndef HR_PIPELINE_INGEST_H
#define HR_PIPELINE_INGEST_H

#include "pipeline/pipeline.h"
#include "store/write.h"

struct ingest;

/** @param import  borrowed; its captures are added by the caller */
struct ingest *ingest_create(const struct pipeline_config *config, const struct hr_key *key,
                             const struct profile_set *profiles, struct import *import,
                             size_t capture_count);
void ingest_feed(struct ingest *g, const struct packet *p);
/** Ends every connection. @return 0, or the first negative errno of the store */
int ingest_finish(struct ingest *g);
/** @return as ingest_finish(), so far: a run stops early where the store fails */
int ingest_error(const struct ingest *g);
uint64_t ingest_exchange_count(const struct ingest *g);
/** Appends the counters of every stage; stages are named as their folders. */
void ingest_counters(const struct ingest *g, struct pipeline_result *result);
void ingest_destroy(struct ingest *g);

#endif
