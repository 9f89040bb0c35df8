/*
 * What one step of pretraining sees: pictures in random order, lightly moved.
 */
#ifndef SOTTO_MODELS_PRETRAIN_SAMPLE_H
#define SOTTO_MODELS_PRETRAIN_SAMPLE_H

#include "core/base/entropy.h"
#include "models/data/dataset.h"

/* Order of the pictures of one epoch: a uniform permutation of 0 .. count - 1. */
void sotto_sample_shuffle(uint32_t *order, size_t count, struct sotto_entropy *entropy);

/*
 * Moves a picture by up to `shift_max` pixels in each direction, edges repeated, and mirrors every
 * second one.
 *
 *   out, in  [channels, side, side]
 */
void sotto_sample_move(uint8_t *out, const uint8_t *in, struct sotto_picture_form form,
                       uint32_t shift_max, struct sotto_entropy *entropy);

#endif
