/*
 * Keys of a dropout: counters hashed, so that a mask depends on the seed and on where it is used,
 * and on nothing that happened before. Salmon et al., SC 2011, for the idea; the hash is the
 * finaliser of splitmix64 (Steele, Lea, Flood, OOPSLA 2014).
 */
#ifndef SOTTO_MODELS_OPS_DROPOUT_H
#define SOTTO_MODELS_OPS_DROPOUT_H

#include <stdint.h>

#include "models/kernels/kernels.h"

/* Of one adapter in one step. */
uint64_t sotto_dropout_key(uint64_t seed, uint64_t step, uint32_t block, uint32_t target);

/* The dropout of one sample's rows, so that it is the same in whatever group a sample is. */
struct sotto_dropout sotto_dropout_of_sample(struct sotto_dropout dropout, uint32_t sample);

#endif
