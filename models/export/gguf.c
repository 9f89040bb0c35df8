#include "models/export/gguf.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "models/export/shape.h"
#include "models/weights/staging.h"

enum {
    VERSION = 3,
    ALIGNMENT = 32, /* of the tensors' bytes, where general.alignment is absent */
    TYPE_F32 = 0,   /* of a tensor */
    VALUE_FLOAT32 = 6,
    VALUE_STRING = 8,
    HEADER_BYTES_MAX = 1024,
    ENTRY_BYTES_MAX = 128, /* of a tensor's name, sides and place */
};

/* A model as llama.cpp calls it. */
struct dialect {
    const char *model_type; /* of config.json */
    const char *architecture;
    bool is_permuted; /* query and key rows */
};

static const struct dialect dialects[] = {
    {"llama", "llama", true}, {"mistral", "llama", true}, {"qwen2", "qwen2", false}};

static const char *const modules[SOTTO_TARGET_COUNT] = {
    [SOTTO_TARGET_QUERY] = "attn_q",      [SOTTO_TARGET_KEY] = "attn_k",
    [SOTTO_TARGET_VALUE] = "attn_v",      [SOTTO_TARGET_ATTENTION_OUT] = "attn_output",
    [SOTTO_TARGET_MLP_IN] = "ffn_up",     [SOTTO_TARGET_MLP_OUT] = "ffn_down",
    [SOTTO_TARGET_MLP_GATE] = "ffn_gate",
};

/* A file being assembled in memory; the first failure stays. */
struct assembly {
    struct sotto_buffer buffer;
    enum sotto_status status;
};

static void put(struct assembly *assembly, const void *bytes, size_t length)
{
    if (assembly->status == SOTTO_OK)
        assembly->status = sotto_buffer_add(&assembly->buffer, sotto_view_of(bytes, length));
}

static void put_u32(struct assembly *assembly, uint32_t value)
{
    uint8_t bytes[4];

    sotto_store_u32(bytes, value);
    put(assembly, bytes, sizeof bytes);
}

static void put_u64(struct assembly *assembly, uint64_t value)
{
    uint8_t bytes[8];

    sotto_store_u64(bytes, value);
    put(assembly, bytes, sizeof bytes);
}

static void put_float(struct assembly *assembly, float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    put_u32(assembly, bits);
}

static void put_text(struct assembly *assembly, const char *text)
{
    put_u64(assembly, strlen(text));
    put(assembly, text, strlen(text));
}

static void put_pair(struct assembly *assembly, const char *key, const char *value)
{
    put_text(assembly, key);
    put_u32(assembly, VALUE_STRING);
    put_text(assembly, value);
}

static void put_padding(struct assembly *assembly)
{
    static const uint8_t zeros[ALIGNMENT] = {0};

    put(assembly, zeros, (ALIGNMENT - assembly->buffer.length % ALIGNMENT) % ALIGNMENT);
}

static void put_head(struct assembly *assembly, const struct sotto_layout *layout,
                     const struct dialect *dialect)
{
    put(assembly, "GGUF", 4);
    put_u32(assembly, VERSION);
    put_u64(assembly, layout->tensor_count);
    put_u64(assembly, 4);
    put_pair(assembly, "general.architecture", dialect->architecture);
    put_pair(assembly, "general.type", "adapter");
    put_pair(assembly, "adapter.type", "lora");
    put_text(assembly, "adapter.lora.alpha");
    put_u32(assembly, VALUE_FLOAT32);
    put_float(assembly, (float)layout->choice.alpha);
}

