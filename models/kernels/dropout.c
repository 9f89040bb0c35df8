#include "models/kernels/dropout.h"

#include "models/kernels/device/host.h"
#include "models/kernels/vector.h"

/* A bijection of 32 bits with little bias: multiply and shift, twice. */
static inline uint32_t scramble(uint32_t x)
{
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x *= 0x846ca68bu;
    return x ^ x >> 16;
}

struct rule {
    uint32_t low; /* the key's halves */
    uint32_t high;
    uint32_t threshold; /* a hash below it: the element goes */
    float scale;
};

SOTTO_VECTORISED static void drop_row(float *y, const float *x, struct rule rule, uint32_t first,
                                      size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t hash = scramble(scramble((first + (uint32_t)i) ^ rule.low) + rule.high);
        float kept = hash < rule.threshold ? 0.0f : rule.scale;

        y[i] = x[i] * kept;
    }
}

void sotto_cpu_drop(struct sotto_matrix y, struct sotto_matrix_view x,
                    const struct sotto_dropout *dropout)
{
    const struct rule rule = {(uint32_t)dropout->key, (uint32_t)(dropout->key >> 32),
                              (uint32_t)((double)dropout->rate * 4294967296.0),
                              1.0f / (1.0f - dropout->rate)};

    for (size_t row = 0; row < x.rows; row++)
        drop_row(sotto_host_write(y.at + row * y.stride), sotto_host_read(x.at + row * x.stride),
                 rule, (uint32_t)(row * x.columns), x.columns);
}
