/* The golden tensors that tests/vectors/make_vit.py stored. */
#ifndef SOTTO_TESTS_MODELS_GOLDEN_H
#define SOTTO_TESTS_MODELS_GOLDEN_H

#include <stddef.h>
#include <stdint.h>

/* One tensor from malloc, [*count]; fails the running test if there is none of that name. */
float *golden_read(const char *name, size_t *count);

/* The golden pictures as bytes, from malloc, [*count] values. */
uint8_t *golden_pixels(size_t *count);

#endif
