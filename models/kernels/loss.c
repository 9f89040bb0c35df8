#include "models/kernels/loss.h"

#include <assert.h>
#include <math.h>

#include "models/kernels/device/host.h"
#include "models/kernels/elementwise.h"

/* log sum exp(z - m) is -log of the largest logit's own probability: rounding loses no loss. */
void sotto_cpu_cross_entropy(struct sotto_matrix logits, const uint32_t *labels, float weight,
                             struct sotto_device_loss *loss)
{
    for (size_t row = 0; row < logits.rows; row++) {
        struct sotto_matrix one =
            sotto_matrix_of(logits.at + row * logits.stride, 1, logits.columns);
        float *at = sotto_host_write(one.at);
        size_t largest = sotto_cpu_largest(at, one.columns);
        double behind = 0.0;

        assert(labels[row] < logits.columns);
        behind = (double)at[largest] - at[labels[row]];
        sotto_cpu_softmax_rows(one);
        loss->on_device.sum += behind - log(at[largest]);
        loss->on_device.correct_count += largest == labels[row];
        at[labels[row]] -= 1.0f;
        sotto_cpu_scale(one.at, weight, one.columns);
    }
}

void sotto_cpu_clear_loss(struct sotto_device_loss *loss)
{
    loss->on_device = (struct sotto_loss){0};
}

void sotto_cpu_add_loss(struct sotto_device_loss *all, const struct sotto_device_loss *part)
{
    all->on_device.sum += part->on_device.sum;
    all->on_device.correct_count += part->on_device.correct_count;
}
