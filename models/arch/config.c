#include "models/arch/config.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* The largest number each count may have; far above any known model, far below an overflow. */
enum {
    WIDTH_MAX = 16384,
    MLP_WIDTH_MAX = 65536,
    BLOCKS_MAX = 256,
    HEAD_WIDTH_MAX = 1024,
    QUERY_WIDTH_MAX = 65536,
    SIDE_MAX = 4096,
    TOKENS_MAX = 16385,
    VOCABULARY_MAX = 1 << 20,
    POSITIONS_MAX = 1 << 24,
    TYPES_MAX = 256,
    CLASSES_TEXT_MAX = 256,
};

/* The values of model_type, as a set: a row holds for some of them. */
enum {
    VIT = 1,
    DEIT = 2,
    BERT = 4,
    LLAMA = 8,
    QWEN2 = 16,
    MISTRAL = 32,
    PICTURES = VIT | DEIT,
    DECODERS = LLAMA | QWEN2 | MISTRAL,
    ALL = PICTURES | BERT | DECODERS,
};

static const struct sotto_known_word model_types[] = {
    {"vit", VIT},     {"deit", DEIT},       {"bert", BERT}, {"llama", LLAMA},
    {"qwen2", QWEN2}, {"mistral", MISTRAL}, {NULL, 0},
};

struct count_rule {
    int types;
    const char *key;
    size_t offset; /* in struct sotto_arch */
    uint32_t max;
    uint32_t absent; /* the value where the key is absent; 0: it must be there */
};

static const struct count_rule count_rules[] = {
    {ALL, "hidden_size", offsetof(struct sotto_arch, width), WIDTH_MAX, 0},
    {ALL, "intermediate_size", offsetof(struct sotto_arch, mlp_width), MLP_WIDTH_MAX, 0},
    {ALL, "num_hidden_layers", offsetof(struct sotto_arch, block_count), BLOCKS_MAX, 0},
    {ALL, "num_attention_heads", offsetof(struct sotto_arch, head_count), WIDTH_MAX, 0},
    {QWEN2 | MISTRAL, "num_key_value_heads", offsetof(struct sotto_arch, kv_head_count), WIDTH_MAX,
     0},
    {PICTURES, "image_size", offsetof(struct sotto_arch, image_side), SIDE_MAX, 0},
    {PICTURES, "patch_size", offsetof(struct sotto_arch, patch_side), SIDE_MAX, 0},
    {PICTURES, "num_channels", offsetof(struct sotto_arch, channels), 3, 3},
    {BERT | DECODERS, "vocab_size", offsetof(struct sotto_arch, vocabulary), VOCABULARY_MAX, 0},
    {BERT, "max_position_embeddings", offsetof(struct sotto_arch, position_count), POSITIONS_MAX,
     512},
    {DECODERS, "max_position_embeddings", offsetof(struct sotto_arch, position_count),
     POSITIONS_MAX, 0},
    {BERT, "type_vocab_size", offsetof(struct sotto_arch, type_count), TYPES_MAX, 2},
};

struct flag_rule {
    int types;
    const char *key; /* NULL: the family has it or not, whatever the file says */
    size_t offset;
    bool absent;
};

static const struct flag_rule flag_rules[] = {
    {PICTURES, "qkv_bias", offsetof(struct sotto_arch, has_qkv_bias), true},
    {BERT | QWEN2, NULL, offsetof(struct sotto_arch, has_qkv_bias), true},
    {LLAMA, "attention_bias", offsetof(struct sotto_arch, has_qkv_bias), false},
    {PICTURES | BERT, NULL, offsetof(struct sotto_arch, has_out_bias), true},
    {LLAMA, "attention_bias", offsetof(struct sotto_arch, has_out_bias), false},
    {PICTURES | BERT, NULL, offsetof(struct sotto_arch, has_mlp_bias), true},
    {LLAMA, "mlp_bias", offsetof(struct sotto_arch, has_mlp_bias), false},
    {DECODERS, "tie_word_embeddings", offsetof(struct sotto_arch, has_tied_embeddings), false},
};

/* Keys that change what is computed, and the one value of each that is computed here. */
static const struct fixed_rule {
    int types;
    const char *key;
    bool value;
} fixed_rules[] = {
    {ALL, "is_encoder_decoder", false},
    {BERT, "is_decoder", false},
    {BERT, "add_cross_attention", false},
    {DECODERS, "rope_interleaved", false},
};

