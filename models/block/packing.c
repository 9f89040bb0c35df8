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
        count += (size_t)place.rows * place.columns;
    }
    return count;
}

struct sotto_packed sotto_packing_add(struct sotto_packing *packing, struct sotto_matrix_view w)
{
    struct sotto_packed packed;

    if (packing->floats != NULL) {
        packed = packing->kernels->pack_floats(packing->floats, w);
        packing->floats += w.rows * w.columns;
    } else {
        packed = packing->kernels->pack(packing->halves, w);
        packing->halves += w.rows * w.columns;
    }
    return packed;
}

static void pack_group(struct sotto_packed *packed, struct sotto_packing *packing, size_t group,
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
    whole = sotto_packing_add(packing, all);
    for (size_t i = 0; i < groups[group].count; i++) {
        uint32_t rows = place_of(spec, groups[group].at[i]).rows;

        packed[groups[group].at[i]] = sotto_packed_rows(whole, first, rows);
        first += rows;
    }
}

void sotto_block_pack(struct sotto_packed *packed, struct sotto_packing *packing,
                      const struct sotto_block_spec *spec, const struct sotto_device_float *weights)
{
    for (size_t group = 0; group < GROUPS; group++)
        pack_group(packed, packing, group, spec, weights);
}
