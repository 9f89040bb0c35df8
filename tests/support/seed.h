/*
 * The seed of a test that draws its inputs: fixed, or SOTTO_TEST_SEED from the environment. It is
 * printed, so that a failure can be told again.
 */
#ifndef TESTS_SUPPORT_SEED_H
#define TESTS_SUPPORT_SEED_H

#include "core/base/entropy.h"

/* `test` goes into the seed's line and makes the streams of different tests differ. */
void seed_open(struct sotto_entropy *entropy, const char *test);

#endif
