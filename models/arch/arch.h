/*
 * The shape of an architecture, read from the config.json of a Hugging Face model directory.
 * Known: ViT (`model_type: vit`): pre-LayerNorm, GELU (erf), learned positions, class token.
 */
#ifndef SOTTO_MODELS_ARCH_ARCH_H
#define SOTTO_MODELS_ARCH_ARCH_H

#include "core/base/bytes.h"

struct sotto_arch {
    uint32_t width;       /* hidden_size, D */
    uint32_t mlp_width;   /* intermediate_size, F */
    uint32_t block_count; /* num_hidden_layers */
    uint32_t head_count;  /* num_attention_heads; divides width */
    uint32_t image_side;  /* image_size, pixels */
    uint32_t patch_side;  /* patch_size; divides image_side */
    uint32_t channels;    /* num_channels, 1 or 3 */
    double norm_epsilon;  /* layer_norm_eps */
    bool has_qkv_bias;
};

/* Tokens a picture becomes: (image_side / patch_side)^2 + 1. */
uint32_t sotto_arch_token_count(const struct sotto_arch *arch);

/*
 * SOTTO_MALFORMED, SOTTO_UNSUPPORTED (the fault names the key and the known values),
 * SOTTO_OVER_LIMIT: arch is as before.
 */
SOTTO_CHECKED enum sotto_status sotto_arch_decode(struct sotto_arch *arch, struct sotto_view json,
                                                  const char *path, struct sotto_fault *fault);

#endif
