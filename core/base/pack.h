/*
 * Strict msgpack for control messages: arrays of known length in a known order, no maps, no ext, no
 * nil.
 *
 * msgpack-c reserves what a header claims, so that five bytes can ask for gigabytes. Bytes from
 * outside are therefore pre-scanned with a budget of objects, a depth and the remaining length
 * before the library sees them.
 */
#ifndef SOTTO_CORE_BASE_PACK_H
#define SOTTO_CORE_BASE_PACK_H

#include <msgpack.h>

#include "core/base/bytes.h"

enum {
    SOTTO_PACK_BYTES_MAX = 80 * 1024, /* one control message, unless it has a limit of its own */
    SOTTO_PACK_DEPTH_MAX = 6,
    SOTTO_PACK_OBJECTS_MAX = 8192, /* or one for each five bytes that a message may have */
};

/*
 * Checks that `bytes` is exactly one msgpack value of the allowed types, with every integer, string
 * and binary in its shortest form. No allocation; linear in the length.
 *
 * SOTTO_MALFORMED, SOTTO_OVER_LIMIT (length, depth or objects).
 */
SOTTO_CHECKED enum sotto_status sotto_pack_scan(struct sotto_view bytes, size_t bytes_max);

/* Writing. A failure is sticky and shows in sotto_packer_finish. */
struct sotto_packer {
    msgpack_packer packer;
    struct sotto_buffer *out;
    bool failed;
};

void sotto_packer_init(struct sotto_packer *packer, struct sotto_buffer *out);
void sotto_pack_array(struct sotto_packer *packer, size_t count);
void sotto_pack_u64(struct sotto_packer *packer, uint64_t value);
void sotto_pack_f64(struct sotto_packer *packer, double value);
void sotto_pack_bool(struct sotto_packer *packer, bool value);
void sotto_pack_bytes(struct sotto_packer *packer, struct sotto_view bytes);
void sotto_pack_text(struct sotto_packer *packer, const char *text);
/* SOTTO_OVER_LIMIT: the buffer was too small; what it holds is not a message. */
SOTTO_CHECKED enum sotto_status sotto_packer_finish(const struct sotto_packer *packer);

/*
 * Reading. A failure is sticky: reads after it yield zeros and empty views, sotto_unpacker_close
 * tells. Views borrow from the bytes given to sotto_unpacker_open.
 */
struct sotto_unpacker {
    msgpack_zone *zone;
    struct {
        const msgpack_object *at;
        size_t left;
    } level[SOTTO_PACK_DEPTH_MAX];
    msgpack_object root;
    size_t depth;
    enum sotto_status status;
};

/* Scans, then parses. Always to be closed, also after a failure. */
void sotto_unpacker_open(struct sotto_unpacker *unpacker, struct sotto_view bytes);
/* The same for a message of up to `bytes_max`. */
void sotto_unpacker_open_within(struct sotto_unpacker *unpacker, struct sotto_view bytes,
                                size_t bytes_max);
/* Enters an array of exactly `count`; it is left by itself after its last element. */
void sotto_unpack_array(struct sotto_unpacker *unpacker, size_t count);
/* Enters an array of at most `count_max` and returns its length. */
size_t sotto_unpack_list(struct sotto_unpacker *unpacker, size_t count_max);
uint64_t sotto_unpack_u64(struct sotto_unpacker *unpacker, uint64_t max);
double sotto_unpack_f64(struct sotto_unpacker *unpacker); /* finite, or MALFORMED */
bool sotto_unpack_bool(struct sotto_unpacker *unpacker);
struct sotto_view sotto_unpack_bytes(struct sotto_unpacker *unpacker, size_t length_max);
void sotto_unpack_exact(struct sotto_unpacker *unpacker, uint8_t *out, size_t length);
/*
 * Copies with a terminating zero into out[capacity]; a zero byte or control character inside is
 * MALFORMED.
 */
void sotto_unpack_text(struct sotto_unpacker *unpacker, char *out, size_t capacity);
/* Notes that the caller's own check of what it read has failed, unless something failed before. */
void sotto_unpacker_fail(struct sotto_unpacker *unpacker, enum sotto_status status);
/* SOTTO_OK only if everything was read and nothing failed; frees in any case. */
SOTTO_CHECKED enum sotto_status sotto_unpacker_close(struct sotto_unpacker *unpacker);

#endif
