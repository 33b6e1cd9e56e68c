/*
 * scenario/rng.h - small seeded random numbers (splitmix64). The same
 * seed gives the same capture on every machine.
 */
#ifndef HR_SCENARIO_RNG_H
#define HR_SCENARIO_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
    uint64_t state;
};

static inline uint64_t rng_next(struct rng *r)
{
    uint64_t z = (r->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/** @return 0 .. below-1; below > 0 */
static inline uint64_t rng_below(struct rng *r, uint64_t below)
{
    return rng_next(r) % below;
}

static inline bool rng_chance(struct rng *r, double rate)
{
    return rate > 0 && (double)(rng_next(r) >> 11) < rate * (double)(UINT64_C(1) << 53);
}

#endif
