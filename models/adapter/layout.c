#include "models/adapter/layout.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/pack.h"

enum {
    WIDTH_MAX = 1 << 18,
    BLOCKS_MAX = 4096,
    FIELD_COUNT = 18, /* of the canonical bytes */
};

/* Columns and rows of a linear layer's weight. */
struct sides {
    uint32_t in;
    uint32_t out;
};

static struct sides sides_of(const struct sotto_adapter_base *base, enum sotto_target target)
{
    switch (target) {
    case SOTTO_TARGET_QUERY: return (struct sides){base->width, base->query_width};
    case SOTTO_TARGET_KEY:
    case SOTTO_TARGET_VALUE: return (struct sides){base->width, base->kv_width};
    case SOTTO_TARGET_ATTENTION_OUT: return (struct sides){base->query_width, base->width};
    case SOTTO_TARGET_MLP_IN:
    case SOTTO_TARGET_MLP_GATE: return (struct sides){base->width, base->mlp_width};
    case SOTTO_TARGET_MLP_OUT: return (struct sides){base->mlp_width, base->width};
    case SOTTO_TARGET_COUNT: break;
    }
    assert(false && "no target");
    return (struct sides){0, 0};
}

static bool has_bias(const struct sotto_adapter_base *base, enum sotto_target target)
{
    switch (target) {
    case SOTTO_TARGET_QUERY:
    case SOTTO_TARGET_KEY:
    case SOTTO_TARGET_VALUE: return base->has_qkv_bias;
    case SOTTO_TARGET_ATTENTION_OUT: return base->has_out_bias;
    case SOTTO_TARGET_MLP_IN:
    case SOTTO_TARGET_MLP_OUT:
    case SOTTO_TARGET_MLP_GATE: return base->has_mlp_bias;
    case SOTTO_TARGET_COUNT: break;
    }
    assert(false && "no target");
    return false;
}

/* Counts the tensor in any case, and keeps it while there is room. */
static void add_tensor(struct sotto_layout *layout, struct sotto_layout_tensor tensor)
{
    tensor.first = layout->lane_count;
    if (layout->tensor_count < SOTTO_LAYOUT_TENSORS_MAX)
        layout->tensors[layout->tensor_count] = tensor;
    layout->tensor_count++;
    layout->lane_count += (size_t)tensor.rows * tensor.columns;
}

static void add_lora(struct sotto_layout *layout, uint32_t block, enum sotto_target target)
{
    struct sides sides = sides_of(&layout->base, target);
    uint32_t rank = sotto_adapter_choice_rank(&layout->choice, target);

    if (rank == 0)
        return;
    add_tensor(layout, (struct sotto_layout_tensor){.role = SOTTO_ROLE_LORA_A,
                                                    .block = block,
                                                    .target = target,
                                                    .rows = rank,
                                                    .columns = sides.in});
    add_tensor(layout, (struct sotto_layout_tensor){.role = SOTTO_ROLE_LORA_B,
                                                    .block = block,
                                                    .target = target,
                                                    .rows = sides.out,
                                                    .columns = rank});
}

/* A language model of the Llama family has RMS norms, which have a gain and no bias. */
static void add_norm(struct sotto_layout *layout, uint32_t block, enum sotto_norm_place norm)
{
    struct sotto_layout_tensor tensor = {.role = SOTTO_ROLE_NORM_GAIN,
                                         .block = block,
                                         .norm = norm,
                                         .rows = layout->base.width,
                                         .columns = 1};

    add_tensor(layout, tensor);
    tensor.role = SOTTO_ROLE_NORM_BIAS;
    if (layout->base.family != SOTTO_FAMILY_LLAMA)
        add_tensor(layout, tensor);
}

static void add_bias(struct sotto_layout *layout, uint32_t block, enum sotto_target target)
{
    if ((sotto_family_targets(layout->base.family) & 1u << target) == 0 ||
        !has_bias(&layout->base, target))
        return;
    add_tensor(layout, (struct sotto_layout_tensor){.role = SOTTO_ROLE_LINEAR_BIAS,
                                                    .block = block,
                                                    .target = target,
                                                    .rows = sides_of(&layout->base, target).out,
                                                    .columns = 1});
}

