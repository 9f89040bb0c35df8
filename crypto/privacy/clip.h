/*
 * L2 clipping: x <- x * min(1, norm_max / |x|). Source: Abadi et al., CCS 2016, Algorithm 1.
 */
#ifndef SOTTO_CRYPTO_PRIVACY_CLIP_H
#define SOTTO_CRYPTO_PRIVACY_CLIP_H

#include "core/base/bytes.h"

/*
 *   values    inout  [value_count]; afterwards the norm, computed in double, is at most norm_max,
 *                    whatever the rounding
 *   norm      out    the norm before
 *   norm_max  in     > 0
 *
 * Work: two passes, whether it clips or not. No branch or address depends on the values, but for
 * the last one, on whether all are finite; how long a processor takes to multiply may.
 *
 * SOTTO_MALFORMED: a value is NaN or infinite; values and norm untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_clip(float *values, double *norm, size_t value_count,
                                           double norm_max);

#endif
