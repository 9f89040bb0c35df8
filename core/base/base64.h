/* base64url without padding: bytes as one word that survives a command line, a mail and a URL. */
#ifndef SOTTO_CORE_BASE_BASE64_H
#define SOTTO_CORE_BASE_BASE64_H

#include "core/base/bytes.h"

/*
 * Source: RFC 4648, section 5; no padding (section 3.2).
 *
 *   out  out  [capacity], with a terminating zero
 *
 * SOTTO_OVER_LIMIT: 4 * length / 3 characters, rounded up, and the zero do not fit; out untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_base64_encode(char *out, size_t capacity,
                                                    struct sotto_view bytes);

/*
 * Appends the bytes of `text` to `out`. One spelling only: bits left over in the last character
 * must be zero.
 *
 * SOTTO_MALFORMED, SOTTO_OVER_LIMIT: the length of out is as before.
 */
SOTTO_CHECKED enum sotto_status sotto_base64_decode(struct sotto_buffer *out, const char *text);

#endif
