/*
 * Forward and backward of a masked autoencoder over some pictures, in memory taken once.
 *     loss = mean over hidden patches and their values of (drawn - target)^2
 * where the target is the patch with its own mean taken off and its own deviation divided out. He
 * et al., CVPR 2022, section 3, "Reconstruction target".
 */
#ifndef SOTTO_MODELS_PRETRAIN_MAE_PASS_H
#define SOTTO_MODELS_PRETRAIN_MAE_PASS_H

#include "models/pretrain/mae.h"
#include "models/pretrain/stack.h"

/* Belongs to one thread. */
struct sotto_mae_pass {
    const struct sotto_mae *mae;
    struct sotto_device_loss *loss; /* of the last run */
    const struct sotto_device_float *weights;
    struct sotto_device_float *gradients;
    struct sotto_stack encoder;
    struct sotto_stack decoder;
    struct sotto_device_float *patches;  /* [pictures, patch count, patch values] */
    struct sotto_device_float *seen;     /* [pictures * visible, patch values] */
    struct sotto_device_float *embedded; /* [pictures * visible, width]; then its gradient */
    /* [pictures * (visible + 1), decoder width]; then its gradient. */
    struct sotto_device_float *handed;
    struct sotto_device_float *hidden; /* [pictures * hidden, decoder width] what is drawn from */
    struct sotto_device_float *hidden_gradient; /* the same */
    struct sotto_device_float *drawn; /* [pictures * hidden, patch values]; then its gradient */
};

/*
 * Takes the memory for up to `picture_max` pictures; with a counting workspace it only counts.
 *
 *   mae        in     kept by reference
 *   weights    in     [sotto_mae_places(mae).count], kept by reference
 *   gradients  inout  as weights, kept by reference; added to
 *
 * SOTTO_NO_MEMORY: the workspace is full.
 */
SOTTO_CHECKED enum sotto_status sotto_mae_pass_take(struct sotto_mae_pass *pass,
                                                    const struct sotto_mae *mae,
                                                    const struct sotto_device_float *weights,
                                                    struct sotto_device_float *gradients,
                                                    uint32_t picture_max,
                                                    struct sotto_workspace *workspace);

/* Some pictures of a step. */
struct sotto_mae_batch {
    uint32_t picture_count;
    const uint8_t *pixels;        /* [picture_count, channels, side, side] */
    const uint32_t *patch_orders; /* [picture_count, patch count]: the visible ones first */
    struct sotto_pixel_map pixel_map;
    double scale; /* of the gradient: picture_count / pictures of the whole step */
};

/* Adds the gradients of scale * mean loss; returns the mean loss, which is read at the end. */
double sotto_mae_pass_run(struct sotto_mae_pass *pass, const struct sotto_mae_batch *batch);

#endif
