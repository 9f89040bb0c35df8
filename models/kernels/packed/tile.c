#include "models/kernels/packed/tile.h"

#include <string.h>

#include "models/kernels/packed/packed.h"
#include "models/kernels/vector.h"

SOTTO_VECTORISED static void round_values(uint16_t *restrict out, const float *restrict in,
                                          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        uint32_t rounded;

        memcpy(&bits, &in[i], sizeof bits);
        rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
        out[i] = (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? bits >> 16 | 0x40 : rounded);
    }
}

static float value_of(uint16_t half)
{
    uint32_t bits = (uint32_t)half << 16;
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* One row: sums[j] += over the pairs, a low times b low plus a high times b high. */
SOTTO_VECTORISED static void multiply_row(float *restrict sums, const uint16_t *restrict a,
                                          const uint16_t *restrict panel, size_t pairs)
{
    for (size_t pair = 0; pair < pairs; pair++) {
        float low = value_of(a[2 * pair]);
        float high = value_of(a[2 * pair + 1]);

        for (size_t j = 0; j < SOTTO_PANEL_WIDTH; j++) {
            uint32_t both;
            uint32_t upper;
            float first;
            float second;

            memcpy(&both, panel + (pair * SOTTO_PANEL_WIDTH + j) * 2, sizeof both);
            upper = both & 0xffff0000;
            both <<= 16;
            memcpy(&first, &both, sizeof first);
            memcpy(&second, &upper, sizeof second);
            sums[j] += low * first + high * second;
        }
    }
}

static void add(float *restrict sums, const float *restrict values)
{
    for (size_t j = 0; j < SOTTO_PANEL_WIDTH; j++)
        sums[j] += values[j];
}

static void multiply(const struct sotto_tile *tile)
{
    for (uint32_t row = 0; row < tile->rows; row++) {
        float *c = tile->c + row * tile->c_stride;
        float sums[SOTTO_PANEL_WIDTH] = {0};

        if (tile->adds)
            memcpy(sums, c, sizeof sums);
        multiply_row(sums, tile->a + row * SOTTO_TILE_STRIDE, tile->panel, tile->pairs);
        if (tile->bias != NULL)
            add(sums, tile->bias);
        if (tile->residual != NULL)
            add(sums, tile->residual + row * tile->residual_stride);
        memcpy(c, sums, sizeof sums);
    }
}

static void turn(uint16_t *out, const uint16_t *square)
{
    for (size_t column = 0; column < SOTTO_PANEL_WIDTH; column++) {
        const uint16_t *from = square + column / 2 * 2 * SOTTO_PANEL_WIDTH + column % 2;

        for (size_t row = 0; row < SOTTO_PANEL_WIDTH; row++)
            out[(row / 2 * SOTTO_PANEL_WIDTH + column) * 2 + row % 2] = from[2 * row];
    }
}

static const struct sotto_tile_kernel portable = {round_values, multiply, turn};

const struct sotto_tile_kernel *sotto_tile_portable(void)
{
    return &portable;
}
