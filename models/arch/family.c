#include "models/arch/family.h"

#include <assert.h>
#include <string.h>

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
    .attention_norm = BOTH("layernorm_before"), .mlp_norm = BOTH("layernorm_after")

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
                           .attention_norm = BOTH("attention.output.LayerNorm"),
                           .mlp_norm = BOTH("output.LayerNorm")},
    [SOTTO_FAMILY_LLAMA] = {.family = "llama",
                            .prefix = "model.",
                            .blocks = BOTH("model.layers."),
                            .linears = {[SOTTO_BLOCK_QUERY] = BOTH("self_attn.q_proj"),
                                        [SOTTO_BLOCK_KEY] = BOTH("self_attn.k_proj"),
                                        [SOTTO_BLOCK_VALUE] = BOTH("self_attn.v_proj"),
                                        [SOTTO_BLOCK_ATTENTION_OUT] = BOTH("self_attn.o_proj"),
                                        [SOTTO_BLOCK_MLP_GATE] = BOTH("mlp.gate_proj"),
                                        [SOTTO_BLOCK_MLP_IN] = BOTH("mlp.up_proj"),
                                        [SOTTO_BLOCK_MLP_OUT] = BOTH("mlp.down_proj")},
                            .attention_norm = BOTH("input_layernorm"),
                            .mlp_norm = BOTH("post_attention_layernorm")},
};

const struct sotto_family_names *sotto_family_names(enum sotto_family family)
{
    assert((unsigned)family < SOTTO_FAMILY_COUNT);
    return &names[family];
}

enum {
    PICTURES = 1 << SOTTO_FAMILY_VIT | 1 << SOTTO_FAMILY_DEIT,
    BERT = 1 << SOTTO_FAMILY_BERT,
    LLAMA = 1 << SOTTO_FAMILY_LLAMA,
    ALL = PICTURES | BERT | LLAMA,
};

static const struct left_out {
    int families;
    const char *begin; /* of the name */
    const char *end;
} left_out[] = {
    {ALL, "classifier.", ""},
    {ALL, "score.", ""},
    {PICTURES, "cls_classifier.", ""},
    {PICTURES, "distillation_classifier.", ""},
    {PICTURES, "decoder.", ""},
    {PICTURES, "", "pooler.dense.weight"},
    {PICTURES, "", "pooler.dense.bias"},
    {PICTURES, "", "embeddings.mask_token"},
    {BERT, "cls.", ""},
    {BERT, "qa_outputs.", ""},
    {BERT, "", "embeddings.position_ids"},
    {BERT, "", "embeddings.token_type_ids"},
    {LLAMA, "lm_head.", ""},
    {LLAMA, "", "rotary_emb.inv_freq"},
};

static bool begins_and_ends(const char *name, const char *begin, const char *end)
{
    size_t length = strlen(name);

    return length >= strlen(end) && strncmp(name, begin, strlen(begin)) == 0 &&
           strcmp(name + length - strlen(end), end) == 0;
}

bool sotto_family_leaves_out(enum sotto_family family, const char *name)
{
    bool found = false;

    for (size_t i = 0; i < sizeof left_out / sizeof left_out[0] && !found; i++)
        found = (left_out[i].families & 1 << family) != 0 &&
                begins_and_ends(name, left_out[i].begin, left_out[i].end);
    return found;
}
