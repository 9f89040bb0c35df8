/*
 * Which token comes next, by what a language model says to each.
 *     temperature 0: the one with the largest logit, the first of equals
 *     else one draw from p(i) = exp(logit(i) / temperature) / sum
 */
#ifndef SOTTO_MODELS_ANSWER_CHOICE_H
#define SOTTO_MODELS_ANSWER_CHOICE_H

#include "core/base/entropy.h"

#define SOTTO_CHOICE_NONE UINT32_MAX

/*
 *   entropy      inout  not looked at with temperature 0
 *   logits       in     [count], 1 or more
 *   temperature  in     0 or more
 *
 * Returns SOTTO_CHOICE_NONE where a logit is no finite number.
 */
uint32_t sotto_choice_make(struct sotto_entropy *entropy, const float *logits, uint32_t count,
                           double temperature);

#endif
