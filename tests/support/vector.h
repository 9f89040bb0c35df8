/*
 * Test vectors from tests/vectors: JSON with bytes as hex. What is missing or misshapen fails the
 * test that asks for it.
 */
#ifndef TESTS_SUPPORT_VECTOR_H
#define TESTS_SUPPORT_VECTOR_H

#include <jansson.h>

#include "core/base/bytes.h"

enum { VECTOR_BYTES_MAX = 64 * 1024 };

/* The file `path`, below the root of the tree; json_decref gives it back. */
json_t *vector_open(const char *path);

/* Member `name` of an object. */
json_t *vector_member(const json_t *object, const char *name);
uint32_t vector_number(const json_t *object, const char *name);
/* Exactly `length` bytes. */
void vector_bytes(uint8_t *out, size_t length, const json_t *object, const char *name);
/* Any number of bytes up to VECTOR_BYTES_MAX, valid until the next call. */
struct sotto_view vector_view(const json_t *object, const char *name);
struct sotto_secret vector_secret(const json_t *object, const char *name);
struct sotto_digest vector_digest(const json_t *object, const char *name);
/* A list of numbers into out[capacity]; returns how many. */
size_t vector_lanes(uint32_t *out, size_t capacity, const json_t *object, const char *name);

/* Fails and names the member unless it has exactly these bytes. */
void assert_vector(const json_t *object, const char *name, const void *bytes, size_t length);

#endif
