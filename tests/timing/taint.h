/*
 * Secrets are marked as undefined, so that memcheck reports a branch or an address that depends on
 * one as the use of an undefined value. What becomes public is marked as defined again.
 */
#ifndef TESTS_TIMING_TAINT_H
#define TESTS_TIMING_TAINT_H

#include <string.h>

#include <valgrind/memcheck.h>

#include "core/base/bytes.h"
#include "tests/support/cmocka.h"

enum { TAINT_SKIPPED = 77 };

static inline void classify(void *at, size_t length)
{
    VALGRIND_MAKE_MEM_UNDEFINED(at, length);
}

static inline void declassify(void *at, size_t length)
{
    VALGRIND_MAKE_MEM_DEFINED(at, length);
}

/* 32 times the same byte, secret. */
static inline struct sotto_secret secret_of(uint8_t fill)
{
    struct sotto_secret secret;

    memset(secret.bytes, fill, sizeof secret.bytes);
    classify(&secret, sizeof secret);
    return secret;
}

/* As a test's setup: *state is how many errors memcheck has reported before it. */
static inline int errors_counted(void **state)
{
    static unsigned errors;

    errors = (unsigned)VALGRIND_COUNT_ERRORS;
    *state = &errors;
    return 0;
}

/* Errors since the last call, or since the setup. */
static inline unsigned traces(void **state)
{
    unsigned *before = *state;
    unsigned now = (unsigned)VALGRIND_COUNT_ERRORS;
    unsigned since = now - *before;

    *before = now;
    return since;
}

static inline void assert_no_trace(void **state)
{
    assert_int_equal(traces(state), 0);
}

#endif
