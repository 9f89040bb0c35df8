/* One piece of an upload, as a request names it. */
#ifndef SOTTO_COORDINATOR_GATE_CHUNK_H
#define SOTTO_COORDINATOR_GATE_CHUNK_H

#include "core/base/bytes.h"

enum { SOTTO_CHUNK_BYTES_MAX = 1024 * 1024 };

struct sotto_chunk {
    uint64_t offset;                   /* of its first byte in the upload */
    uint64_t total;                    /* bytes of the whole upload */
    struct sotto_digest upload_digest; /* SHA-256 of the whole upload */
    struct sotto_digest digest;        /* SHA-256 of `bytes` */
    struct sotto_view bytes;
};

/* The texts of a request; any may be NULL. */
struct sotto_chunk_texts {
    const char *offset;
    const char *length;
    const char *upload_digest;
    const char *chunk_digest;
};

/* SOTTO_MALFORMED: the fault names the field. chunk->bytes is left empty. */
SOTTO_CHECKED enum sotto_status sotto_chunk_parse(struct sotto_chunk *chunk,
                                                  const struct sotto_chunk_texts *texts,
                                                  struct sotto_fault *fault);

/* Plain decimal digits, no sign, no space, below 2^63. SOTTO_MALFORMED: *out is as before. */
SOTTO_CHECKED enum sotto_status sotto_decimal_parse(uint64_t *out, const char *text);

#endif
