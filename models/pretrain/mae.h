/*
 * A masked autoencoder: a vision transformer that sees a quarter of a picture's patches, and a
 * light decoder that has to draw the rest. What it learns stays in the encoder; the decoder is
 * thrown away.
 * Source: He et al., Masked Autoencoders Are Scalable Vision Learners, CVPR 2022, section 3.
 */
#ifndef SOTTO_MODELS_PRETRAIN_MAE_H
#define SOTTO_MODELS_PRETRAIN_MAE_H

#include "core/base/entropy.h"
#include "models/arch/tensors.h"
#include "models/optim/adamw.h"

struct sotto_mae {
    const struct sotto_kernels *kernels;
    struct sotto_arch arch; /* of the encoder */
    uint32_t visible_count; /* patches that the encoder sees */
    uint32_t decoder_width;
    uint32_t decoder_blocks;
    uint32_t decoder_heads;
};

/*
 * Where the decoder's tensors lie; the encoder's come first, in the order of
 * models/arch/tensors.h. The decoder's positions and the mask token are added to what it is given.
 */
struct sotto_mae_places {
    size_t embed_weight; /* [decoder width, width] */
    size_t embed_bias;   /* [decoder width] */
    size_t mask_token;   /* [decoder width] */
    size_t positions;    /* [token count, decoder width] */
    size_t blocks;       /* decoder_blocks * sotto_block_weight_count */
    size_t norm_gain;    /* [decoder width] */
    size_t norm_bias;    /* [decoder width] */
    size_t draw_weight;  /* [patch values, decoder width] */
    size_t draw_bias;    /* [patch values] */
    size_t count;        /* of all weights, the encoder's included */
};
struct sotto_mae_places sotto_mae_places(const struct sotto_mae *mae);

/* Where the encoder's tensors outside its blocks lie, and its blocks. */
struct sotto_mae_encoder_places {
    size_t class_token;  /* [width] */
    size_t positions;    /* [token count, width], class token first */
    size_t patch_weight; /* [width, patch values] */
    size_t patch_bias;   /* [width] */
    size_t blocks;       /* block_count * sotto_block_weight_count */
    size_t norm_gain;    /* [width] */
    size_t norm_bias;    /* [width] */
};
struct sotto_mae_encoder_places sotto_mae_encoder_places(const struct sotto_arch *arch);

uint32_t sotto_mae_patch_count(const struct sotto_mae *mae);
uint32_t sotto_mae_hidden_count(const struct sotto_mae *mae); /* patches to be drawn */
size_t sotto_mae_patch_values(const struct sotto_mae *mae);
struct sotto_block_spec sotto_mae_decoder_spec(const struct sotto_mae *mae);

/*
 * Starting weights: matrices Xavier uniform, tokens N(0, 0.02^2), positions the two-dimensional
 * sine and cosine table, gains 1, the rest 0.
 *
 *   weights  out  [sotto_mae_places(mae).count]
 */
void sotto_mae_start(float *weights, const struct sotto_mae *mae, struct sotto_entropy *entropy);

/*
 * The matrices, which decay, and the rest, which does not; together all weights. Returns how many
 * spans; with spans NULL it only counts.
 */
size_t sotto_mae_spans(struct sotto_adamw_span *spans, const struct sotto_mae *mae,
                       double weight_decay);

#endif
