/*
 * Randomness as an argument. The shipped processes open the kernel's; simulations and tests seed a
 * generator so that a run can be told again from its seed.
 */
#ifndef SOTTO_CORE_BASE_ENTROPY_H
#define SOTTO_CORE_BASE_ENTROPY_H

#include <stddef.h>
#include <stdint.h>

struct sotto_entropy {
    int seeded;        /* 0: getrandom(2) */
    uint64_t state[4]; /* xoshiro256**, when seeded: not for keys that leave a simulation */
};

/* The kernel's randomness; for everything that must stay secret. */
void sotto_entropy_init_system(struct sotto_entropy *entropy);
/* Tells the same again for the same seed; never for keys outside a simulation. */
void sotto_entropy_init_seeded(struct sotto_entropy *entropy, uint64_t seed);
/*
 * An independent stream, so that one use does not shift the draws of another. The parent moves on
 * by one draw; the child of the system's is the system's.
 */
void sotto_entropy_fork(struct sotto_entropy *child, struct sotto_entropy *parent);

void sotto_entropy_fill(struct sotto_entropy *entropy, void *out, size_t length);
uint64_t sotto_entropy_u64(struct sotto_entropy *entropy);
/* Uniform in 0 .. bound - 1; bound >= 1. */
uint64_t sotto_entropy_below(struct sotto_entropy *entropy, uint64_t bound);
double sotto_entropy_unit(struct sotto_entropy *entropy);   /* [0, 1) */
double sotto_entropy_normal(struct sotto_entropy *entropy); /* N(0, 1) */

#endif
