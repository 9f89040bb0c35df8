#include "crypto/secagg/secaggplus/parameters.h"

#include <assert.h>
#include <math.h>

void sotto_parameters_of(struct sotto_parameters *out, uint32_t cohort, double corrupt_fraction)
{
    assert(cohort >= SOTTO_COHORT_MIN && cohort <= SOTTO_COHORT_MAX);
    assert(corrupt_fraction >= 0 && corrupt_fraction < 1);

    uint32_t corrupt = (uint32_t)ceil(corrupt_fraction * cohort);

    out->cohort = cohort;
    out->neighbours = cohort - 1;
    out->corrupt = corrupt > 1 ? corrupt : 1;
    out->threshold = (out->neighbours + out->corrupt) / 2 + 1;
}

enum sotto_status sotto_parameters_check(const struct sotto_terms *terms)
{
    if (sotto_terms_check(terms) != SOTTO_OK)
        return SOTTO_MISMATCH;
    for (uint32_t cohort = terms->cohort_min; cohort <= terms->cohort_max; cohort++) {
        struct sotto_parameters parameters;

        sotto_parameters_of(&parameters, cohort, terms->corrupt_fraction);
        if (parameters.threshold > parameters.neighbours)
            return SOTTO_MISMATCH;
    }
    return SOTTO_OK;
}

uint32_t sotto_parameters_floor(const struct sotto_parameters *parameters, uint32_t survivors_min)
{
    uint32_t holders = parameters->threshold + 1;

    return holders > survivors_min ? holders : survivors_min;
}