/* Elements on disk; the files themselves say what each tensor is. */
static const struct sotto_known_word dtypes[] = {
    {"float32", 0}, {"float16", 0}, {"bfloat16", 0}, {NULL, 0}};

static const struct sotto_known_word position_kinds[] = {{"absolute", 0}, {NULL, 0}};

static const struct word_rule {
    int types;
    const char *key;
    const struct sotto_known_word *known;
} word_rules[] = {
    {ALL, "torch_dtype", dtypes},
    {ALL, "dtype", dtypes},
    {BERT, "position_embedding_type", position_kinds},
};

static const struct sotto_known_word gelus[] = {
    {"gelu", SOTTO_ARCH_GELU},           {"gelu_python", SOTTO_ARCH_GELU},
    {"gelu_new", SOTTO_ARCH_GELU_TANH},  {"gelu_pytorch_tanh", SOTTO_ARCH_GELU_TANH},
    {"gelu_fast", SOTTO_ARCH_GELU_TANH}, {NULL, 0},
};

static const struct sotto_known_word gates[] = {
    {"silu", SOTTO_ARCH_SILU_GATE}, {"swish", SOTTO_ARCH_SILU_GATE}, {NULL, 0}};

static const struct sotto_known_word rope_types[] = {
    {"default", SOTTO_ROPE_PLAIN},
    {"linear", SOTTO_ROPE_LINEAR},
    {"llama3", SOTTO_ROPE_LLAMA3},
    {NULL, 0},
};

/*
 * The classes of transformers whose checkpoints are a base: those of the task, the bare model, and
 * those of pretraining. Of any other the body was trained for something else.
 */
static const struct class_rule {
    int types;
    const char *name;
} class_rules[] = {
    {VIT, "ViTForImageClassification"},
    {VIT, "ViTModel"},
    {VIT, "ViTForMaskedImageModeling"},
    {DEIT, "DeiTForImageClassification"},
    {DEIT, "DeiTForImageClassificationWithTeacher"},
    {DEIT, "DeiTModel"},
    {DEIT, "DeiTForMaskedImageModeling"},
    {BERT, "BertForSequenceClassification"},
    {BERT, "BertModel"},
    {BERT, "BertForMaskedLM"},
    {BERT, "BertForPreTraining"},
    {BERT, "BertForNextSentencePrediction"},
    {LLAMA, "LlamaForCausalLM"},
    {LLAMA, "LlamaModel"},
    {QWEN2, "Qwen2ForCausalLM"},
    {QWEN2, "Qwen2Model"},
    {MISTRAL, "MistralForCausalLM"},
    {MISTRAL, "MistralModel"},
};

#define COUNT_OF(rows) (sizeof(rows) / sizeof(rows)[0])

static enum sotto_status decode_counts(struct sotto_arch *arch, int type,
                                       const struct sotto_reading *reading)
{
    enum sotto_status status = SOTTO_OK;

    for (size_t i = 0; i < COUNT_OF(count_rules) && status == SOTTO_OK; i++) {
        const struct count_rule *rule = &count_rules[i];
        uint32_t count = 0;

        if ((rule->types & type) == 0)
            continue;
        status = sotto_reading_count(&count, reading, rule->key, rule->max, rule->absent);
        memcpy((char *)arch + rule->offset, &count, sizeof count);
    }
    return status;
}

static enum sotto_status decode_flags(struct sotto_arch *arch, int type,
                                      const struct sotto_reading *reading)
{
    enum sotto_status status = SOTTO_OK;

    for (size_t i = 0; i < COUNT_OF(flag_rules) && status == SOTTO_OK; i++) {
        const struct flag_rule *rule = &flag_rules[i];
        bool flag = rule->absent;

        if ((rule->types & type) == 0)
            continue;
        if (rule->key != NULL)
            status = sotto_reading_flag(&flag, reading, rule->key, rule->absent);
        memcpy((char *)arch + rule->offset, &flag, sizeof flag);
    }
    return status;
}

static enum sotto_status check_fixed(int type, const struct sotto_reading *reading)
{
    enum sotto_status status = SOTTO_OK;
    bool flag = false;
    int word = 0;

