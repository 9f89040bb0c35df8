#include "models/adapter/layout.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/pack.h"
#include "models/arch/arch.h"

enum {
    WIDTH_MAX = 65536,
    BLOCKS_MAX = 4096,
    FIELD_COUNT = 7, /* of the canonical bytes */
    ALL_TARGETS = (1 << SOTTO_TARGET_COUNT) - 1,
};

/* Where a target lies in a block, and which of its sides is as wide as the MLP. */
static const struct target_row {
    const char *name;
    bool in_is_mlp;
    bool out_is_mlp;
    const char *prefix; /* of its module in a block, before the name */
} target_rows[SOTTO_TARGET_COUNT] = {
    [SOTTO_TARGET_QUERY] = {"query", false, false, "attention.attention."},
    [SOTTO_TARGET_KEY] = {"key", false, false, "attention.attention."},
    [SOTTO_TARGET_VALUE] = {"value", false, false, "attention.attention."},
    [SOTTO_TARGET_ATTENTION_OUT] = {"attention.output.dense", false, false, ""},
    [SOTTO_TARGET_MLP_IN] = {"intermediate.dense", false, true, ""},
    [SOTTO_TARGET_MLP_OUT] = {"output.dense", true, false, ""},
};

const char *sotto_target_name(enum sotto_target target)
{
    assert(target < SOTTO_TARGET_COUNT);
    return target_rows[target].name;
}

/* The bit of a name of `length` bytes, or 0. */
static uint32_t target_bit(const char *name, size_t length)
{
    for (uint32_t target = 0; target < SOTTO_TARGET_COUNT; target++) {
        const char *known = target_rows[target].name;

        if (strlen(known) == length && memcmp(known, name, length) == 0)
            return 1u << target;
    }
    return 0;
}

enum sotto_status sotto_target_set_parse(uint32_t *set, const char *text, struct sotto_fault *fault)
{
    uint32_t found = 0;
    const char *at = text;

    if (strcmp(text, "all-linear") == 0) {
        *set = ALL_TARGETS;
        return SOTTO_OK;
    }
    for (;;) {
        size_t length = strcspn(at, ",");
        uint32_t bit = target_bit(at, length);

        if (bit == 0 || (found & bit) != 0)
            return sotto_fault_set(
                fault, SOTTO_MALFORMED,
                "targets: \"%.*s\" is unknown or repeated; give all-linear, or a list out of "
                "query, "
                "key, value, attention.output.dense, intermediate.dense, output.dense",
                (int)(length < 64 ? length : 64), at);
        found |= bit;
        at += length;
        if (*at == 0)
            break;
        at++;
    }
    *set = found;
    return SOTTO_OK;
}

/* Bytes of the UTF-8 sequence that `text` begins with, or 0. RFC 3629, section 4. */
static size_t utf8_sequence(const unsigned char *text)
{
    size_t length = text[0] < 0x80 ? 1 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;

    if ((text[0] >= 0x80 && text[0] < 0xc2) || text[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    }
    if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
        (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
        return 0;
    return length;
}

static bool label_is_clean(const char label[SOTTO_LABEL_TEXT_MAX + 1])
{
    size_t length = strnlen(label, SOTTO_LABEL_TEXT_MAX + 1);
    size_t at = 0;

    if (length == 0 || length > SOTTO_LABEL_TEXT_MAX || label[0] == '.')
        return false;
    while (at < length) {
        unsigned char byte = (unsigned char)label[at];
        size_t sequence = utf8_sequence((const unsigned char *)label + at);

        if (sequence == 0 || byte < 0x20 || byte == 0x7f || byte == '/')
            return false;
        at += sequence;
    }
    return true;
}

static enum sotto_status check_labels(const struct sotto_adapter_choice *choice,
                                      struct sotto_fault *fault)
{
    if (choice->label_count < 2 || choice->label_count > SOTTO_LABELS_MAX)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "labels: %u of them, give 2 to %d",
                               choice->label_count, SOTTO_LABELS_MAX);
    for (uint32_t label = 0; label < choice->label_count; label++) {
        if (!label_is_clean(choice->labels[label]))
            return sotto_fault_set(
                fault, SOTTO_MALFORMED,
                "labels: number %u must be 1 to %d bytes of UTF-8 without control "
                "characters, '/' and a leading '.'",
                label + 1, SOTTO_LABEL_TEXT_MAX);
        for (uint32_t other = 0; other < label; other++) {
            if (strcmp(choice->labels[label], choice->labels[other]) == 0)
                return sotto_fault_set(fault, SOTTO_MALFORMED, "labels: \"%s\" is there twice",
                                       choice->labels[label]);
        }
    }
    return SOTTO_OK;
}

static enum sotto_status check_choice(const struct sotto_adapter_choice *choice,
                                      struct sotto_fault *fault)
{
    if (choice->rank > SOTTO_RANK_MAX)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "rank: %u is above %d", choice->rank,
                               SOTTO_RANK_MAX);
    if (choice->rank > 0 && !(isfinite(choice->alpha) && choice->alpha > 0))
        return sotto_fault_set(fault, SOTTO_MALFORMED, "alpha: %g is no positive number",
                               choice->alpha);
    if (choice->rank > 0 && (choice->target_set == 0 || choice->target_set > ALL_TARGETS))
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "targets: give at least one, and only known ones");
    return check_labels(choice, fault);
}