static void add_block(struct sotto_layout *layout, uint32_t block)
{
    bool is_lora = layout->choice.kind == SOTTO_ADAPTER_LORA;

    for (uint32_t norm = 0; norm < SOTTO_NORM_COUNT && !is_lora; norm++)
        add_norm(layout, block, (enum sotto_norm_place)norm);
    for (uint32_t target = 0; target < SOTTO_TARGET_COUNT; target++) {
        if (is_lora)
            add_lora(layout, block, (enum sotto_target)target);
        else
            add_bias(layout, block, (enum sotto_target)target);
    }
}

static void add_tensors(struct sotto_layout *layout)
{
    const struct sotto_adapter_choice *choice = &layout->choice;
    uint32_t blocks = layout->base.block_count;

    layout->first_block = choice->top_blocks == 0 ? 0 : blocks - choice->top_blocks;
    if (choice->kind == SOTTO_ADAPTER_LORA && choice->rank == 0)
        layout->first_block = blocks;
    for (uint32_t block = layout->first_block; block < blocks; block++)
        add_block(layout, block);
    if (layout->base.task == SOTTO_TASK_CAUSAL_LM)
        return;
    add_tensor(layout, (struct sotto_layout_tensor){.role = SOTTO_ROLE_HEAD,
                                                    .rows = choice->label_count,
                                                    .columns = layout->base.width});
    add_tensor(layout, (struct sotto_layout_tensor){.role = SOTTO_ROLE_HEAD_BIAS,
                                                    .rows = choice->label_count,
                                                    .columns = 1});
}

static struct sotto_adapter_base base_of(const struct sotto_arch *arch)
{
    return (struct sotto_adapter_base){.family = arch->family,
                                       .task = arch->task,
                                       .width = arch->width,
                                       .query_width = arch->head_count * arch->head_width,
                                       .kv_width = arch->kv_head_count * arch->head_width,
                                       .mlp_width = arch->mlp_width,
                                       .block_count = arch->block_count,
                                       .has_qkv_bias = arch->has_qkv_bias,
                                       .has_out_bias = arch->has_out_bias,
                                       .has_mlp_bias = arch->has_mlp_bias};
}

static bool is_width(uint32_t width)
{
    return width > 0 && width <= WIDTH_MAX;
}

static enum sotto_status check_base(const struct sotto_adapter_base *base,
                                    struct sotto_fault *fault)
{
    if (base->family >= SOTTO_FAMILY_COUNT || base->task > SOTTO_TASK_CAUSAL_LM)
        return sotto_fault_set(fault, SOTTO_MALFORMED, "the base model's family is unknown");
    if (base->task != SOTTO_TASK_CAUSAL_LM && sotto_family_head(base->family) == NULL)
        return sotto_fault_set(fault, SOTTO_MALFORMED, "the base model's family has no classifier");
    if (is_width(base->width) && is_width(base->query_width) && is_width(base->kv_width) &&
        is_width(base->mlp_width) && base->block_count > 0 && base->block_count <= BLOCKS_MAX)
        return SOTTO_OK;
    return sotto_fault_set(fault, SOTTO_OVER_LIMIT,
                           "the base model's shape is beyond width %d or %d blocks", WIDTH_MAX,
                           BLOCKS_MAX);
}

/* The tensors of a base and a settled choice. */
static enum sotto_status assemble(struct sotto_layout *layout,
                                  const struct sotto_adapter_base *base,
                                  const struct sotto_adapter_choice *choice,
                                  struct sotto_fault *fault)
{
    layout->base = *base;
    layout->choice = *choice;
    add_tensors(layout);
    if (layout->tensor_count > SOTTO_LAYOUT_TENSORS_MAX)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT,
                               "targets: they make %zu tensors, more than %d; choose fewer, or "
                               "fewer blocks",
                               layout->tensor_count, SOTTO_LAYOUT_TENSORS_MAX);
    if (layout->lane_count > SOTTO_LAYOUT_LANES_MAX)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT,
                               "rank: %u makes %zu lanes, more than %d; choose a lower one",
                               choice->rank, layout->lane_count, SOTTO_LAYOUT_LANES_MAX);
    return SOTTO_OK;
}

