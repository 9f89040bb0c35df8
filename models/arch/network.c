#include "models/arch/network.h"

#include <assert.h>

#include "models/arch/embedding.h"
#include "models/arch/rope.h"
#include "models/arch/tensors.h"

static bool is_classifier(const struct sotto_network *network)
{
    return network->arch->task != SOTTO_TASK_CAUSAL_LM;
}

static const struct sotto_device_float *outer_at(const struct sotto_network *network,
                                                 enum sotto_outer outer)
{
    if (!sotto_base_has_outer(network->arch, outer))
        return NULL;
    return network->weights + sotto_base_outer_place(network->arch, outer);
}

static const struct sotto_packed *packed_of(const struct sotto_network *network, uint32_t block)
{
    return network->packed == NULL
               ? NULL
               : network->packed->blocks + (size_t)block * SOTTO_BLOCK_LINEAR_COUNT;
}

void sotto_network_bind(struct sotto_network *network)
{
    struct sotto_block_spec spec = sotto_arch_block_spec(network->arch);
    const struct sotto_device_float *weights =
        network->weights + sotto_base_blocks_place(network->arch);

    for (uint32_t i = 0; i < network->arch->block_count; i++)
        network->blocks[i] =
            (struct sotto_block){.kernels = network->kernels,
                                 .spec = spec,
                                 .rotary = network->rotary,
                                 .weights = weights + i * sotto_block_weight_count(&spec),
                                 .packed = packed_of(network, i)};
}

/* Made here, read on the device. */
enum sotto_status sotto_network_rotary_take(struct sotto_rotary *rotary,
                                            const struct sotto_arch *arch,
                                            const struct sotto_kernels *kernels, uint32_t positions,
                                            struct sotto_workspace *workspace)
{
    size_t count = arch->rope.theta > 0.0 ? (size_t)positions * (arch->head_width / 2) : 0;
    float *made = sotto_arena_take(&workspace->host, 2 * count, sizeof *made);
    struct sotto_device_float *table;

    if (!sotto_device_floats_take(&table, &workspace->device, 2 * count) ||
        (made == NULL && !workspace->host.counting))
        return SOTTO_NO_MEMORY;
    if (workspace->host.counting || count == 0)
        return SOTTO_OK;
    sotto_rope_fill(made, made + count, arch, positions);
    kernels->upload(table, made, 2 * count);
    *rotary = (struct sotto_rotary){table, table + count};
    return SOTTO_OK;
}

struct sotto_linear sotto_network_lm_head(const struct sotto_network *network)
{
    enum sotto_outer outer =
        network->arch->has_tied_embeddings ? SOTTO_OUTER_WORDS : SOTTO_OUTER_LM_HEAD;

    return (struct sotto_linear){.in = network->arch->width,
                                 .out = network->arch->vocabulary,
                                 .weight = outer_at(network, outer),
                                 .packed = network->packed == NULL ? (struct sotto_packed){0}
                                                                   : network->packed->lm_head};
}

/* Nothing but its first row is read of what a classifier's last block makes of a sample. */
static struct sotto_block_shape shape_of(const struct sotto_network *network,
                                         const struct sotto_network_pass *pass, uint32_t block)
{
    return (struct sotto_block_shape){.batch = pass->samples.count,
                                      .starts = pass->starts,
                                      .length_max = pass->room.length_max,
                                      .is_first_only = is_classifier(network) &&
                                                       block + 1 == network->arch->block_count,
                                      .sample_first = pass->samples.sample_first};
}

/*
 * The streams below the lowest trained block are forgotten as soon as the block above has read
 * them, so that two slots do; those above are kept for the backward.
 */
static size_t slot_of(uint32_t lowest, uint32_t stream)
{
    if (stream <= lowest)
        return lowest == 0 ? 0 : stream % 2;
    return (lowest == 0 ? 1 : 2) + (stream - lowest - 1);
}

static struct sotto_device_float *stream_at(const struct sotto_network *network,
                                            const struct sotto_network_pass *pass, uint32_t stream)
{
    return pass->streams +
           slot_of(network->adapted_first, stream) * pass->room.row_max * network->arch->width;
}

/* The blocks that never change share one pass. */
static struct sotto_block_pass *pass_of(const struct sotto_network *network,
                                        const struct sotto_network_pass *pass, uint32_t block)
{
    return &pass->blocks[block < network->adapted_first ? 0 : block];
}

/* For as many samples and rows as there is room for, wherever the samples begin. */
static enum sotto_status take_blocks(struct sotto_network_pass *pass,
                                     const struct sotto_network *network,
                                     struct sotto_workspace *workspace)
{
    uint32_t starts[SOTTO_SAMPLES_MAX + 1] = {0};
    struct sotto_block_shape largest = {
        .batch = pass->room.sample_max, .starts = starts, .length_max = pass->room.length_max};
    uint32_t last = network->arch->block_count - 1;
    enum sotto_status status = SOTTO_OK;

