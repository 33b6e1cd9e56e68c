/*
 * base/map.h - the one place that configures uthash: keyed hashing, no failing allocation.
 * Include this, never uthash.h. uthash keeps insertion order, so loops over a map are
 * deterministic; deleting the head and adding again makes a least-recently-used list.
 */
#ifndef HR_BASE_MAP_H
#define HR_BASE_MAP_H

#include "base/alloc.h"
#include "base/digest.h"

#define HASH_FUNCTION(keyptr, keylen, hashv) ((hashv) = (unsigned)hr_hash_table((keyptr), (keylen)))
#define uthash_fatal(msg) hr_out_of_memory()

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#include <uthash.h>
#pragma GCC diagnostic pop

#endif
