/*
 * The element types of stored tensors and their conversion from and to float32. Stored elements are
 * little-endian and need no alignment.
 */
#ifndef SOTTO_MODELS_WEIGHTS_DTYPE_H
#define SOTTO_MODELS_WEIGHTS_DTYPE_H

#include "core/base/bytes.h"

enum sotto_dtype { SOTTO_DTYPE_F32, SOTTO_DTYPE_F16, SOTTO_DTYPE_BF16 };

/* Bytes of one element. */
size_t sotto_dtype_bytes(enum sotto_dtype dtype);

/* As safetensors writes it: "F32", "F16", "BF16". Never NULL. */
const char *sotto_dtype_name(enum sotto_dtype dtype);

/* SOTTO_UNSUPPORTED: any other name; *dtype untouched. */
SOTTO_CHECKED enum sotto_status sotto_dtype_parse(enum sotto_dtype *dtype, const char *name);

/*
 * Bytes of one element of a type that files may hold and that nothing here reads, such as "I64" or
 * "BOOL"; 0: of any other name.
 */
size_t sotto_dtype_unread_bytes(const char *name);

/*
 * Widens to float32; exact.
 *
 *   out    out  [count]
 *   bytes  in   [count * sotto_dtype_bytes(dtype)]
 */
void sotto_dtype_load(float *out, const uint8_t *bytes, size_t count, enum sotto_dtype dtype);

/*
 * Narrows, rounding to nearest even; beyond the range of F16 an infinity.
 *
 *   out  out  [count * sotto_dtype_bytes(dtype)]
 */
void sotto_dtype_store(uint8_t *out, const float *values, size_t count, enum sotto_dtype dtype);

#endif