    starts[pass->room.sample_max] = pass->room.row_max;
    pass->blocks =
        sotto_arena_take(&workspace->host, network->arch->block_count, sizeof *pass->blocks);
    if (pass->blocks == NULL && !workspace->host.counting)
        return SOTTO_NO_MEMORY;
    for (uint32_t i = 0; i <= last && status == SOTTO_OK; i++) {
        struct sotto_block_pass counted;
        struct sotto_block_shape shape = largest;

        shape.is_first_only = is_classifier(network) && i == last && network->adapted_first <= last;
        if (i == 0 || i >= network->adapted_first)
            status = sotto_block_pass_take(workspace->host.counting ? &counted : &pass->blocks[i],
                                           &network->blocks[i], shape, &workspace->device);
    }
    /* All blocks have adapters of the same ranks, but for those that have none. */
    if (status == SOTTO_OK)
        status = sotto_block_scratch_take(&pass->scratch, &network->blocks[last], largest,
                                          &workspace->device);
    return status;
}

enum sotto_status sotto_network_pass_take(struct sotto_network_pass *pass,
                                          const struct sotto_network *network,
                                          struct sotto_network_room room,
                                          struct sotto_workspace *workspace)
{
    struct sotto_device_arena *device = &workspace->device;
    size_t stream = (size_t)room.row_max * network->arch->width;
    size_t patches = 0;
    bool is_full;

    assert(room.sample_max >= 1 && room.sample_max <= SOTTO_SAMPLES_MAX);
    *pass = (struct sotto_network_pass){.room = room};
    if (network->arch->task == SOTTO_TASK_PICTURE_CLASS) {
        struct sotto_patch_shape shape = sotto_arch_patch_shape(network->arch);

        patches = (size_t)sotto_patch_count(&shape) * sotto_patch_values(&shape);
    }
    pass->starts = sotto_arena_take(&workspace->host, room.sample_max + 1, sizeof *pass->starts);
    is_full = pass->starts == NULL && !workspace->host.counting;
    if (is_full || !sotto_device_floats_take(&pass->patches, device, patches) ||
        !sotto_device_floats_take(
            &pass->streams, device,
            stream * (slot_of(network->adapted_first, network->arch->block_count) + 2)) ||
        !sotto_device_floats_take(&pass->gradient, device, stream) ||
        !sotto_device_floats_take(&pass->picked, device, is_classifier(network) ? 0 : 2 * stream) ||
        !sotto_device_floats_take(&pass->rows.mean, device, room.row_max) ||
        !sotto_device_floats_take(&pass->rows.inverse_std, device, room.row_max))
        return SOTTO_NO_MEMORY;
    return take_blocks(pass, network, workspace);
}

static void place_samples(const struct sotto_network *network, struct sotto_network_pass *pass,
                          const struct sotto_samples *samples)
{
    assert(samples->count >= 1 && samples->count <= pass->room.sample_max);
    pass->samples = *samples;
    pass->starts[0] = 0;
    for (uint32_t i = 0; i < samples->count; i++) {
        uint32_t length =
            samples->texts == NULL ? sotto_arch_token_count(network->arch) : samples->lengths[i];

        assert(length >= 1 && length <= pass->room.length_max);
        pass->starts[i + 1] = pass->starts[i] + length;
    }
    assert(pass->starts[samples->count] <= pass->room.row_max);
}

static void embed(const struct sotto_network *network, struct sotto_network_pass *pass)
{
    const struct sotto_samples *samples = &pass->samples;
    size_t width = network->arch->width;
    struct sotto_device_float *rows = stream_at(network, pass, 0);

    for (uint32_t i = 0; i < samples->count; i++) {
        struct sotto_device_float *at = rows + pass->starts[i] * width;

        if (samples->texts != NULL)
            sotto_embed_text(network, at, pass->gradient, pass->rows, samples->texts[i],
                             samples->lengths[i]);
        else
            sotto_embed_picture(network, at, pass->patches, samples->pictures[i]);
    }
}

static void run_blocks(const struct sotto_network *network, struct sotto_network_pass *pass,
                       uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++)
        sotto_block_forward(&network->blocks[i], pass_of(network, pass, i), &pass->scratch,
                            stream_at(network, pass, i + 1), stream_at(network, pass, i),
                            shape_of(network, pass, i));
}

const struct sotto_device_float *sotto_network_prefix(const struct sotto_network *network,
                                                      struct sotto_network_pass *pass,
                                                      const struct sotto_samples *samples)
{
    place_samples(network, pass, samples);
    embed(network, pass);
    run_blocks(network, pass, 0, network->adapted_first);
    return stream_at(network, pass, network->adapted_first);
}

uint32_t sotto_network_prefix_rows(const struct sotto_network *network, uint32_t length)
{
    bool is_whole = network->adapted_first == network->arch->block_count;

    return is_whole && is_classifier(network) ? 1 : length;
}

/* What the prefix left of each sample goes back to where it left it. */
static void recall(const struct sotto_network *network, struct sotto_network_pass *pass)
{
    struct sotto_device_float *at = stream_at(network, pass, network->adapted_first);

    for (uint32_t i = 0; i < pass->samples.count; i++) {
        uint32_t rows = sotto_network_prefix_rows(network, pass->starts[i + 1] - pass->starts[i]);
        size_t count = (size_t)rows * network->arch->width;

        network->kernels->copy(at, pass->samples.prefixes[i], count);
        at += count;
    }
}

