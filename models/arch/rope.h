/*
 * The table of rotary positions of a language model, with its scaling. Frequencies and angles are
 * rounded to float32, as the reference implementation has them.
 *     angle(position, i) = position * frequency(i),  frequency(i) = theta^(-2 i / head_width)
 * Linear scaling divides all frequencies by the factor: Chen et al., arXiv:2306.15595. Llama 3's
 * divides those of long waves, keeps those of short ones and blends between: Grattafiori et al.,
 * arXiv:2407.21783, and the reference implementation's configuration keys.
 */
#ifndef SOTTO_MODELS_ARCH_ROPE_H
#define SOTTO_MODELS_ARCH_ROPE_H

#include "models/arch/arch.h"

/*
 *   cosines, sines  out  [positions, head_width / 2]
 *   arch            in   with rope.theta above 0
 */
void sotto_rope_fill(float *cosines, float *sines, const struct sotto_arch *arch,
                     uint32_t positions);

#endif
