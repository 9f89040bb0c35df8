/*
 * Borrowed bytes (view), bytes being written into caller memory (buffer), digests, hex, UTF-8, and
 * wiping.
 */
#ifndef SOTTO_CORE_BASE_BYTES_H
#define SOTTO_CORE_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

enum { SOTTO_DIGEST_BYTES = 32, SOTTO_DIGEST_HEX = 65 };

/* Read-only and borrowed: whoever owns the bytes outlives the view. */
struct sotto_view {
    const uint8_t *at;
    size_t length;
};

/* Append-only; `at` is the caller's. `length` never exceeds `capacity`. */
struct sotto_buffer {
    uint8_t *at;
    size_t capacity;
    size_t length;
};

/* A SHA-256 value. Public. */
struct sotto_digest {
    uint8_t bytes[SOTTO_DIGEST_BYTES];
};

/* 32 secret bytes: passed by pointer, never assigned, wiped by their owner. */
struct sotto_secret {
    uint8_t bytes[32];
};

struct sotto_view sotto_view_of(const void *at, size_t length);
struct sotto_view sotto_view_text(const char *text); /* without the terminating zero */
struct sotto_view sotto_view_digest(const struct sotto_digest *digest);
struct sotto_view sotto_view_buffer(const struct sotto_buffer *buffer);

/* Not constant time: public values only. */
bool sotto_view_equal(struct sotto_view left, struct sotto_view right);
bool sotto_digest_equal(const struct sotto_digest *left, const struct sotto_digest *right);

struct sotto_buffer sotto_buffer_of(void *at, size_t capacity);

/* Appends all or nothing. SOTTO_OVER_LIMIT: no room, the buffer is as before. */
SOTTO_CHECKED enum sotto_status sotto_buffer_add(struct sotto_buffer *buffer,
                                                 struct sotto_view bytes);

/*
 * A read position over a view; failures are sticky. After the first read beyond the end every read
 * yields zeros or an empty view, and sotto_cursor_finish says SOTTO_MALFORMED, as it does for
 * trailing bytes.
 */
struct sotto_cursor {
    struct sotto_view rest;
    bool failed;
};

struct sotto_cursor sotto_cursor_of(struct sotto_view bytes);
struct sotto_view sotto_cursor_take(struct sotto_cursor *cursor, size_t length);
void sotto_cursor_copy(struct sotto_cursor *cursor, uint8_t *out, size_t length);
uint32_t sotto_cursor_u32(
    struct sotto_cursor *cursor); /* little-endian, as everything on the wire */
uint64_t sotto_cursor_u64(struct sotto_cursor *cursor);
SOTTO_CHECKED enum sotto_status sotto_cursor_finish(const struct sotto_cursor *cursor);

void sotto_store_u32(uint8_t out[4], uint32_t value); /* little-endian */
void sotto_store_u64(uint8_t out[8], uint64_t value);
uint32_t sotto_load_u32(const uint8_t in[4]);
uint64_t sotto_load_u64(const uint8_t in[8]);

/* Lower-case hex with a terminating zero; `out` holds 2 * bytes.length + 1. */
void sotto_hex_encode(char *out, struct sotto_view bytes);
void sotto_digest_hex(char out[SOTTO_DIGEST_HEX], const struct sotto_digest *digest);

/* SOTTO_MALFORMED: other than exactly 2 * length hex digits; out untouched. */
SOTTO_CHECKED enum sotto_status sotto_hex_decode(uint8_t *out, size_t length, const char *hex);

/*
 * Bytes of the UTF-8 character that a zero-terminated text begins with, 1 .. 4, the terminating
 * zero counted as one; 0: it begins with none. RFC 3629, section 4.
 */
size_t sotto_utf8_length(const char *text);

/* Overwrites secrets; the compiler may not drop it. */
void sotto_wipe(void *at, size_t length);

#endif