struct sotto_norm sotto_network_final_norm(const struct sotto_network *network)
{
    return (struct sotto_norm){
        .kind = is_classifier(network) ? SOTTO_NORM_LAYER : SOTTO_NORM_RMS,
        .epsilon = (float)network->arch->norm_epsilon,
        .gain = outer_at(network, SOTTO_OUTER_NORM_GAIN),
        .bias = outer_at(network, SOTTO_OUTER_NORM_BIAS),
    };
}

static struct sotto_linear pooler(const struct sotto_network *network)
{
    return (struct sotto_linear){.in = network->arch->width,
                                 .out = network->arch->width,
                                 .weight = outer_at(network, SOTTO_OUTER_POOLER_WEIGHT),
                                 .bias = outer_at(network, SOTTO_OUTER_POOLER_BIAS)};
}

static uint32_t feature_rows(const struct sotto_network *network,
                             const struct sotto_network_pass *pass)
{
    return is_classifier(network) ? pass->samples.count : pass->samples.pick_count;
}

/* What the final norm or the pooler takes. */
static struct sotto_device_float *summit(const struct sotto_network *network,
                                         const struct sotto_network_pass *pass)
{
    return is_classifier(network) ? stream_at(network, pass, network->arch->block_count)
                                  : pass->picked;
}

void sotto_network_forward(const struct sotto_network *network, struct sotto_network_pass *pass,
                           struct sotto_device_float *features, const struct sotto_samples *samples)
{
    const struct sotto_kernels *kernels = network->kernels;
    size_t width = network->arch->width;
    uint32_t last = network->arch->block_count;
    struct sotto_matrix_view none = {NULL, 0, 0, 0};
    struct sotto_norm norm = sotto_network_final_norm(network);
    struct sotto_linear linear = pooler(network);
    struct sotto_matrix out;
    struct sotto_matrix_view top;

    if (samples->prefixes == NULL) {
        sotto_network_prefix(network, pass, samples);
    } else {
        place_samples(network, pass, samples);
        recall(network, pass);
    }
    run_blocks(network, pass, network->adapted_first, last);
    pass->features = features;
    out = sotto_matrix_of(features, feature_rows(network, pass), width);
    if (!is_classifier(network))
        kernels->gather_rows(sotto_matrix_of(pass->picked, out.rows, width),
                             sotto_matrix_view_of(stream_at(network, pass, last),
                                                  pass->starts[samples->count], width),
                             samples->picks);
    top = sotto_matrix_view_of(summit(network, pass), out.rows, width);
    if (norm.gain != NULL) {
        sotto_norm_forward(kernels, &norm, out, pass->rows, top);
    } else {
        sotto_linear_forward(kernels, &linear, out, top, none);
        kernels->tanh_forward(features, out.rows * width);
    }
}

/* dL/d features to that of the last stream's onward rows, in pass->gradient. */
static void summit_backward(const struct sotto_network *network, struct sotto_network_pass *pass,
                            struct sotto_device_float *features_gradient)
{
    const struct sotto_kernels *kernels = network->kernels;
    size_t width = network->arch->width;
    size_t count = feature_rows(network, pass);
    struct sotto_norm norm = sotto_network_final_norm(network);
    struct sotto_linear linear = pooler(network);
    struct sotto_matrix_view top = sotto_matrix_view_of(summit(network, pass), count, width);
    struct sotto_matrix_view dy = sotto_matrix_view_of(features_gradient, count, width);
    struct sotto_device_float *below =
        is_classifier(network) ? pass->gradient : pass->picked + pass->room.row_max * width;
    struct sotto_matrix dx = sotto_matrix_of(below, count, width);

    if (norm.gain != NULL) {
        kernels->clear(below, count * width);
        sotto_norm_backward(kernels, &norm, dx, dy, top, pass->rows);
    } else {
        kernels->tanh_backward(features_gradient, pass->features, count * width);
        sotto_linear_backward(kernels, &linear, dx, dy, top);
    }
    if (is_classifier(network))
        return;
    dx = sotto_matrix_of(pass->gradient, pass->starts[pass->samples.count], width);
    kernels->clear(dx.at, dx.rows * width);
    kernels->scatter_rows(dx, sotto_matrix_view_of(below, count, width), pass->samples.picks);
}

void sotto_network_backward(const struct sotto_network *network, struct sotto_network_pass *pass,
                            struct sotto_device_float *features_gradient)
{
    uint32_t last = network->arch->block_count;

    if (network->adapted_first == last)
        return;
    summit_backward(network, pass, features_gradient);
    for (uint32_t i = last; i-- > network->adapted_first;)
        sotto_block_backward(
            &network->blocks[i], pass_of(network, pass, i), &pass->scratch, pass->gradient,
            i > network->adapted_first ? SOTTO_BLOCK_BELOW_TRAINED : SOTTO_BLOCK_BELOW_FROZEN);
}