enum sotto_status sotto_layout_derive(struct sotto_layout *layout, const struct sotto_arch *arch,
                                      const struct sotto_adapter_choice *choice,
                                      struct sotto_fault *fault)
{
    struct sotto_adapter_base base = base_of(arch);
    struct sotto_adapter_choice settled;
    struct sotto_layout derived = {.lane_count = 0};
    enum sotto_status status = check_base(&base, fault);

    if (status == SOTTO_OK)
        status = sotto_adapter_choice_settle(&settled, choice, &base, fault);
    if (status == SOTTO_OK)
        status = assemble(&derived, &base, &settled, fault);
    if (status == SOTTO_OK)
        *layout = derived;
    return status;
}

enum sotto_status sotto_layout_check_arch(const struct sotto_layout *layout,
                                          const struct sotto_arch *arch, struct sotto_fault *fault)
{
    const struct sotto_adapter_base own = layout->base;
    const struct sotto_adapter_base given = base_of(arch);
    const struct {
        const char *name;
        uint32_t own;
        uint32_t given;
    } rows[] = {
        {"family", own.family, given.family},
        {"task", own.task, given.task},
        {"width", own.width, given.width},
        {"query width", own.query_width, given.query_width},
        {"key width", own.kv_width, given.kv_width},
        {"MLP width", own.mlp_width, given.mlp_width},
        {"number of blocks", own.block_count, given.block_count},
        {"bias of query, key and value", own.has_qkv_bias, given.has_qkv_bias},
        {"bias after the attention", own.has_out_bias, given.has_out_bias},
        {"bias of the MLP", own.has_mlp_bias, given.has_mlp_bias},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].own != rows[i].given)
            return sotto_fault_set(fault, SOTTO_MISMATCH,
                                   "the adapter is for a model of another shape, %s %u where this "
                                   "one has %u: use the model it was made for",
                                   rows[i].name, rows[i].own, rows[i].given);
    }
    return SOTTO_OK;
}

static void pack_base(struct sotto_packer *packer, const struct sotto_adapter_base *base)
{
    sotto_pack_u64(packer, base->family);
    sotto_pack_u64(packer, base->task);
    sotto_pack_u64(packer, base->width);
    sotto_pack_u64(packer, base->query_width);
    sotto_pack_u64(packer, base->kv_width);
    sotto_pack_u64(packer, base->mlp_width);
    sotto_pack_u64(packer, base->block_count);
    sotto_pack_bool(packer, base->has_qkv_bias);
    sotto_pack_bool(packer, base->has_out_bias);
    sotto_pack_bool(packer, base->has_mlp_bias);
}

static void unpack_base(struct sotto_unpacker *unpacker, struct sotto_adapter_base *base)
{
    base->family = (enum sotto_family)sotto_unpack_u64(unpacker, SOTTO_FAMILY_COUNT - 1);
    base->task = (enum sotto_task)sotto_unpack_u64(unpacker, SOTTO_TASK_CAUSAL_LM);
    base->width = (uint32_t)sotto_unpack_u64(unpacker, WIDTH_MAX);
    base->query_width = (uint32_t)sotto_unpack_u64(unpacker, WIDTH_MAX);
    base->kv_width = (uint32_t)sotto_unpack_u64(unpacker, WIDTH_MAX);
    base->mlp_width = (uint32_t)sotto_unpack_u64(unpacker, WIDTH_MAX);
    base->block_count = (uint32_t)sotto_unpack_u64(unpacker, BLOCKS_MAX);
    base->has_qkv_bias = sotto_unpack_bool(unpacker);
    base->has_out_bias = sotto_unpack_bool(unpacker);
    base->has_mlp_bias = sotto_unpack_bool(unpacker);
}

