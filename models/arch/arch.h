/*
 * The shape of an architecture, read from the config.json of a Hugging Face model directory. An
 * architecture is the one transformer block (models/block) with these numbers, and a family: its
 * embedding, its head and the names of its tensors.
 *
 * | model_type            | family | block                                   | head              |
 * | vit, deit             | VIT    | norm before, GELU, bidirectional        | on the class token |
 * | bert                  | BERT   | norm after, GELU, bidirectional         | tanh pooler, class |
 * | llama, qwen2, mistral | LLAMA  | RMS norm before, SwiGLU, causal, rotary | next token        |
 */
#ifndef SOTTO_MODELS_ARCH_ARCH_H
#define SOTTO_MODELS_ARCH_ARCH_H

#include "core/base/bytes.h"

/* DeiT is a ViT with a second token before the patches and a word of its own in every name. */
enum sotto_family {
    SOTTO_FAMILY_VIT,
    SOTTO_FAMILY_DEIT,
    SOTTO_FAMILY_BERT,
    SOTTO_FAMILY_LLAMA,
    SOTTO_FAMILY_COUNT
};

enum sotto_task { SOTTO_TASK_PICTURE_CLASS, SOTTO_TASK_TEXT_CLASS, SOTTO_TASK_CAUSAL_LM };

enum sotto_arch_activation {
    SOTTO_ARCH_GELU,      /* z Phi(z), by erf */
    SOTTO_ARCH_GELU_TANH, /* its approximation by tanh */
    SOTTO_ARCH_SILU_GATE, /* SwiGLU: silu(gate) * in */
};

enum sotto_rope_scaling { SOTTO_ROPE_PLAIN, SOTTO_ROPE_LINEAR, SOTTO_ROPE_LLAMA3 };

/*
 * Rotary positions: pair i of a head turns by position * frequency(i), theta^(-2 i / head_width)
 * before scaling. Su et al., arXiv:2104.09864, eq. 15; pairs are (i, i + head_width / 2).
 */
struct sotto_rope {
    double theta; /* 0: positions are no rotation */
    enum sotto_rope_scaling scaling;
    double factor;                /* of both scalings: how many times the context was stretched */
    double low_frequency_factor;  /* of LLAMA3, as the three below */
    double high_frequency_factor; /* above the low one */
    uint32_t original_positions;
};

enum { SOTTO_END_TOKENS_MAX = 8 };

struct sotto_arch {
    enum sotto_family family;
    enum sotto_task task;
    uint32_t width;         /* hidden_size, D */
    uint32_t mlp_width;     /* intermediate_size, F */
    uint32_t block_count;   /* num_hidden_layers */
    uint32_t head_count;    /* num_attention_heads */
    uint32_t kv_head_count; /* num_key_value_heads; divides head_count */
    uint32_t head_width;    /* head_dim, else width / head_count */
    /* Of pictures. */
    uint32_t image_side; /* image_size, pixels */
    uint32_t patch_side; /* patch_size; divides image_side */
    uint32_t channels;   /* num_channels, 1 or 3 */
    /* Of texts. */
    uint32_t vocabulary;     /* vocab_size */
    uint32_t position_count; /* max_position_embeddings: the longest text, in tokens */
    uint32_t type_count;     /* type_vocab_size of BERT; all tokens are of type 0 */
    struct sotto_rope rope;  /* of Llama */
    uint32_t end_tokens[SOTTO_END_TOKENS_MAX]; /* eos_token_id: those of which each ends a text */
    uint32_t end_token_count;
    enum sotto_arch_activation activation;
    double norm_epsilon;      /* layer_norm_eps, rms_norm_eps */
    bool has_qkv_bias;        /* of query, key and value */
    bool has_out_bias;        /* of the linear layer after the attention */
    bool has_mlp_bias;        /* of the linear layers of the MLP */
    bool has_tied_embeddings; /* a language model's head is its word embedding */
};

/* Tokens a picture becomes: class token, DeiT's second one, (image_side / patch_side)^2 patches. */
uint32_t sotto_arch_token_count(const struct sotto_arch *arch);

/* Columns of all queries, and of all keys or values: heads times head_width. */
uint32_t sotto_arch_query_width(const struct sotto_arch *arch);
uint32_t sotto_arch_kv_width(const struct sotto_arch *arch);

/*
 * SOTTO_MALFORMED, SOTTO_UNSUPPORTED (the fault names the key and the known values),
 * SOTTO_OVER_LIMIT: arch is as before.
 */
SOTTO_CHECKED enum sotto_status sotto_arch_decode(struct sotto_arch *arch, struct sotto_view json,
                                                  const char *path, struct sotto_fault *fault);

#endif
