/*
 * How long to wait before the next try: exponential with full jitter, so that sites that lost the
 * coordinator together do not come back together. Source: Brooker, "Exponential Backoff and
 * Jitter", AWS Architecture Blog, 2015.
 */
#ifndef SOTTO_PARTICIPANT_COURIER_PATIENCE_H
#define SOTTO_PARTICIPANT_COURIER_PATIENCE_H

#include "core/base/entropy.h"

enum { SOTTO_PATIENCE_FIRST_MS = 200, SOTTO_PATIENCE_MAX_MS = 10000 };

struct sotto_patience {
    uint32_t failures; /* in a row */
};

/* One more failure: milliseconds to wait, uniform in 1 .. min(max, first * 2^failures). */
uint32_t sotto_patience_fail(struct sotto_patience *patience, struct sotto_entropy *entropy);
void sotto_patience_reset(struct sotto_patience *patience);

/* Sleeps. */
void sotto_patience_wait(uint32_t wait_ms);

#endif