static void pack_choice(struct sotto_packer *packer, const struct sotto_adapter_choice *choice)
{
    sotto_pack_u64(packer, choice->kind);
    sotto_pack_u64(packer, choice->rank);
    sotto_pack_f64(packer, choice->alpha);
    sotto_pack_bool(packer, choice->is_rank_stabilised);
    sotto_pack_u64(packer, choice->target_set);
    sotto_pack_array(packer, SOTTO_TARGET_COUNT);
    for (uint32_t target = 0; target < SOTTO_TARGET_COUNT; target++)
        sotto_pack_u64(packer, choice->ranks[target]);
    sotto_pack_u64(packer, choice->top_blocks);
    sotto_pack_array(packer, choice->label_count);
    for (uint32_t label = 0; label < choice->label_count; label++)
        sotto_pack_text(packer, choice->labels[label]);
}

static void unpack_choice(struct sotto_unpacker *unpacker, struct sotto_adapter_choice *choice)
{
    choice->kind =
        (enum sotto_adapter_kind)sotto_unpack_u64(unpacker, SOTTO_ADAPTER_KIND_COUNT - 1);
    choice->rank = (uint32_t)sotto_unpack_u64(unpacker, SOTTO_RANK_MAX);
    choice->alpha = sotto_unpack_f64(unpacker);
    choice->is_rank_stabilised = sotto_unpack_bool(unpacker);
    choice->target_set = (uint32_t)sotto_unpack_u64(unpacker, SOTTO_TARGETS_ALL);
    sotto_unpack_array(unpacker, SOTTO_TARGET_COUNT);
    for (uint32_t target = 0; target < SOTTO_TARGET_COUNT; target++)
        choice->ranks[target] = (uint32_t)sotto_unpack_u64(unpacker, SOTTO_RANK_MAX);
    choice->top_blocks = (uint32_t)sotto_unpack_u64(unpacker, BLOCKS_MAX);
    choice->label_count = (uint32_t)sotto_unpack_list(unpacker, SOTTO_LABELS_MAX);
    for (uint32_t label = 0; label < choice->label_count; label++)
        sotto_unpack_text(unpacker, choice->labels[label], sizeof choice->labels[label]);
}

enum sotto_status sotto_layout_encode(struct sotto_buffer *out, const struct sotto_layout *layout)
{
    struct sotto_packer packer;

    sotto_packer_init(&packer, out);
    sotto_pack_array(&packer, FIELD_COUNT);
    pack_base(&packer, &layout->base);
    pack_choice(&packer, &layout->choice);
    return sotto_packer_finish(&packer);
}

enum sotto_status sotto_layout_decode(struct sotto_layout *layout, struct sotto_view bytes)
{
    struct sotto_adapter_choice choice = {.rank = 0};
    struct sotto_adapter_base base = {.width = 0};
    struct sotto_layout decoded = {.lane_count = 0};
    struct sotto_unpacker unpacker;
    uint8_t again[SOTTO_LAYOUT_BYTES_MAX];
    struct sotto_buffer canonical = sotto_buffer_of(again, sizeof again);

    sotto_unpacker_open(&unpacker, bytes);
    sotto_unpack_array(&unpacker, FIELD_COUNT);
    unpack_base(&unpacker, &base);
    unpack_choice(&unpacker, &choice);
    if (sotto_unpacker_close(&unpacker) != SOTTO_OK || check_base(&base, NULL) != SOTTO_OK ||
        sotto_adapter_choice_settle(&choice, &choice, &base, NULL) != SOTTO_OK ||
        assemble(&decoded, &base, &choice, NULL) != SOTTO_OK ||
        sotto_layout_encode(&canonical, &decoded) != SOTTO_OK ||
        !sotto_view_equal(sotto_view_buffer(&canonical), bytes))
        return SOTTO_MALFORMED;
    *layout = decoded;
    return SOTTO_OK;
}

double sotto_layout_scale(const struct sotto_layout *layout, enum sotto_target target)
{
    double rank = sotto_adapter_choice_rank(&layout->choice, target);

    assert(rank > 0);
    return layout->choice.alpha / (layout->choice.is_rank_stabilised ? sqrt(rank) : rank);
}

