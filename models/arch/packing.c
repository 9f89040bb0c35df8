#include "models/arch/packing.h"

#include "models/arch/tensors.h"
#include "models/block/packing.h"

static bool has_lm_head(const struct sotto_arch *arch)
{
    return arch->task == SOTTO_TASK_CAUSAL_LM && arch->vocabulary % SOTTO_PANEL_WIDTH == 0;
}

static size_t lm_head_count(const struct sotto_arch *arch)
{
    return has_lm_head(arch) ? sotto_packed_count(arch->vocabulary, arch->width) : 0;
}

/* A classifier's word embedding is looked up, a language model's tied one is both. */
static struct sotto_packed pack_lm_head(struct sotto_device_bf16 *memory,
                                        const struct sotto_arch *arch,
                                        const struct sotto_device_float *weights,
                                        const struct sotto_kernels *kernels)
{
    enum sotto_outer outer = arch->has_tied_embeddings ? SOTTO_OUTER_WORDS : SOTTO_OUTER_LM_HEAD;

    if (!has_lm_head(arch))
        return (struct sotto_packed){0};
    return kernels->pack(memory, sotto_matrix_view_of(weights + sotto_base_outer_place(arch, outer),
                                                      arch->vocabulary, arch->width));
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
static bool take_memory(struct sotto_base_packed *packed, struct sotto_device_bf16 **memory,
                        struct sotto_workspace *workspace, size_t total, size_t entries)
{
    packed->blocks = sotto_arena_take(&workspace->host, entries, sizeof *packed->blocks);
    return sotto_device_bf16s_take(memory, &workspace->device, total) &&
           (packed->blocks != NULL || workspace->host.counting);
}

enum sotto_status sotto_base_pack(struct sotto_base_packed *packed, struct sotto_base *base,
                                  const struct sotto_device_float *weights,
                                  const struct sotto_kernels *kernels, struct sotto_fault *fault)
{
    struct sotto_block_spec spec = sotto_arch_block_spec(&base->arch);
    size_t count = sotto_block_packed_count(&spec);
    size_t total = base->arch.block_count * count + lm_head_count(&base->arch);
    size_t entries = (size_t)base->arch.block_count * SOTTO_BLOCK_LINEAR_COUNT;
    struct sotto_workspace counted;
    struct sotto_device_bf16 *memory;

    *packed = (struct sotto_base_packed){0};
    if (count == 0)
        return sotto_fault_set(
            fault, SOTTO_UNSUPPORTED,
            "the model has a layer whose width is no multiple of %d: its weights "
            "cannot be bfloat16, take float32",
            SOTTO_PANEL_WIDTH);
    sotto_workspace_init_counting(&counted);
    take_memory(packed, &memory, &counted, total, entries);
    if (sotto_workspace_open(&packed->memory, kernels, &counted) != SOTTO_OK ||
        !take_memory(packed, &memory, &packed->memory, total, entries)) {
        sotto_base_packed_close(packed);
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory for %zu packed weights", total);
    }
    for (size_t i = 0; i < base->arch.block_count; i++) {
        size_t first = sotto_base_blocks_place(&base->arch) + i * sotto_block_weight_count(&spec);

        sotto_block_pack(packed->blocks + i * SOTTO_BLOCK_LINEAR_COUNT, memory + i * count, kernels,
                         &spec, weights + first);
        drop_matrices(base, &spec, first);
    }
    packed->lm_head =
        pack_lm_head(memory + base->arch.block_count * count, &base->arch, weights, kernels);
    return SOTTO_OK;
}

void sotto_base_packed_close(struct sotto_base_packed *packed)
{
    sotto_workspace_close(&packed->memory);
    *packed = (struct sotto_base_packed){0};
}
