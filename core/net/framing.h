/*
 * Where the body of a request ends: a counted body or a chunked one (RFC 9112 sections 6 and 7.1).
 * Stricter than the RFC: chunk extensions and trailers are refused, as nobody here sends them and
 * they are bytes without a bound.
 */
#ifndef SOTTO_CORE_NET_FRAMING_H
#define SOTTO_CORE_NET_FRAMING_H

#include "core/base/bytes.h"

enum sotto_framing_place {
    SOTTO_FRAMING_COUNTED,
    SOTTO_FRAMING_SIZE,
    SOTTO_FRAMING_SIZE_END, /* after CR of a size line */
    SOTTO_FRAMING_CHUNK,
    SOTTO_FRAMING_CHUNK_CR,
    SOTTO_FRAMING_CHUNK_LF,
    SOTTO_FRAMING_LAST_CR, /* the empty line after the chunk of no bytes */
    SOTTO_FRAMING_LAST_LF,
    SOTTO_FRAMING_WHOLE,
};

struct sotto_framing {
    enum sotto_framing_place place;
    uint64_t left; /* bytes of the counted body or of this chunk */
    uint32_t digits;
};

/* content_length: UINT64_MAX for a chunked body. */
void sotto_framing_init(struct sotto_framing *framing, uint64_t content_length);

/*
 * Takes bytes from the front of `input`, up to and including the next piece of the body.
 *
 *   piece  out    borrows from input; empty if input ended, or the body did, before another byte
 *   of it
 *
 * SOTTO_MALFORMED: no such framing; nothing of `input` can be trusted.
 */
SOTTO_CHECKED enum sotto_status sotto_framing_next(struct sotto_framing *framing,
                                                   struct sotto_view *piece,
                                                   struct sotto_view *input);

bool sotto_framing_is_whole(const struct sotto_framing *framing);

#endif