uint32_t sotto_layout_rank_max(const struct sotto_layout *layout)
{
    uint32_t most = 0;

    for (uint32_t target = 0; target < SOTTO_TARGET_COUNT; target++) {
        uint32_t rank = sotto_adapter_choice_rank(&layout->choice, (enum sotto_target)target);

        most = rank > most ? rank : most;
    }
    return most;
}

static double row_dot(const float *left, const float *right, size_t count)
{
    double sum = 0.0;

    for (size_t i = 0; i < count; i++)
        sum += (double)left[i] * right[i];
    return sum;
}

static void row_scale(float *row, size_t count, double factor)
{
    for (size_t i = 0; i < count; i++)
        row[i] = (float)(row[i] * factor);
}

/*
 * One row of an orthonormal set: normal numbers, less their parts along the rows before (modified
 * Gram-Schmidt, twice: Giraud et al., 2005), scaled to length 1.
 */
static void row_start(float *rows, size_t row, size_t count, struct sotto_entropy *entropy)
{
    float *own = rows + row * count;

    for (size_t i = 0; i < count; i++)
        own[i] = (float)sotto_entropy_normal(entropy);
    row_scale(own, count, 1.0 / sqrt(row_dot(own, own, count)));
    for (size_t other = 0; other < 2 * row; other++) {
        const float *known = rows + other % row * count;
        double part = row_dot(own, known, count);

        for (size_t i = 0; i < count; i++)
            own[i] = (float)(own[i] - part * known[i]);
    }
    row_scale(own, count, 1.0 / sqrt(row_dot(own, own, count)));
}

void sotto_layout_start(float *lanes, const struct sotto_layout *layout,
                        struct sotto_entropy *entropy)
{
    memset(lanes, 0, layout->lane_count * sizeof *lanes);
    for (size_t i = 0; i < layout->tensor_count; i++) {
        const struct sotto_layout_tensor *tensor = &layout->tensors[i];
        struct sotto_entropy own;

        if (tensor->role != SOTTO_ROLE_LORA_A)
            continue;
        sotto_entropy_fork(&own, entropy);
        for (size_t row = 0; row < tensor->rows; row++) {
            size_t group = row - row % tensor->columns;

            row_start(lanes + tensor->first + group * tensor->columns, row - group, tensor->columns,
                      &own);
        }
    }
}

void sotto_layout_tensor_name(char out[SOTTO_TENSOR_TEXT_MAX + 1],
                              const struct sotto_layout *layout, size_t tensor)
{
    const struct sotto_layout_tensor *named = &layout->tensors[tensor];
    enum sotto_family family = layout->base.family;
    char module[SOTTO_MODULE_TEXT_MAX + 1];
    const char *suffix = NULL;

    assert(tensor < layout->tensor_count);
    switch (named->role) {
    case SOTTO_ROLE_LORA_A: suffix = "lora_A.weight"; break;
    case SOTTO_ROLE_LORA_B: suffix = "lora_B.weight"; break;
    case SOTTO_ROLE_NORM_GAIN:
    case SOTTO_ROLE_HEAD: suffix = "weight"; break;
    case SOTTO_ROLE_NORM_BIAS:
    case SOTTO_ROLE_LINEAR_BIAS:
    case SOTTO_ROLE_HEAD_BIAS: suffix = "bias"; break;
    }
    if (named->role == SOTTO_ROLE_HEAD || named->role == SOTTO_ROLE_HEAD_BIAS)
        snprintf(module, sizeof module, "%s", sotto_family_head(family));
    else if (named->role == SOTTO_ROLE_NORM_GAIN || named->role == SOTTO_ROLE_NORM_BIAS)
        sotto_norm_module(module, family, named->block, named->norm);
    else
        sotto_target_module(module, family, named->block, named->target);
    snprintf(out, SOTTO_TENSOR_TEXT_MAX + 1, "base_model.model.%s.%s", module, suffix);
}