static void add_tensor(struct sotto_layout *layout, struct sotto_layout_tensor tensor)
{
    tensor.first = layout->lane_count;
    layout->tensors[layout->tensor_count++] = tensor;
    layout->lane_count += (size_t)tensor.rows * tensor.columns;
}

static void add_target(struct sotto_layout *layout, uint32_t block, enum sotto_target target)
{
    const struct target_row *row = &target_rows[target];
    uint32_t in = row->in_is_mlp ? layout->mlp_width : layout->width;
    uint32_t out = row->out_is_mlp ? layout->mlp_width : layout->width;
    uint32_t rank = layout->choice.rank;

    add_tensor(layout, (struct sotto_layout_tensor){.role = SOTTO_ROLE_LORA_A,
                                                    .block = block,
                                                    .target = target,
                                                    .rows = rank,
                                                    .columns = in});
    add_tensor(layout, (struct sotto_layout_tensor){.role = SOTTO_ROLE_LORA_B,
                                                    .block = block,
                                                    .target = target,
                                                    .rows = out,
                                                    .columns = rank});
}

static void add_tensors(struct sotto_layout *layout)
{
    uint32_t labels = layout->choice.label_count;

    for (uint32_t block = 0; block < layout->block_count && layout->choice.rank > 0; block++) {
        for (uint32_t target = 0; target < SOTTO_TARGET_COUNT; target++) {
            if ((layout->choice.target_set & 1u << target) != 0)
                add_target(layout, block, (enum sotto_target)target);
        }
    }
    add_tensor(layout, (struct sotto_layout_tensor){
                           .role = SOTTO_ROLE_HEAD, .rows = labels, .columns = layout->width});
    add_tensor(layout, (struct sotto_layout_tensor){
                           .role = SOTTO_ROLE_HEAD_BIAS, .rows = labels, .columns = 1});
}

enum sotto_status sotto_layout_derive(struct sotto_layout *layout, const struct sotto_arch *arch,
                                      const struct sotto_adapter_choice *choice,
                                      struct sotto_fault *fault)
{
    struct sotto_layout derived = {.choice = {.rank = choice->rank},
                                   .width = arch->width,
                                   .mlp_width = arch->mlp_width,
                                   .block_count = arch->block_count};
    uint32_t target_count = (uint32_t)__builtin_popcount(choice->target_set);
    enum sotto_status status = check_choice(choice, fault);

    if (status != SOTTO_OK)
        return status;
    if (arch->width == 0 || arch->width > WIDTH_MAX || arch->mlp_width == 0 ||
        arch->mlp_width > WIDTH_MAX || arch->block_count == 0 || arch->block_count > BLOCKS_MAX)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT,
                               "the base model's shape is beyond width %d or %d blocks", WIDTH_MAX,
                               BLOCKS_MAX);
    if (choice->rank > 0 &&
        arch->block_count * target_count * 2 + 2 > (uint32_t)SOTTO_LAYOUT_TENSORS_MAX)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT,
                               "targets: %u in each of %u blocks make more than %d tensors; choose "
                               "fewer",
                               target_count, arch->block_count, SOTTO_LAYOUT_TENSORS_MAX);
    if (choice->rank > 0) {
        derived.choice.alpha = choice->alpha;
        derived.choice.target_set = choice->target_set;
    }
    derived.choice.label_count = choice->label_count;
    for (uint32_t label = 0; label < choice->label_count; label++)
        snprintf(derived.choice.labels[label], sizeof derived.choice.labels[label], "%s",
                 choice->labels[label]);
    add_tensors(&derived);
    if (derived.lane_count > SOTTO_LAYOUT_LANES_MAX)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT,
                               "rank: %u makes %zu lanes, more than %d; choose a lower one",
                               choice->rank, derived.lane_count, SOTTO_LAYOUT_LANES_MAX);
    *layout = derived;
    return SOTTO_OK;
}

enum sotto_status sotto_layout_encode(struct sotto_buffer *out, const struct sotto_layout *layout)
{
    struct sotto_packer packer;

