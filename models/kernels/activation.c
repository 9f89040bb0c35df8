#include "models/kernels/activation.h"

#include <assert.h>

#include "models/kernels/device/host.h"
#include "models/kernels/vector.h"

/* What an activation is at one z. */
struct point {
    float value;
    float slope;
};

/*
 * With u = |z| / sqrt 2 and t = 1 / (1 + 0.3275911 u): erfc(u) = (a1 t + ... + a5 t^5) e^(-u^2).
 * Phi(z) is erfc(u) / 2 on the left and 1 minus that on the right; phi(z) has the same exponential.
 */
static inline struct point gelu_erf(float z)
{
    float size = z < 0.0f ? -z : z;
    float decay = sotto_vector_exp(-0.5f * z * z);
    float t = 1.0f / (1.0f + 0.231641888f * size);
    float tail = 1.061405429f;
    float below;

    tail = tail * t - 1.453152027f;
    tail = tail * t + 1.421413741f;
    tail = tail * t - 0.284496736f;
    tail = tail * t + 0.254829592f;
    tail = 0.5f * tail * t * decay;
    below = z < 0.0f ? tail : 1.0f - tail;
    return (struct point){z * below, below + z * 0.398942280f * decay};
}

static inline float sigmoid(float z)
{
    return 1.0f / (1.0f + sotto_vector_exp(-z));
}

/*
 * z (1 + tanh u) / 2 = z sigmoid(2 u) with u = sqrt(2 / pi) (z + 0.044715 z^3). Beyond 16 the
 * sigmoid is 0 or 1 for a float.
 */
static inline struct point gelu_tanh(float z)
{
    float low = z < -16.0f ? -16.0f : z;
    float at = low > 16.0f ? 16.0f : low;
    float part = sigmoid(at * (1.59576912f + 0.0713548163f * at * at));
    float inner = 1.59576912f + 0.214064449f * at * at;

    return (struct point){z * part, part + at * part * (1.0f - part) * inner};
}

static inline struct point silu(float z)
{
    float part = sigmoid(z);

    return (struct point){z * part, part * (1.0f + z * (1.0f - part))};
}

SOTTO_VECTORISED static void gelu_erf_row(float *restrict y, const float *restrict z, size_t count)
{
    for (size_t i = 0; i < count; i++)
        y[i] = gelu_erf(z[i]).value;
}

SOTTO_VECTORISED static void gelu_tanh_row(float *restrict y, const float *restrict z, size_t count)
{
    for (size_t i = 0; i < count; i++)
        y[i] = gelu_tanh(z[i]).value;
}

SOTTO_VECTORISED static void gate_row(float *restrict y, const float *restrict z, size_t count)
{
    for (size_t i = 0; i < count; i++)
        y[i] = silu(z[i]).value * z[count + i];
}

void sotto_cpu_activate(struct sotto_matrix y, struct sotto_matrix_view z,
                        enum sotto_activation activation)
{
    assert(z.rows == y.rows &&
           z.columns == (activation == SOTTO_ACTIVATION_SILU_GATE ? 2 : 1) * y.columns);
    for (size_t row = 0; row < y.rows; row++) {
        float *out = sotto_host_write(y.at + row * y.stride);
        const float *in = sotto_host_read(z.at + row * z.stride);

        switch (activation) {
        case SOTTO_ACTIVATION_GELU_ERF: gelu_erf_row(out, in, y.columns); break;
        case SOTTO_ACTIVATION_GELU_TANH: gelu_tanh_row(out, in, y.columns); break;
        case SOTTO_ACTIVATION_SILU_GATE: gate_row(out, in, y.columns); break;
        }
    }
}

SOTTO_VECTORISED static void gelu_erf_slope(float *restrict dz, const float *restrict dy,
                                            const float *restrict z, size_t count)
{
    for (size_t i = 0; i < count; i++)
        dz[i] = dy[i] * gelu_erf(z[i]).slope;
}

SOTTO_VECTORISED static void gelu_tanh_slope(float *restrict dz, const float *restrict dy,
                                             const float *restrict z, size_t count)
{
    for (size_t i = 0; i < count; i++)
        dz[i] = dy[i] * gelu_tanh(z[i]).slope;
}

SOTTO_VECTORISED static void gate_slope(float *restrict dz, const float *restrict dy,
                                        const float *restrict z, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct point gate = silu(z[i]);

        dz[i] = dy[i] * gate.slope * z[count + i];
        dz[count + i] = dy[i] * gate.value;
    }
}

void sotto_cpu_activate_backward(struct sotto_matrix dz, struct sotto_matrix_view dy,
                                 struct sotto_matrix_view z, enum sotto_activation activation)
{
    assert(dz.rows == dy.rows && dz.columns == z.columns);
    for (size_t row = 0; row < dy.rows; row++) {
        float *out = sotto_host_write(dz.at + row * dz.stride);
        const float *above = sotto_host_read(dy.at + row * dy.stride);
        const float *in = sotto_host_read(z.at + row * z.stride);

        switch (activation) {
        case SOTTO_ACTIVATION_GELU_ERF: gelu_erf_slope(out, above, in, dy.columns); break;
        case SOTTO_ACTIVATION_GELU_TANH: gelu_tanh_slope(out, above, in, dy.columns); break;
        case SOTTO_ACTIVATION_SILU_GATE: gate_slope(out, above, in, dy.columns); break;
        }
    }
}
