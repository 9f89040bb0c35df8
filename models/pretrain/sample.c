#include "models/pretrain/sample.h"

void sotto_sample_shuffle(uint32_t *order, size_t count, struct sotto_entropy *entropy)
{
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    for (size_t left = count; left > 1; left--) {
        size_t chosen = sotto_entropy_below(entropy, left);
        uint32_t last = order[left - 1];

        order[left - 1] = order[chosen];
        order[chosen] = last;
    }
}

static uint32_t clamp(int64_t value, uint32_t side)
{
    if (value < 0)
        return 0;
    return value >= side ? side - 1 : (uint32_t)value;
}

void sotto_sample_move(uint8_t *out, const uint8_t *in, struct sotto_picture_form form,
                       uint32_t shift_max, struct sotto_entropy *entropy)
{
    int64_t down = (int64_t)sotto_entropy_below(entropy, 2 * shift_max + 1) - shift_max;
    int64_t right = (int64_t)sotto_entropy_below(entropy, 2 * shift_max + 1) - shift_max;
    bool is_mirrored = sotto_entropy_below(entropy, 2) == 1;

    for (uint32_t channel = 0; channel < form.channels; channel++) {
        const uint8_t *plane = in + (size_t)channel * form.side * form.side;

        for (uint32_t y = 0; y < form.side; y++) {
            const uint8_t *row = plane + (size_t)clamp(y - down, form.side) * form.side;

            for (uint32_t x = 0; x < form.side; x++) {
                uint32_t from = clamp(x - right, form.side);

                *out++ = row[is_mirrored ? form.side - 1 - from : from];
            }
        }
    }
}
