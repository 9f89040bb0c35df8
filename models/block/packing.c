#include "models/block/packing.h"

#include <assert.h>

/* Layers of one input; the second and third may be absent. */
enum { SIDE_MAX = 3, GROUPS = 4 };
static const struct {
    enum sotto_block_linear at[SIDE_MAX];
    size_t count;
} groups[GROUPS] = {
    {{SOTTO_BLOCK_QUERY, SOTTO_BLOCK_KEY, SOTTO_BLOCK_VALUE}, 3},
    {{SOTTO_BLOCK_ATTENTION_OUT}, 1},
    {{SOTTO_BLOCK_MLP_GATE, SOTTO_BLOCK_MLP_IN}, 2},
    {{SOTTO_BLOCK_MLP_OUT}, 1},
};

static struct sotto_block_tensor_place place_of(const struct sotto_block_spec *spec,
                                                enum sotto_block_linear layer)
{
    return sotto_block_tensor_place(spec, sotto_block_linear_weight(layer));
}

size_t sotto_block_packed_count(const struct sotto_block_spec *spec)
{
    size_t count = 0;

    for (size_t layer = 0; layer < SOTTO_BLOCK_LINEAR_COUNT; layer++) {
        struct sotto_block_tensor_place place = place_of(spec, (enum sotto_block_linear)layer);

        if (place.rows == 0)
            continue;
        if (place.rows % SOTTO_PANEL_WIDTH != 0 || place.columns % SOTTO_PANEL_WIDTH != 0)
            return 0;
        count += sotto_packed_count(place.rows, place.columns);
    }
    return count;
}

/* The layers of one group; returns the memory after them. */
static struct sotto_device_bf16 *pack_group(struct sotto_packed *packed,
                                            struct sotto_device_bf16 *memory, size_t group,
                                            const struct sotto_kernels *kernels,
                                            const struct sotto_block_spec *spec,
                                            const struct sotto_device_float *weights)
{
    struct sotto_block_tensor_place last =
        place_of(spec, groups[group].at[groups[group].count - 1]);
    struct sotto_matrix_view all = {NULL, 0, last.columns, last.columns};
    struct sotto_packed whole;
    uint32_t first = 0;

    for (size_t i = 0; i < groups[group].count; i++) {
        struct sotto_block_tensor_place place = place_of(spec, groups[group].at[i]);

        if (all.at == NULL && place.rows > 0)
            all.at = weights + place.first;
        assert(place.rows == 0 || all.at + all.rows * all.columns == weights + place.first);
        all.rows += place.rows;
    }
    whole = kernels->pack(memory, all);
    for (size_t i = 0; i < groups[group].count; i++) {
        uint32_t rows = place_of(spec, groups[group].at[i]).rows;

        packed[groups[group].at[i]] = sotto_packed_rows(whole, first, rows);
        first += rows;
    }
    return memory + sotto_packed_count(all.rows, all.columns);
}

void sotto_block_pack(struct sotto_packed *packed, struct sotto_device_bf16 *memory,
                      const struct sotto_kernels *kernels, const struct sotto_block_spec *spec,
                      const struct sotto_device_float *weights)
{
    for (size_t group = 0; group < GROUPS; group++)
        memory = pack_group(packed, memory, group, kernels, spec, weights);
}
