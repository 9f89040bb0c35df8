#include "models/arch/family.h"

#include <assert.h>

/* A name that is the same in both. */
#define BOTH(name)                                                                                 \
    {                                                                                              \
        name, name                                                                                 \
    }

#define VIT_MODULES                                                                                \
    .linears = {[SOTTO_BLOCK_QUERY] = {"attention.attention.query", "attention.q_proj"},           \
                [SOTTO_BLOCK_KEY] = {"attention.attention.key", "attention.k_proj"},               \
                [SOTTO_BLOCK_VALUE] = {"attention.attention.value", "attention.v_proj"},           \
                [SOTTO_BLOCK_ATTENTION_OUT] = {"attention.output.dense", "attention.o_proj"},      \
                [SOTTO_BLOCK_MLP_IN] = {"intermediate.dense", "mlp.fc1"},                          \
                [SOTTO_BLOCK_MLP_OUT] = {"output.dense", "mlp.fc2"}},                              \
    .norm_before = BOTH("layernorm_before"), .norm_after = BOTH("layernorm_after")

static const struct sotto_family_names names[SOTTO_FAMILY_COUNT] = {
    [SOTTO_FAMILY_VIT] = {.family = "vit",
                          .prefix = "vit.",
                          .head = "classifier",
                          .blocks = {"vit.encoder.layer.", "vit.layers."},
                          VIT_MODULES},
    [SOTTO_FAMILY_DEIT] = {.family = "deit",
                           .prefix = "deit.",
                           .head = "classifier",
                           .blocks = {"deit.encoder.layer.", "deit.layers."},
                           VIT_MODULES},
    [SOTTO_FAMILY_BERT] = {.family = "bert",
                           .prefix = "bert.",
                           .head = "classifier",
                           .blocks = BOTH("bert.encoder.layer."),
                           .linears = {[SOTTO_BLOCK_QUERY] = BOTH("attention.self.query"),
                                       [SOTTO_BLOCK_KEY] = BOTH("attention.self.key"),
                                       [SOTTO_BLOCK_VALUE] = BOTH("attention.self.value"),
                                       [SOTTO_BLOCK_ATTENTION_OUT] = BOTH("attention.output.dense"),
                                       [SOTTO_BLOCK_MLP_IN] = BOTH("intermediate.dense"),
                                       [SOTTO_BLOCK_MLP_OUT] = BOTH("output.dense")},
                           .norm_before = BOTH("attention.output.LayerNorm"),
                           .norm_after = BOTH("output.LayerNorm")},
    [SOTTO_FAMILY_LLAMA] = {.family = "llama",
                            .prefix = "model.",
                            .head = "lm_head",
                            .blocks = BOTH("model.layers."),
                            .linears = {[SOTTO_BLOCK_QUERY] = BOTH("self_attn.q_proj"),
                                        [SOTTO_BLOCK_KEY] = BOTH("self_attn.k_proj"),
                                        [SOTTO_BLOCK_VALUE] = BOTH("self_attn.v_proj"),
                                        [SOTTO_BLOCK_ATTENTION_OUT] = BOTH("self_attn.o_proj"),
                                        [SOTTO_BLOCK_MLP_IN] = BOTH("mlp.up_proj"),
                                        [SOTTO_BLOCK_MLP_OUT] = BOTH("mlp.down_proj")},
                            .norm_before = BOTH("input_layernorm"),
                            .norm_after = BOTH("post_attention_layernorm")},
};

const struct sotto_family_names *sotto_family_names(enum sotto_family family)
{
    assert((unsigned)family < SOTTO_FAMILY_COUNT);
    return &names[family];
}
