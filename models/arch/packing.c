#include "models/arch/packing.h"

#include "models/arch/tensors.h"

static bool has_lm_head(const struct sotto_base_packed *packed, const struct sotto_arch *arch)
{
    return packed->as_halves && arch->task == SOTTO_TASK_CAUSAL_LM &&
           arch->vocabulary % SOTTO_PANEL_WIDTH == 0;
}

/* Norms and biases between the matrices stay. */
static void drop_matrices(struct sotto_base *base, const struct sotto_block_spec *spec,
                          size_t first)
{
    for (size_t i = 0; i < SOTTO_BLOCK_TENSOR_COUNT; i++) {
        struct sotto_block_tensor_place place =
            sotto_block_tensor_place(spec, (enum sotto_block_tensor)i);

        if (place.columns > 1)
            sotto_arena_drop(&base->memory, base->weights + first + place.first,
                             (size_t)place.rows * place.columns * sizeof *base->weights);
    }
}

/* Run once over a counting workspace for the size. */
static bool take_memory(struct sotto_base_packed *packed, struct sotto_workspace *workspace,
                        size_t total, size_t entries)
{
    packed->blocks = sotto_arena_take(&workspace->host, entries, sizeof *packed->blocks);
    if (!(packed->as_halves
              ? sotto_device_bf16s_take(&packed->packing.halves, &workspace->device, total)
              : sotto_device_floats_take(&packed->packing.floats, &workspace->device, total)))
        return false;
    return packed->blocks != NULL || workspace->host.counting;
}

static enum sotto_status open_memory(struct sotto_base_packed *packed,
                                     const struct sotto_arch *arch, size_t block_count,
                                     struct sotto_fault *fault)
{
    size_t head = has_lm_head(packed, arch) ? (size_t)arch->vocabulary * arch->width : 0;
    size_t total = arch->block_count * block_count + head;
    size_t entries = (size_t)arch->block_count * SOTTO_BLOCK_LINEAR_COUNT;
    struct sotto_workspace counted;

    packed->packing.kernels = packed->kernels;
    sotto_workspace_init_counting(&counted);
    take_memory(packed, &counted, total, entries);
    if (sotto_workspace_open(&packed->memory, packed->kernels, &counted) != SOTTO_OK ||
        !take_memory(packed, &packed->memory, total, entries))
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory for %zu packed weights", total);
    return SOTTO_OK;
}

/* What lies at `first` in the base, in the memory of the table's device; disown follows. */
static enum sotto_status adopt(const struct sotto_device_float **weights,
                               const struct sotto_base_packed *packed,
                               const struct sotto_base *base, size_t first, size_t count,
                               struct sotto_fault *fault)
{
    *weights = packed->kernels->adopt(base->weights + first, count);
    if (*weights == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory for %zu weights on the device %s",
                               count, packed->kernels->name);
    return SOTTO_OK;
}

static enum sotto_status pack_block(void *context, struct sotto_base *base, uint32_t block,
                                    struct sotto_fault *fault)
{
    struct sotto_base_packed *packed = context;
    struct sotto_block_spec spec = sotto_arch_block_spec(&base->arch);
    size_t count = sotto_block_packed_count(&spec);
    size_t weight_count = sotto_block_weight_count(&spec);
    size_t first = sotto_base_blocks_place(&base->arch) + block * weight_count;
    const struct sotto_device_float *weights;
    enum sotto_status status = SOTTO_OK;

    if (count == 0 && packed->as_halves)
        return sotto_fault_set(
            fault, SOTTO_UNSUPPORTED,
            "the model has a layer whose width is no multiple of %d: its weights "
            "cannot be bfloat16, take float32",
            SOTTO_PANEL_WIDTH);
    if (count == 0)
        return SOTTO_OK;
    if (packed->blocks == NULL)
        status = open_memory(packed, &base->arch, count, fault);
    if (status == SOTTO_OK)
        status = adopt(&weights, packed, base, first, weight_count, fault);
    if (status != SOTTO_OK)
        return status;
    sotto_block_pack(packed->blocks + (size_t)block * SOTTO_BLOCK_LINEAR_COUNT, &packed->packing,
                     &spec, weights);
    packed->kernels->disown(weights, weight_count);
    drop_matrices(base, &spec, first);
    return SOTTO_OK;
}

/* A classifier's word embedding is looked up, a language model's tied one is both. */
static enum sotto_status pack_lm_head(struct sotto_base_packed *packed,
                                      const struct sotto_base *base, struct sotto_fault *fault)
{
    const struct sotto_arch *arch = &base->arch;
    size_t count = (size_t)arch->vocabulary * arch->width;
    const struct sotto_device_float *weights;
    enum sotto_status status;

    if (!has_lm_head(packed, arch))
        return SOTTO_OK;
    status = adopt(&weights, packed, base,
                   sotto_base_outer_place(arch, arch->has_tied_embeddings ? SOTTO_OUTER_WORDS
                                                                          : SOTTO_OUTER_LM_HEAD),
                   count, fault);
    if (status != SOTTO_OK)
        return status;
    packed->lm_head = sotto_packing_add(
        &packed->packing, sotto_matrix_view_of(weights, arch->vocabulary, arch->width));
    packed->kernels->disown(weights, count);
    return SOTTO_OK;
}

enum sotto_status sotto_base_open_packed(struct sotto_base *base, struct sotto_base_packed *packed,
                                         const char *folder, const struct sotto_kernels *kernels,
                                         bool as_halves, struct sotto_fault *fault)
{
    const struct sotto_base_taker taker = {packed, pack_block};
    enum sotto_status status;

    *packed = (struct sotto_base_packed){.kernels = kernels, .as_halves = as_halves};
    if (!as_halves && !kernels->packs_floats())
        return sotto_base_open(base, folder, fault);
    status = sotto_base_open_by_blocks(base, folder, &taker, fault);
    if (status == SOTTO_OK)
        status = pack_lm_head(packed, base, fault);
    if (status != SOTTO_OK) {
        sotto_base_packed_close(packed);
        sotto_base_close(base);
    }
    return status;
}

void sotto_base_packed_close(struct sotto_base_packed *packed)
{
    sotto_workspace_close(&packed->memory);
    *packed = (struct sotto_base_packed){0};
}