    for (size_t i = 0; i < COUNT_OF(fixed_rules) && status == SOTTO_OK; i++) {
        const struct fixed_rule *rule = &fixed_rules[i];

        if ((rule->types & type) == 0)
            continue;
        status = sotto_reading_flag(&flag, reading, rule->key, rule->value);
        if (status == SOTTO_OK && flag != rule->value)
            return sotto_fault_set(reading->fault, SOTTO_UNSUPPORTED, "%s: %s is %s; known is: %s",
                                   reading->path, rule->key, flag ? "true" : "false",
                                   rule->value ? "true" : "false");
    }
    for (size_t i = 0; i < COUNT_OF(word_rules) && status == SOTTO_OK; i++) {
        if ((word_rules[i].types & type) != 0)
            status = sotto_reading_word(&word, reading, word_rules[i].key, word_rules[i].known);
    }
    if (status == SOTTO_OK && sotto_reading_find(reading, "quantization_config") != NULL)
        return sotto_fault_set(reading->fault, SOTTO_UNSUPPORTED,
                               "%s: quantization_config is there; known are weights of F32, F16 "
                               "and BF16: get the model as it was before it was quantised",
                               reading->path);
    return status;
}

/* "A, B" of the classes that a model_type may have. */
static void list_classes(char text[CLASSES_TEXT_MAX], int type)
{
    size_t length = 0;

    for (size_t i = 0; i < COUNT_OF(class_rules); i++) {
        if ((class_rules[i].types & type) != 0)
            length += (size_t)snprintf(text + length, CLASSES_TEXT_MAX - length, "%s%s",
                                       length == 0 ? "" : ", ", class_rules[i].name);
    }
}

static bool is_base_class(const char *name, int type)
{
    bool is_found = false;

    for (size_t i = 0; i < COUNT_OF(class_rules) && !is_found; i++)
        is_found = (class_rules[i].types & type) != 0 && strcmp(class_rules[i].name, name) == 0;
    return is_found;
}

static enum sotto_status check_classes(int type, const struct sotto_reading *reading)
{
    const json_t *classes = sotto_reading_find(reading, "architectures");
    char known[CLASSES_TEXT_MAX];
    const json_t *name;
    size_t index;

    if (classes != NULL && !json_is_array(classes))
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED, "%s: architectures must be a list",
                               reading->path);
    json_array_foreach(classes, index, name)
    {
        if (json_is_string(name) && is_base_class(json_string_value(name), type))
            continue;
        list_classes(known, type);
        return sotto_fault_set(reading->fault, SOTTO_UNSUPPORTED,
                               "%s: architectures has '%.60s'; known are: %s", reading->path,
                               json_is_string(name) ? json_string_value(name) : "", known);
    }
    return SOTTO_OK;
}

static enum sotto_status decode_activation(struct sotto_arch *arch, int type,
                                           const struct sotto_reading *reading)
{
    int activation = 0;
    enum sotto_status status = sotto_reading_word(&activation, reading, "hidden_act",
                                                  (type & DECODERS) != 0 ? gates : gelus);

    arch->activation = (enum sotto_arch_activation)activation;
    return status;
}

/* Where no key says otherwise, keys and values have as many heads as queries, the width's parts. */
static enum sotto_status decode_heads(struct sotto_arch *arch, int type,
                                      const struct sotto_reading *reading)
{
    bool has_width = (type & DECODERS) != 0 && sotto_reading_find(reading, "head_dim") != NULL;
    enum sotto_status status = SOTTO_OK;

    if (type == LLAMA)
        status = sotto_reading_count(&arch->kv_head_count, reading, "num_key_value_heads",
                                     WIDTH_MAX, arch->head_count);
    else if ((type & DECODERS) == 0)
        arch->kv_head_count = arch->head_count;
    if (status != SOTTO_OK)
        return status;
    if (has_width)
        return sotto_reading_count(&arch->head_width, reading, "head_dim", HEAD_WIDTH_MAX, 0);
    if (arch->width % arch->head_count != 0)
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED,
                               "%s: num_attention_heads %u does not divide hidden_size %u",
                               reading->path, arch->head_count, arch->width);
    arch->head_width = arch->width / arch->head_count;
    return SOTTO_OK;
}

