#include "models/arch/rope.h"

#include <math.h>

static double scaled(const struct sotto_rope *rope, double frequency)
{
    double wave = 2.0 * M_PI / frequency;
    double waves = rope->original_positions / wave; /* in the context it was trained on */
    double blend;

    if (rope->scaling == SOTTO_ROPE_PLAIN)
        return frequency;
    if (rope->scaling == SOTTO_ROPE_LINEAR || waves < rope->low_frequency_factor)
        return frequency / rope->factor;
    if (waves > rope->high_frequency_factor)
        return frequency;
    blend = (waves - rope->low_frequency_factor) /
            (rope->high_frequency_factor - rope->low_frequency_factor);
    return (1.0 - blend) * frequency / rope->factor + blend * frequency;
}

void sotto_rope_fill(float *cosines, float *sines, const struct sotto_arch *arch,
                     uint32_t positions)
{
    size_t half = arch->head_width / 2;

    for (size_t i = 0; i < half; i++) {
        double exponent = -2.0 * (double)i / arch->head_width;
        float frequency = (float)scaled(&arch->rope, pow(arch->rope.theta, exponent));

        for (uint32_t position = 0; position < positions; position++) {
            float angle = (float)position * frequency;

            cosines[position * half + i] = (float)cos(angle);
            sines[position * half + i] = (float)sin(angle);
        }
    }
}
