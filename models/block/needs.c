#include "models/block/needs.h"

#include "models/block/layers.h"

static bool trains_norm(const struct sotto_block *block, enum sotto_block_tensor gain,
                        enum sotto_block_tensor bias)
{
    return sotto_block_trains_tensor(block, gain) || sotto_block_trains_tensor(block, bias);
}

struct sotto_block_needs sotto_block_needs_of(const struct sotto_block *block,
                                              enum sotto_block_below below)
{
    bool is_before = block->spec.norm_place == SOTTO_NORM_BEFORE;
    bool attention_norm =
        trains_norm(block, SOTTO_BLOCK_ATTENTION_NORM_GAIN, SOTTO_BLOCK_ATTENTION_NORM_BIAS);
    bool mlp_norm = trains_norm(block, SOTTO_BLOCK_MLP_NORM_GAIN, SOTTO_BLOCK_MLP_NORM_BIAS);
    struct sotto_block_needs needs = {.x = below == SOTTO_BLOCK_BELOW_TRAINED};

    needs.input = needs.x || (is_before && attention_norm);
    needs.projected = needs.input || sotto_block_trains_layer(block, SOTTO_BLOCK_QUERY) ||
                      sotto_block_trains_layer(block, SOTTO_BLOCK_KEY) ||
                      sotto_block_trains_layer(block, SOTTO_BLOCK_VALUE);
    needs.attended = needs.projected || sotto_block_trains_layer(block, SOTTO_BLOCK_ATTENTION_OUT);
    needs.mlp_input = needs.attended || (is_before ? mlp_norm : attention_norm);
    needs.active = needs.mlp_input || sotto_block_trains_layer(block, SOTTO_BLOCK_MLP_GATE) ||
                   sotto_block_trains_layer(block, SOTTO_BLOCK_MLP_IN);
    needs.sum = needs.active || sotto_block_trains_layer(block, SOTTO_BLOCK_MLP_OUT);
    needs.any = needs.sum || mlp_norm;
    return needs;
}