static enum sotto_status decode_scaling(struct sotto_rope *rope,
                                        const struct sotto_reading *scaling)
{
    const double factor_max = 1e6;
    int type = 0;
    const char *key = sotto_reading_find(scaling, "rope_type") != NULL ? "rope_type" : "type";
    enum sotto_status status = sotto_reading_word(&type, scaling, key, rope_types);

    rope->scaling = (enum sotto_rope_scaling)type;
    if (status == SOTTO_OK && rope->scaling != SOTTO_ROPE_PLAIN)
        status = sotto_reading_number(&rope->factor, scaling, "factor", factor_max, 0.0);
    if (status != SOTTO_OK || rope->scaling != SOTTO_ROPE_LLAMA3)
        return status;
    status = sotto_reading_number(&rope->low_frequency_factor, scaling, "low_freq_factor",
                                  factor_max, 0.0);
    if (status == SOTTO_OK)
        status = sotto_reading_number(&rope->high_frequency_factor, scaling, "high_freq_factor",
                                      factor_max, 0.0);
    if (status == SOTTO_OK)
        status = sotto_reading_count(&rope->original_positions, scaling,
                                     "original_max_position_embeddings", POSITIONS_MAX, 0);
    if (status == SOTTO_OK && !(rope->low_frequency_factor < rope->high_frequency_factor))
        return sotto_fault_set(scaling->fault, SOTTO_MALFORMED,
                               "%s: low_freq_factor must be below high_freq_factor", scaling->path);
    return status;
}

/* transformers 5 has all in rope_parameters; 4 has rope_theta, and rope_scaling beside it. */
static enum sotto_status decode_rope(struct sotto_rope *rope, const struct sotto_reading *reading)
{
    const double theta_max = 1e12;
    struct sotto_reading scaling;
    double whole = 1.0;
    enum sotto_status status = sotto_reading_enter(&scaling, reading, "rope_parameters");

    if (status == SOTTO_OK && scaling.object == NULL)
        status = sotto_reading_enter(&scaling, reading, "rope_scaling");
    if (status == SOTTO_OK)
        status = sotto_reading_number(&rope->theta, reading, "rope_theta", theta_max, 1e4);
    if (status == SOTTO_OK && scaling.object != NULL)
        status = sotto_reading_number(&rope->theta, &scaling, "rope_theta", theta_max, rope->theta);
    if (status == SOTTO_OK && scaling.object != NULL)
        status = decode_scaling(rope, &scaling);
    if (status == SOTTO_OK)
        status = sotto_reading_number(&whole, reading, "partial_rotary_factor", 1.0, 1.0);
    if (status == SOTTO_OK && whole < 1.0)
        return sotto_fault_set(reading->fault, SOTTO_UNSUPPORTED,
                               "%s: partial_rotary_factor is %g; known is: 1", reading->path,
                               whole);
    return status;
}

/* Qwen2 names a window without using it, unless use_sliding_window says so. */
static enum sotto_status check_window(const struct sotto_arch *arch, int type,
                                      const struct sotto_reading *reading)
{
    uint32_t window = 0;
    bool is_used = true;
    json_t *layers = sotto_reading_find(reading, "layer_types");
    enum sotto_status status =
        sotto_reading_count(&window, reading, "sliding_window", UINT32_MAX, arch->position_count);

    if (status == SOTTO_OK && type != MISTRAL)
        status = sotto_reading_flag(&is_used, reading, "use_sliding_window", false);
    if (status == SOTTO_OK && is_used && window < arch->position_count)
        return sotto_fault_set(reading->fault, SOTTO_UNSUPPORTED,
                               "%s: sliding_window is %u, below max_position_embeddings %u; known "
                               "is: no window (null)",
                               reading->path, window, arch->position_count);
    for (size_t i = 0; status == SOTTO_OK && i < json_array_size(layers); i++) {
        const char *kind = json_string_value(json_array_get(layers, i));

        if (kind == NULL || strcmp(kind, "full_attention") != 0)
            return sotto_fault_set(reading->fault, SOTTO_UNSUPPORTED,
                                   "%s: layer_types has '%.60s'; known is: full_attention",
                                   reading->path, kind == NULL ? "?" : kind);
    }
    return status;
}

static enum sotto_status check_pictures(const struct sotto_arch *arch,
                                        const struct sotto_reading *reading)
{
    if (arch->image_side % arch->patch_side != 0)
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED,
                               "%s: patch_size %u does not divide image_size %u", reading->path,
                               arch->patch_side, arch->image_side);
    if (arch->channels == 2)
        return sotto_fault_set(reading->fault, SOTTO_UNSUPPORTED,
                               "%s: num_channels is 2; known are: 1, 3", reading->path);
    if (sotto_arch_token_count(arch) > TOKENS_MAX)
        return sotto_fault_set(reading->fault, SOTTO_OVER_LIMIT,
                               "%s: image_size and patch_size make %u tokens, above the limit %d",
                               reading->path, sotto_arch_token_count(arch), TOKENS_MAX);
    return SOTTO_OK;
}

