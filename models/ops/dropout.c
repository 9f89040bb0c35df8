#include "models/ops/dropout.h"

static uint64_t mix(uint64_t key, uint64_t value)
{
    uint64_t mixed = key + 0x9e3779b97f4a7c15u * (value + 1);

    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
    return mixed ^ mixed >> 31;
}

uint64_t sotto_dropout_key(uint64_t seed, uint64_t step, uint32_t block, uint32_t target)
{
    return mix(mix(mix(seed, step), block), target);
}

struct sotto_dropout sotto_dropout_of_sample(struct sotto_dropout dropout, uint32_t sample)
{
    return (struct sotto_dropout){dropout.rate, mix(dropout.key, sample)};
}
