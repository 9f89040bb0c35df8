#include "crypto/secagg/secaggplus/parameters.h"

#include <assert.h>
#include <math.h>

#include "crypto/secagg/secaggplus/graph/urn.h"

enum { NEIGHBOURS_ROOM = 16 };

/* The part of a cohort, unless the product misses a whole number by its own rounding. */
static uint32_t part_of(uint32_t cohort, double fraction)
{
    return (uint32_t)floor(fraction * cohort + 0x1p-20);
}

static uint32_t larger(uint32_t left, uint32_t right)
{
    return left > right ? left : right;
}

static uint32_t at_least_one(uint32_t count)
{
    return larger(count, 1);
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

/* How a ring is corrupt. */
struct corruption {
    uint32_t all;        /* G */
    uint32_t neighbours; /* c */
    uint32_t half;       /* c' */
};

/*
 * Fewest participants, colluders among them, that a sum can be of in a ring, whatever the
 * coordinator tells to whom: |V| + G of docs/protocol.md. Twice m is even where m is not whole.
 */
static uint32_t fewest_in_sum(const struct sotto_parameters *parameters,
                              const struct corruption *corruption)
{
    int64_t n = parameters->cohort;
    int64_t k = parameters->neighbours;
    int64_t t = parameters->threshold;
    int64_t gap = k - t + corruption->half;
    int64_t m = 2 * t - (gap < k / 2 ? gap : k / 2) - 2;
    int64_t by_ring = ((n - k) * m - corruption->all * (2 * t - m)) / (2 * (k - t) + m);

    return by_ring > t + 1 && m > 0 ? (uint32_t)by_ring : (uint32_t)(t + 1);
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
    uint32_t all = at_least_one(part_of(wish->cohort, wish->corrupt_fraction));
    uint32_t k = out->neighbours;
    const struct corruption corruption = {.all = all,
                                          .neighbours = quantile(wish->cohort, all, k, 2 * bits),
                                          .half = quantile(wish->cohort, all, k / 2, bits)};

    out->corrupt = corruption.neighbours;
    out->threshold = larger((k + corruption.neighbours) / 2, k / 2 + corruption.half) + 1;
    while (out->threshold <= k && fewest_in_sum(out, &corruption) < wish->survivors_min)
        out->threshold++;
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

/* Reckons with a cohort of this size. */
static void extend(struct sotto_extent *extent, const struct sotto_terms *terms, uint32_t cohort)
{
    struct sotto_parameters parameters;
    uint32_t neighbours;

    if (cohort > extent->cohort || cohort < terms->cohort_min ||
        sotto_parameters_of(&parameters, cohort, terms) != SOTTO_OK)
        return;
    neighbours = parameters.neighbours;
    if (!sotto_parameters_is_complete(&parameters))
        neighbours += NEIGHBOURS_ROOM;
    if (neighbours > extent->neighbours)
        extent->neighbours = neighbours;
    if ((size_t)cohort * neighbours > extent->cells)
        extent->cells = (size_t)cohort * neighbours;
}

void sotto_parameters_extent(struct sotto_extent *out, const struct sotto_terms *terms,
                             size_t roster_count)
{
    uint32_t largest =
        roster_count < terms->cohort_max ? (uint32_t)roster_count : terms->cohort_max;

    *out = (struct sotto_extent){.cohort = largest};
    extend(out, terms, terms->cohort_min);
    extend(out, terms, SOTTO_COMPLETE_MAX);
    extend(out, terms, SOTTO_COMPLETE_MAX + 1);
    extend(out, terms, SOTTO_NEIGHBOURS_MAX + 1);
    extend(out, terms, SOTTO_NEIGHBOURS_MAX + 2);
    extend(out, terms, largest);
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
    return larger(parameters->threshold + 1, survivors_min);
}
