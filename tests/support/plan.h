/* A plan that decodes, for tests to alter. */
#ifndef TESTS_SUPPORT_PLAN_H
#define TESTS_SUPPORT_PLAN_H

#include "core/wire/plan.h"

/*
 * Round 3 of campaign "wards": cohort 4 to 5, 1001 lanes of 32 bits. Digests and nonce are told
 * apart by their bytes.
 */
void plan_sample(struct sotto_plan *plan);

#endif