/* Sides from the fastest one on. Returns where the next tensor begins. */
static uint64_t put_entry(struct assembly *assembly, const struct sotto_layout_tensor *tensor,
                          uint64_t offset)
{
    uint64_t bytes = (uint64_t)tensor->rows * tensor->columns * sizeof(float);
    char name[SOTTO_MODULE_TEXT_MAX + 1];

    snprintf(name, sizeof name, "blk.%u.%s.weight.lora_%c", tensor->block, modules[tensor->target],
             tensor->role == SOTTO_ROLE_LORA_A ? 'a' : 'b');
    put_text(assembly, name);
    put_u32(assembly, 2);
    put_u64(assembly, tensor->columns);
    put_u64(assembly, tensor->rows);
    put_u32(assembly, TYPE_F32);
    put_u64(assembly, offset);
    return (offset + bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* The row of ours that lies at `row` of theirs. */
static size_t source_row(size_t row, const struct sotto_layout_tensor *tensor,
                         const struct dialect *dialect, uint32_t head_width)
{
    size_t inner = row % head_width;
    bool is_turned = tensor->target == SOTTO_TARGET_QUERY || tensor->target == SOTTO_TARGET_KEY;

    if (!dialect->is_permuted || !is_turned || tensor->role != SOTTO_ROLE_LORA_B)
        return row;
    return row - inner + inner % 2 * (head_width / 2) + inner / 2;
}

static void put_values(struct assembly *assembly, const float *lanes,
                       const struct sotto_layout_tensor *tensor, double factor, const size_t *rows)
{
    for (size_t row = 0; row < tensor->rows; row++) {
        const float *values = lanes + tensor->first + rows[row] * tensor->columns;

        for (size_t column = 0; column < tensor->columns; column++)
            put_float(assembly, (float)(values[column] * factor));
    }
    put_padding(assembly);
}

/* A reader scales by alpha / rank; what our scale has beside that goes into B. */
static double factor_of(const struct sotto_layout *layout, const struct sotto_layout_tensor *tensor)
{
    if (tensor->role == SOTTO_ROLE_LORA_A)
        return 1.0;
    return sotto_layout_scale(layout, tensor->target) * tensor->columns / layout->choice.alpha;
}

static enum sotto_status put_tensors(struct assembly *assembly, const struct sotto_layout *layout,
                                     const float *lanes, const struct dialect *dialect,
                                     uint32_t head_width)
{
    uint64_t offset = 0;

    for (size_t i = 0; i < layout->tensor_count; i++)
        offset = put_entry(assembly, &layout->tensors[i], offset);
    put_padding(assembly);
    for (size_t i = 0; i < layout->tensor_count; i++) {
        const struct sotto_layout_tensor *tensor = &layout->tensors[i];
        size_t *rows = malloc(tensor->rows * sizeof *rows);

        if (rows == NULL)
            return SOTTO_NO_MEMORY;
        for (size_t row = 0; row < tensor->rows; row++)
            rows[row] = source_row(row, tensor, dialect, head_width);
        put_values(assembly, lanes, tensor, factor_of(layout, tensor), rows);
        free(rows);
    }
    return assembly->status;
}

static enum sotto_status write_file(const char *path, const struct sotto_layout *layout,
                                    const float *lanes, const struct dialect *dialect,
                                    const struct sotto_arch *arch, struct sotto_fault *fault)
{
    size_t capacity = HEADER_BYTES_MAX + layout->lane_count * sizeof *lanes +
                      layout->tensor_count * (ENTRY_BYTES_MAX + ALIGNMENT);
    uint8_t *bytes = malloc(capacity);
    struct assembly assembly = {.buffer = sotto_buffer_of(bytes, capacity)};
    enum sotto_status status = SOTTO_NO_MEMORY;

    if (bytes != NULL) {
        put_head(&assembly, layout, dialect);
        status = put_tensors(&assembly, layout, lanes, dialect, arch->head_width);
    }
    if (status != SOTTO_OK)
        sotto_fault_set(fault, status, "no memory to write %.300s", path);
    else
        status = sotto_folder_make_above(path, fault);
    if (status == SOTTO_OK)
        status = sotto_file_replace(path, sotto_view_buffer(&assembly.buffer), 0644, fault);
    free(bytes);
    return status;
}

static enum sotto_status find_dialect(const struct dialect **dialect,
                                      const struct sotto_base_shape *shape, const char *base,
                                      struct sotto_fault *fault)
{
    for (size_t i = 0; i < sizeof dialects / sizeof dialects[0]; i++) {
        *dialect = &dialects[i];
        if (strcmp(dialects[i].model_type, shape->model_type) == 0)
            return SOTTO_OK;
    }
    return sotto_fault_set(fault, SOTTO_UNSUPPORTED,
                           "%.300s: model_type %s is none of llama, mistral and qwen2, for which "
                           "there are GGUF adapters",
                           base, shape->model_type);
}

static enum sotto_status check_adapter(const struct sotto_layout *layout, const float *lanes,
                                       struct sotto_fault *fault)
{
    if (layout->base.task != SOTTO_TASK_CAUSAL_LM || layout->choice.kind != SOTTO_ADAPTER_LORA)
        return sotto_fault_set(fault, SOTTO_UNSUPPORTED,
                               "a GGUF file holds low-rank adapters of language models alone: "
                               "write a merged model or a PEFT directory");
    for (size_t lane = 0; lane < layout->lane_count; lane++) {
        if (!isfinite(lanes[lane]))
            return sotto_fault_set(fault, SOTTO_MALFORMED,
                                   "the adapter holds NaN or an infinity: use an earlier one");
    }
    return SOTTO_OK;
}

enum sotto_status sotto_gguf_write(const char *path, const char *base,
                                   const struct sotto_layout *layout, const float *lanes,
                                   struct sotto_fault *fault)
{
    const struct dialect *dialect = NULL;
    struct sotto_base_shape shape;
    enum sotto_status status = sotto_staging_check(path, NULL, fault);

    if (status == SOTTO_OK)
        status = check_adapter(layout, lanes, fault);
    if (status == SOTTO_OK)
        status = sotto_base_shape_read(&shape, base, fault);
    if (status == SOTTO_OK)
        status = find_dialect(&dialect, &shape, base, fault);
    if (status == SOTTO_OK)
        status = sotto_layout_check_arch(layout, &shape.arch, fault);
    if (status == SOTTO_OK)
        status = write_file(path, layout, lanes, dialect, &shape.arch, fault);
    return status;
}
