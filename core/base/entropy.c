#include "core/base/entropy.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/base/bytes.h"

static uint64_t rotate_left(uint64_t value, unsigned bits)
{
    return (value << bits) | (value >> (64 - bits));
}

/* splitmix64, which Blackman and Vigna recommend for seeding. */
static uint64_t split_mix(uint64_t *state)
{
    uint64_t mixed = *state += 0x9e3779b97f4a7c15;

    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
}

/*
 * xoshiro256**. Source: Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators",
 * 2021.
 */
static uint64_t draw(uint64_t state[4])
{
    uint64_t drawn = rotate_left(state[1] * 5, 7) * 9;
    uint64_t shifted = state[1] << 17;

    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotate_left(state[3], 45);
    return drawn;
}

/*
 * A process that cannot draw keys must not go on: short of a broken sandbox this does not happen.
 */
static void fill_from_kernel(uint8_t *out, size_t length)
{
    while (length > 0) {
        ssize_t drawn = getrandom(out, length, 0);

        if (drawn < 0 && errno == EINTR)
            continue;
        if (drawn < 0)
            abort();
        out += drawn;
        length -= (size_t)drawn;
    }
}

void sotto_entropy_init_system(struct sotto_entropy *entropy)
{
    *entropy = (struct sotto_entropy){.seeded = 0};
}

void sotto_entropy_init_seeded(struct sotto_entropy *entropy, uint64_t seed)
{
    *entropy = (struct sotto_entropy){.seeded = 1};
    for (size_t i = 0; i < 4; i++)
        entropy->state[i] = split_mix(&seed);
}

void sotto_entropy_fork(struct sotto_entropy *child, struct sotto_entropy *parent)
{
    if (parent->seeded)
        sotto_entropy_init_seeded(child, sotto_entropy_u64(parent));
    else
        sotto_entropy_init_system(child);
}

void sotto_entropy_fill(struct sotto_entropy *entropy, void *out, size_t length)
{
    uint8_t *at = out;

    if (!entropy->seeded) {
        fill_from_kernel(at, length);
        return;
    }
    while (length > 0) {
        uint8_t word[8];
        size_t part = length < sizeof word ? length : sizeof word;

        sotto_store_u64(word, draw(entropy->state));
        memcpy(at, word, part);
        at += part;
        length -= part;
    }
}

uint64_t sotto_entropy_u64(struct sotto_entropy *entropy)
{
    uint8_t bytes[8];

    sotto_entropy_fill(entropy, bytes, sizeof bytes);
    return sotto_load_u64(bytes);
}

uint64_t sotto_entropy_below(struct sotto_entropy *entropy, uint64_t bound)
{
    uint64_t drawn;
    uint64_t unfair;

    assert(bound >= 1);
    /* 2^64 mod bound: below it, the low residues would come up once too often. */
    unfair = (0 - bound) % bound;
    do {
        drawn = sotto_entropy_u64(entropy);
    } while (drawn < unfair);
    return drawn % bound;
}

double sotto_entropy_unit(struct sotto_entropy *entropy)
{
    return (double)(sotto_entropy_u64(entropy) >> 11) * 0x1p-53;
}

/* Box and Muller; the second value is not kept, so that a draw depends on nothing but the state. */
double sotto_entropy_normal(struct sotto_entropy *entropy)
{
    const double turn = 6.283185307179586;
    double radius = sqrt(-2.0 * log(1.0 - sotto_entropy_unit(entropy)));

    return radius * cos(turn * sotto_entropy_unit(entropy));
}
