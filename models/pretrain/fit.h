/*
 * The pretraining itself: AdamW over epochs of shuffled, lightly moved and masked pictures.
 * Source: He et al., CVPR 2022, appendix A.1 (beta2 0.95, weight decay 0.05, warm-up, cosine).
 */
#ifndef SOTTO_MODELS_PRETRAIN_FIT_H
#define SOTTO_MODELS_PRETRAIN_FIT_H

#include <signal.h>

#include "models/data/dataset.h"
#include "models/pretrain/mae.h"

/* How far a run is; the loss is the mean since the last report. */
struct sotto_pretrain_progress {
    size_t step;
    size_t step_count;
    double loss;
};

struct sotto_pretrain_rule {
    uint32_t epochs;
    uint32_t batch;
    uint32_t thread_count;
    uint32_t shift_max; /* pixels that a picture is moved by, at most */
    double learning_rate;
    double warm_up; /* share of the steps in which the rate rises */
    double weight_decay;
    uint64_t seed; /* with thread_count and machine the same, the same bits come out */
    struct sotto_pixel_map pixel_map;
    const volatile sig_atomic_t *is_stopped; /* looked at before every step */
    void (*report)(void *context, const struct sotto_pretrain_progress *progress);
    void *context;
};

enum { SOTTO_PRETRAIN_THREADS_MAX = 256 };

/*
 * Trains from scratch. Every thread has its own memory for batch / thread_count pictures; their
 * gradients are added in a fixed order.
 *
 *   weights  out  [sotto_mae_places(mae).count]
 *   loss     out  mean over the last hundredth of the steps, at least one
 *
 * SOTTO_NO_MEMORY; SOTTO_MALFORMED: the loss is no finite number; SOTTO_UNEXPECTED: is_stopped was
 * set. weights are then unspecified.
 */
SOTTO_CHECKED enum sotto_status sotto_pretrain_fit(float *weights, double *loss,
                                                   const struct sotto_mae *mae,
                                                   const struct sotto_dataset *dataset,
                                                   const struct sotto_pretrain_rule *rule,
                                                   struct sotto_fault *fault);

#endif