static enum sotto_status check_decoder(const struct sotto_arch *arch,
                                       const struct sotto_reading *reading)
{
    if (arch->head_count % arch->kv_head_count != 0)
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED,
                               "%s: num_key_value_heads %u does not divide num_attention_heads %u",
                               reading->path, arch->kv_head_count, arch->head_count);
    if (arch->head_width % 2 != 0)
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED,
                               "%s: head_dim %u is odd: rotary positions turn pairs", reading->path,
                               arch->head_width);
    if (sotto_arch_query_width(arch) > QUERY_WIDTH_MAX)
        return sotto_fault_set(reading->fault, SOTTO_OVER_LIMIT,
                               "%s: num_attention_heads and head_dim make a width of %u, above the "
                               "limit of %d",
                               reading->path, sotto_arch_query_width(arch), QUERY_WIDTH_MAX);
    return SOTTO_OK;
}

/* One index or several; what is no token of the vocabulary ends nothing. */
static void decode_ends(struct sotto_arch *arch, const struct sotto_reading *reading)
{
    const json_t *value = sotto_reading_find(reading, "eos_token_id");
    size_t count = json_is_array(value) ? json_array_size(value) : 1;

    for (size_t i = 0; i < count && arch->end_token_count < SOTTO_END_TOKENS_MAX; i++) {
        const json_t *one = json_is_array(value) ? json_array_get(value, i) : value;
        json_int_t token = json_is_integer(one) ? json_integer_value(one) : -1;

        if (token >= 0 && token < arch->vocabulary)
            arch->end_tokens[arch->end_token_count++] = (uint32_t)token;
    }
}

static enum sotto_status decode_decoder(struct sotto_arch *arch, int type,
                                        const struct sotto_reading *reading)
{
    enum sotto_status status = check_decoder(arch, reading);

    decode_ends(arch, reading);
    if (status == SOTTO_OK)
        status = decode_rope(&arch->rope, reading);
    if (status == SOTTO_OK)
        status = check_window(arch, type, reading);
    return status;
}

static void name_family(struct sotto_arch *arch, int type)
{
    arch->family = type == VIT    ? SOTTO_FAMILY_VIT
                   : type == DEIT ? SOTTO_FAMILY_DEIT
                   : type == BERT ? SOTTO_FAMILY_BERT
                                  : SOTTO_FAMILY_LLAMA;
    arch->task = (type & PICTURES) != 0 ? SOTTO_TASK_PICTURE_CLASS
                 : type == BERT         ? SOTTO_TASK_TEXT_CLASS
                                        : SOTTO_TASK_CAUSAL_LM;
}

enum sotto_status sotto_arch_config_decode(struct sotto_arch *arch,
                                           const struct sotto_reading *reading)
{
    int type = 0;
    bool is_decoder = false;
    enum sotto_status status;

    if (sotto_reading_find(reading, "model_type") == NULL)
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED, "%s: the key model_type is missing",
                               reading->path);
    status = sotto_reading_word(&type, reading, "model_type", model_types);
    if (status != SOTTO_OK)
        return status;
    name_family(arch, type);
    is_decoder = (type & DECODERS) != 0;
    status = check_classes(type, reading);
    if (status == SOTTO_OK)
        status = check_fixed(type, reading);
    if (status == SOTTO_OK)
        status = decode_activation(arch, type, reading);
    if (status == SOTTO_OK)
        status = decode_counts(arch, type, reading);
    if (status == SOTTO_OK)
        status = decode_flags(arch, type, reading);
    if (status == SOTTO_OK)
        status = sotto_reading_number(&arch->norm_epsilon, reading,
                                      is_decoder ? "rms_norm_eps" : "layer_norm_eps", 1.0,
                                      is_decoder ? 1e-6 : 1e-12);
    if (status == SOTTO_OK)
        status = decode_heads(arch, type, reading);
    if (status == SOTTO_OK && is_decoder)
        status = decode_decoder(arch, type, reading);
    if (status == SOTTO_OK && (type & PICTURES) != 0)
        status = check_pictures(arch, reading);
    return status;
}
