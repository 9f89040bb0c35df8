#include "models/kernels/rotary.h"

#include "models/kernels/device/host.h"
#include "models/kernels/vector.h"

/* The halves of one head, by one position's angles; `sign` -1 turns back. */
SOTTO_VECTORISED static void turn(float *restrict head, const float *restrict cosines,
                                  const float *restrict sines, float sign, size_t half)
{
    for (size_t i = 0; i < half; i++) {
        float low = head[i];
        float high = head[half + i];
        float sine = sign * sines[i];

        head[i] = low * cosines[i] - high * sine;
        head[half + i] = high * cosines[i] + low * sine;
    }
}

void sotto_cpu_rotate(struct sotto_matrix x, const struct sotto_rotary *rotary, uint32_t head_width,
                      bool is_back)
{
    size_t half = head_width / 2;

    for (size_t row = 0; row < x.rows; row++) {
        for (size_t first = 0; first < x.columns; first += head_width)
            turn(sotto_host_write(x.at + row * x.stride + first),
                 sotto_host_read(rotary->cosines + row * half),
                 sotto_host_read(rotary->sines + row * half), is_back ? -1.0f : 1.0f, half);
    }
}
