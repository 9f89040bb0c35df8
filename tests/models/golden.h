/*
 * The golden models that tests/interop/golden.py made with transformers, peft and autograd, in
 * tests/vectors/NAME; its head says what a folder holds.
 */
#ifndef SOTTO_TESTS_MODELS_GOLDEN_H
#define SOTTO_TESTS_MODELS_GOLDEN_H

#include "models/data/dataset.h"

/*
 * One tensor of golden.safetensors from malloc, [*count]; fails the running test if there is none
 * of that name.
 */
float *golden_read(const char *model, const char *name, size_t *count);

/* The golden pictures as bytes, from malloc, [*count] values. */
uint8_t *golden_pixels(const char *model, size_t *count);

/* The examples, with labels or answers; sotto_dataset_close. */
void golden_dataset(struct sotto_dataset *dataset, const char *model);

#endif
