/*
 * Whatever a decoder lets through must be spelled as it would be encoded; a target aborts if it is
 * not.
 */
#ifndef TESTS_FUZZ_CANONICAL_H
#define TESTS_FUZZ_CANONICAL_H

#include "tests/core/wire/codecs.h"

/* Feeds `bytes` to the codec of that name. */
void canonical_check(const char *codec, struct sotto_view bytes);

/* What libFuzzer calls. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

#endif