    sotto_packer_init(&packer, out);
    sotto_pack_array(&packer, FIELD_COUNT);
    sotto_pack_u64(&packer, layout->choice.rank);
    sotto_pack_f64(&packer, layout->choice.alpha);
    sotto_pack_u64(&packer, layout->choice.target_set);
    sotto_pack_array(&packer, layout->choice.label_count);
    for (uint32_t label = 0; label < layout->choice.label_count; label++)
        sotto_pack_text(&packer, layout->choice.labels[label]);
    sotto_pack_u64(&packer, layout->width);
    sotto_pack_u64(&packer, layout->mlp_width);
    sotto_pack_u64(&packer, layout->block_count);
    return sotto_packer_finish(&packer);
}

static enum sotto_status unpack_layout(struct sotto_adapter_choice *choice, struct sotto_arch *arch,
                                       struct sotto_view bytes)
{
    struct sotto_unpacker unpacker;

    sotto_unpacker_open(&unpacker, bytes);
    sotto_unpack_array(&unpacker, FIELD_COUNT);
    choice->rank = (uint32_t)sotto_unpack_u64(&unpacker, SOTTO_RANK_MAX);
    choice->alpha = sotto_unpack_f64(&unpacker);
    choice->target_set = (uint32_t)sotto_unpack_u64(&unpacker, ALL_TARGETS);
    choice->label_count = (uint32_t)sotto_unpack_list(&unpacker, SOTTO_LABELS_MAX);
    for (uint32_t label = 0; label < choice->label_count; label++)
        sotto_unpack_text(&unpacker, choice->labels[label], sizeof choice->labels[label]);
    arch->width = (uint32_t)sotto_unpack_u64(&unpacker, WIDTH_MAX);
    arch->mlp_width = (uint32_t)sotto_unpack_u64(&unpacker, WIDTH_MAX);
    arch->block_count = (uint32_t)sotto_unpack_u64(&unpacker, BLOCKS_MAX);
    return sotto_unpacker_close(&unpacker);
}

enum sotto_status sotto_layout_decode(struct sotto_layout *layout, struct sotto_view bytes)
{
    struct sotto_adapter_choice choice = {0};
    struct sotto_arch arch = {0};
    struct sotto_layout decoded;
    uint8_t again[SOTTO_LAYOUT_BYTES_MAX];
    struct sotto_buffer canonical = sotto_buffer_of(again, sizeof again);

    if (unpack_layout(&choice, &arch, bytes) != SOTTO_OK ||
        sotto_layout_derive(&decoded, &arch, &choice, NULL) != SOTTO_OK ||
        sotto_layout_encode(&canonical, &decoded) != SOTTO_OK ||
        !sotto_view_equal(sotto_view_buffer(&canonical), bytes))
        return SOTTO_MALFORMED;
    *layout = decoded;
    return SOTTO_OK;
}

void sotto_layout_start(float *lanes, const struct sotto_layout *layout,
                        struct sotto_entropy *entropy)
{
    memset(lanes, 0, layout->lane_count * sizeof *lanes);
    for (size_t i = 0; i < layout->tensor_count; i++) {
        const struct sotto_layout_tensor *tensor = &layout->tensors[i];
        double bound = 1.0 / sqrt(tensor->columns);

        if (tensor->role != SOTTO_ROLE_LORA_A)
            continue;
        for (size_t lane = 0; lane < (size_t)tensor->rows * tensor->columns; lane++)
            lanes[tensor->first + lane] =
                (float)((2.0 * sotto_entropy_unit(entropy) - 1.0) * bound);
    }
}

void sotto_layout_tensor_name(char out[SOTTO_TENSOR_TEXT_MAX + 1],
                              const struct sotto_layout *layout, size_t tensor)
{
    const struct sotto_layout_tensor *named = &layout->tensors[tensor];
    const struct target_row *row = &target_rows[named->target];

    assert(tensor < layout->tensor_count);
    switch (named->role) {
    case SOTTO_ROLE_LORA_A:
    case SOTTO_ROLE_LORA_B:
        snprintf(out, SOTTO_TENSOR_TEXT_MAX + 1,
                 "base_model.model.vit.encoder.layer.%u.%s%s.lora_%c.weight", named->block,
                 row->prefix, row->name, named->role == SOTTO_ROLE_LORA_A ? 'A' : 'B');
        return;
    case SOTTO_ROLE_HEAD:
        snprintf(out, SOTTO_TENSOR_TEXT_MAX + 1, "base_model.model.classifier.weight");
        return;
    case SOTTO_ROLE_HEAD_BIAS:
        snprintf(out, SOTTO_TENSOR_TEXT_MAX + 1, "base_model.model.classifier.bias");
        return;
    }
}
