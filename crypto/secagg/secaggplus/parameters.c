#include "crypto/secagg/secaggplus/parameters.h"

#include <assert.h>
#include <math.h>

#include "crypto/secagg/secaggplus/graph/urn.h"

/* The part of a cohort, unless the product misses a whole number by its own rounding. */
static uint32_t part_of(uint32_t cohort, double fraction)
{
    return (uint32_t)floor(fraction * cohort + 0x1p-20);
}

static uint32_t at_least_one(uint32_t count)
{
    return count > 1 ? count : 1;
}

/*
 * Most marked ones among `drawn` of everybody else, but for a chance of 2^-(half_bits / 2) / n. A
 * square root and a shift are exact to the last bit everywhere, a power need not be.
 */
static uint32_t quantile(uint32_t cohort, uint32_t marked, uint32_t drawn, unsigned half_bits)
{
    const struct sotto_urn urn = {.total = cohort - 1, .marked = marked, .drawn = drawn};
    double chance = ldexp(half_bits % 2 == 1 ? sqrt(0.5) : 1, -(int)(half_bits / 2));

    return sotto_urn_quantile(&urn, chance / cohort);
}

/* The smallest t under which an equivocating coordinator gets no sum below the floor. */
static uint32_t threshold_for_floor(uint32_t cohort, uint32_t neighbours, uint32_t survivors_min)
{
    uint64_t floor = survivors_min;
    uint64_t ends = 2 * (uint64_t)neighbours;
    uint64_t by_holders = floor - 1;
    uint64_t by_ring;

    if (ends >= cohort)
        return (uint32_t)by_holders;
    by_ring = (ends * floor + cohort - ends + floor - 1) / (cohort - ends + floor);
    return (uint32_t)(by_ring < by_holders ? by_ring : by_holders);
}

static void solve_complete(struct sotto_parameters *out, const struct sotto_parameters_wish *wish)
{
    uint32_t corrupt = (uint32_t)ceil(wish->corrupt_fraction * wish->cohort);

    out->cohort = wish->cohort;
    out->neighbours = wish->cohort - 1;
    out->corrupt = at_least_one(corrupt);
    out->threshold = (out->neighbours + out->corrupt) / 2 + 1;
}

static void solve_threshold(struct sotto_parameters *out, const struct sotto_parameters_wish *wish)
{
    unsigned bits = wish->security_bits + 1;
    uint32_t corrupt = at_least_one(part_of(wish->cohort, wish->corrupt_fraction));
    uint32_t half = out->neighbours / 2;
    uint32_t by_halves;
    uint32_t by_floor = threshold_for_floor(wish->cohort, out->neighbours, wish->survivors_min);

    out->corrupt = quantile(wish->cohort, corrupt, out->neighbours, 2 * bits);
    out->threshold = (out->neighbours + out->corrupt) / 2 + 1;
    by_halves = half + quantile(wish->cohort, corrupt, half, bits) + 1;
    if (by_halves > out->threshold)
        out->threshold = by_halves;
    if (by_floor > out->threshold)
        out->threshold = by_floor;
}

/* Are t of the k neighbours of everybody left when `dropouts` of the cohort are gone? */
static bool outlives(const struct sotto_parameters *parameters, uint32_t dropouts)
{
    return parameters->threshold <= parameters->neighbours &&
           quantile(parameters->cohort, dropouts, parameters->neighbours,
                    2 * SOTTO_LIVENESS_BITS) <= parameters->neighbours - parameters->threshold;
}

static bool solve_ring(struct sotto_parameters *out, const struct sotto_parameters_wish *wish)
{
    uint32_t dropouts = part_of(wish->cohort, wish->dropout_fraction);

    out->cohort = wish->cohort;
    for (uint32_t k = 2; k <= SOTTO_NEIGHBOURS_MAX && k < wish->cohort - 1; k += 2) {
        out->neighbours = k;
        solve_threshold(out, wish);
        if (outlives(out, dropouts))
            return true;
    }
    return false;
}

enum sotto_status sotto_parameters_solve(struct sotto_parameters *out,
                                         const struct sotto_parameters_wish *wish)
{
    assert(wish->cohort >= SOTTO_COHORT_MIN && wish->cohort <= SOTTO_COHORT_MAX);
    assert(wish->corrupt_fraction >= 0 && wish->corrupt_fraction < 1);
    assert(wish->dropout_fraction >= 0 && wish->dropout_fraction < 1);

    struct sotto_parameters solved;

    if (wish->cohort <= SOTTO_COMPLETE_MAX || !solve_ring(&solved, wish))
        solve_complete(&solved, wish);
    if (solved.neighbours > SOTTO_NEIGHBOURS_MAX || solved.threshold > solved.neighbours)
        return SOTTO_MISMATCH;
    *out = solved;
    return SOTTO_OK;
}

enum sotto_status sotto_parameters_of(struct sotto_parameters *out, uint32_t cohort,
                                      const struct sotto_terms *terms)
{
    const struct sotto_parameters_wish wish = {.cohort = cohort,
                                               .corrupt_fraction = terms->corrupt_fraction,
                                               .dropout_fraction = terms->dropout_fraction,
                                               .survivors_min = terms->survivors_min,
                                               .security_bits =
                                                   SOTTO_SECURITY_BITS + SOTTO_GRINDING_BITS};

    return sotto_parameters_solve(out, &wish);
}

enum sotto_status sotto_parameters_check(const struct sotto_terms *terms)
{
    struct sotto_parameters parameters;
    uint32_t cohort;

    if (sotto_terms_check(terms) != SOTTO_OK)
        return SOTTO_MISMATCH;
    for (cohort = terms->cohort_min; cohort <= terms->cohort_max; cohort++) {
        if (sotto_parameters_of(&parameters, cohort, terms) != SOTTO_OK)
            return SOTTO_MISMATCH;
        if (cohort > SOTTO_COMPLETE_MAX)
            break;
    }
    return sotto_parameters_of(&parameters, terms->cohort_max, terms);
}

bool sotto_parameters_is_complete(const struct sotto_parameters *parameters)
{
    return parameters->neighbours == parameters->cohort - 1;
}

uint32_t sotto_parameters_dropouts(const struct sotto_parameters *parameters)
{
    uint32_t enough = 0; /* nobody gone is always survived */
    uint32_t too_many = parameters->cohort;

    if (sotto_parameters_is_complete(parameters))
        return parameters->neighbours - parameters->threshold;
    while (too_many - enough > 1) {
        uint32_t middle = enough + (too_many - enough) / 2;

        if (outlives(parameters, middle))
            enough = middle;
        else
            too_many = middle;
    }
    return enough;
}

uint32_t sotto_parameters_floor(const struct sotto_parameters *parameters, uint32_t survivors_min)
{
    uint32_t holders = parameters->threshold + 1;

    return holders > survivors_min ? holders : survivors_min;
}
