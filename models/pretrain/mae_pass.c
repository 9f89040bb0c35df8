#include "models/pretrain/mae_pass.h"

static const struct sotto_matrix none = {NULL, 0, 0, 0};
static const struct sotto_matrix_view no_residual = {NULL, 0, 0, 0};

static struct sotto_norm norm_at(const struct sotto_mae_pass *pass, size_t gain, size_t bias)
{
    return (struct sotto_norm){.epsilon = (float)pass->mae->arch.norm_epsilon,
                               .gain = pass->weights + gain,
                               .bias = pass->weights + bias,
                               .gain_gradient = pass->gradients + gain,
                               .bias_gradient = pass->gradients + bias};
}

static enum sotto_status take_encoder(struct sotto_mae_pass *pass, uint32_t picture_max,
                                      struct sotto_workspace *workspace)
{
    const struct sotto_mae *mae = pass->mae;
    struct sotto_mae_encoder_places places = sotto_mae_encoder_places(&mae->arch);
    uint32_t tokens = mae->visible_count + 1;
    struct sotto_stack_model model = {
        .first = {.kernels = mae->kernels,
                  .spec = sotto_arch_block_spec(&mae->arch),
                  .weights = pass->weights + places.blocks,
                  .weight_gradients = pass->gradients + places.blocks},
        .block_count = mae->arch.block_count,
        .norm = norm_at(pass, places.norm_gain, places.norm_bias),
    };

    return sotto_stack_take(&pass->encoder, &model,
                            (struct sotto_block_shape){.batch = picture_max, .length_max = tokens},
                            workspace);
}

static enum sotto_status take_decoder(struct sotto_mae_pass *pass, uint32_t picture_max,
                                      struct sotto_workspace *workspace)
{
    const struct sotto_mae *mae = pass->mae;
    struct sotto_mae_places places = sotto_mae_places(mae);
    uint32_t tokens = sotto_mae_patch_count(mae) + 1;
    struct sotto_stack_model model = {
        .first = {.kernels = mae->kernels,
                  .spec = sotto_mae_decoder_spec(mae),
                  .weights = pass->weights + places.blocks,
                  .weight_gradients = pass->gradients + places.blocks},
        .block_count = mae->decoder_blocks,
        .norm = norm_at(pass, places.norm_gain, places.norm_bias),
    };

    return sotto_stack_take(&pass->decoder, &model,
                            (struct sotto_block_shape){.batch = picture_max, .length_max = tokens},
                            workspace);
}

enum sotto_status sotto_mae_pass_take(struct sotto_mae_pass *pass, const struct sotto_mae *mae,
                                      const struct sotto_device_float *weights,
                                      struct sotto_device_float *gradients, uint32_t picture_max,
                                      struct sotto_workspace *workspace)
{
    size_t visible = (size_t)picture_max * mae->visible_count;
    size_t hidden = (size_t)picture_max * sotto_mae_hidden_count(mae);
    size_t values = sotto_mae_patch_values(mae);
    struct sotto_device_arena *device = &workspace->device;
    enum sotto_status status;

    *pass = (struct sotto_mae_pass){.mae = mae, .weights = weights, .gradients = gradients};
    if (!sotto_device_losses_take(&pass->loss, device, 1) ||
        !sotto_device_floats_take(&pass->patches, device, (visible + hidden) * values) ||
        !sotto_device_floats_take(&pass->seen, device, visible * values) ||
        !sotto_device_floats_take(&pass->embedded, device, visible * mae->arch.width) ||
        !sotto_device_floats_take(&pass->handed, device,
                                  (visible + picture_max) * mae->decoder_width) ||
        !sotto_device_floats_take(&pass->hidden, device, hidden * mae->decoder_width) ||
        !sotto_device_floats_take(&pass->hidden_gradient, device, hidden * mae->decoder_width) ||
        !sotto_device_floats_take(&pass->drawn, device, hidden * values))
        return SOTTO_NO_MEMORY;
    status = take_encoder(pass, picture_max, workspace);
    return status == SOTTO_OK ? take_decoder(pass, picture_max, workspace) : status;
}

/* A linear layer of the pass, by where its weight [out, in] and bias [out] lie. */
static struct sotto_linear linear_at(const struct sotto_mae_pass *pass, size_t in, size_t out,
                                     size_t weight, size_t bias)
{
    return (struct sotto_linear){.in = (uint32_t)in,
                                 .out = (uint32_t)out,
                                 .weight = pass->weights + weight,
                                 .bias = pass->weights + bias,
                                 .weight_gradient = pass->gradients + weight,
                                 .bias_gradient = pass->gradients + bias};
}

static struct sotto_linear embedding_of(const struct sotto_mae_pass *pass)
{
    struct sotto_mae_encoder_places places = sotto_mae_encoder_places(&pass->mae->arch);

    return linear_at(pass, sotto_mae_patch_values(pass->mae), pass->mae->arch.width,
                     places.patch_weight, places.patch_bias);
}

static struct sotto_linear handover_of(const struct sotto_mae_pass *pass)
{
    struct sotto_mae_places places = sotto_mae_places(pass->mae);

    return linear_at(pass, pass->mae->arch.width, pass->mae->decoder_width, places.embed_weight,
                     places.embed_bias);
}

static struct sotto_linear drawing_of(const struct sotto_mae_pass *pass)
{
    struct sotto_mae_places places = sotto_mae_places(pass->mae);

    return linear_at(pass, pass->mae->decoder_width, sotto_mae_patch_values(pass->mae),
                     places.draw_weight, places.draw_bias);
}

/* Values of all hidden patches. */
static double value_count(const struct sotto_mae_pass *pass, const struct sotto_mae_batch *batch)
{
    return (double)batch->picture_count * sotto_mae_hidden_count(pass->mae) *
           (double)sotto_mae_patch_values(pass->mae);
}

/* A picture's patches by number: the visible ones, and behind them those that are hidden. */
static const uint32_t *visible_of(const struct sotto_mae *mae, const struct sotto_mae_batch *batch,
                                  size_t picture)
{
    return batch->patch_orders + picture * sotto_mae_patch_count(mae);
}

static const uint32_t *hidden_of(const struct sotto_mae *mae, const struct sotto_mae_batch *batch,
                                 size_t picture)
{
    return visible_of(mae, batch, picture) + mae->visible_count;
}

/* What a table or a picture's tokens have for its patches: all but their first row. */
static struct sotto_matrix patch_rows(const struct sotto_mae *mae, struct sotto_device_float *rows,
                                      size_t width)
{
    return sotto_matrix_of(rows + width, sotto_mae_patch_count(mae), width);
}

static struct sotto_matrix_view patch_rows_read(const struct sotto_mae *mae,
                                                const struct sotto_device_float *rows, size_t width)
{
    return sotto_matrix_view_of(rows + width, sotto_mae_patch_count(mae), width);
}

static void cut_pictures(struct sotto_mae_pass *pass, const struct sotto_mae_batch *batch)
{
    const struct sotto_mae *mae = pass->mae;
    struct sotto_patch_shape shape = sotto_arch_patch_shape(&mae->arch);
    size_t picture_bytes = (size_t)shape.channels * shape.image_side * shape.image_side;
    size_t values = sotto_mae_patch_values(mae);
    size_t patches = sotto_mae_patch_count(mae);
    size_t visible = mae->visible_count;

    for (size_t picture = 0; picture < batch->picture_count; picture++) {
        struct sotto_device_float *cut = pass->patches + picture * patches * values;
        struct sotto_device_float *seen = pass->seen + picture * visible * values;

        mae->kernels->cut_patches(cut, batch->pixels + picture * picture_bytes, &shape,
                                  &batch->pixel_map);
        mae->kernels->gather_rows(sotto_matrix_of(seen, visible, values),
                                  sotto_matrix_view_of(cut, patches, values),
                                  visible_of(mae, batch, picture));
    }
}

/* The encoder's tokens: the class token, and the visible patches where they belong. */
static void place_visible(struct sotto_mae_pass *pass, const struct sotto_mae_batch *batch)
{
    const struct sotto_mae *mae = pass->mae;
    struct sotto_mae_encoder_places places = sotto_mae_encoder_places(&mae->arch);
    const struct sotto_device_float *positions = pass->weights + places.positions;
    size_t width = mae->arch.width;
    size_t visible = mae->visible_count;

    for (size_t picture = 0; picture < batch->picture_count; picture++) {
        struct sotto_device_float *tokens = pass->encoder.streams + picture * (visible + 1) * width;

        mae->kernels->copy(tokens, positions, width);
        mae->kernels->gather_rows(sotto_matrix_of(tokens + width, visible, width),
                                  patch_rows_read(mae, positions, width),
                                  visible_of(mae, batch, picture));
        mae->kernels->add(tokens, pass->weights + places.class_token, width);
        mae->kernels->add(tokens + width, pass->embedded + picture * visible * width,
                          visible * width);
    }
}

/* The decoder's tokens: what the encoder hands over, and the mask token in the hidden places. */
static void place_all(struct sotto_mae_pass *pass, const struct sotto_mae_batch *batch)
{
    const struct sotto_mae *mae = pass->mae;
    struct sotto_mae_places places = sotto_mae_places(mae);
    size_t width = mae->decoder_width;
    size_t visible = mae->visible_count;
    size_t tokens_a_picture = sotto_mae_patch_count(mae) + 1;
    const struct sotto_matrix_view mask = {pass->weights + places.mask_token,
                                           sotto_mae_hidden_count(mae), width, 0};

    for (size_t picture = 0; picture < batch->picture_count; picture++) {
        struct sotto_device_float *tokens =
            pass->decoder.streams + picture * tokens_a_picture * width;
        const struct sotto_device_float *handed = pass->handed + picture * (visible + 1) * width;
        struct sotto_matrix rows = patch_rows(mae, tokens, width);

        mae->kernels->copy(tokens, pass->weights + places.positions, tokens_a_picture * width);
        mae->kernels->add(tokens, handed, width);
        mae->kernels->scatter_rows(rows, sotto_matrix_view_of(handed + width, visible, width),
                                   visible_of(mae, batch, picture));
        mae->kernels->scatter_rows(rows, mask, hidden_of(mae, batch, picture));
    }
}

static void gather_hidden(struct sotto_mae_pass *pass, const struct sotto_mae_batch *batch)
{
    const struct sotto_mae *mae = pass->mae;
    size_t width = mae->decoder_width;
    size_t hidden = sotto_mae_hidden_count(mae);
    size_t tokens_a_picture = sotto_mae_patch_count(mae) + 1;

    for (size_t picture = 0; picture < batch->picture_count; picture++)
        mae->kernels->gather_rows(
            sotto_matrix_of(pass->hidden + picture * hidden * width, hidden, width),
            patch_rows_read(mae, pass->decoder.normed + picture * tokens_a_picture * width, width),
            hidden_of(mae, batch, picture));
}

/* What was drawn becomes its gradient; the sum of squares goes to the pass's loss. */
static void compare_drawn(struct sotto_mae_pass *pass, const struct sotto_mae_batch *batch)
{
    const struct sotto_mae *mae = pass->mae;
    size_t values = sotto_mae_patch_values(mae);
    size_t hidden = sotto_mae_hidden_count(mae);
    size_t patches = sotto_mae_patch_count(mae);

    mae->kernels->clear_loss(pass->loss);
    for (size_t picture = 0; picture < batch->picture_count; picture++)
        mae->kernels->compare_patches(
            sotto_matrix_of(pass->drawn + picture * hidden * values, hidden, values),
            sotto_matrix_view_of(pass->patches + picture * patches * values, patches, values),
            hidden_of(mae, batch, picture), batch->scale / value_count(pass, batch), pass->loss);
}

/* The mirror of gather_hidden. */
static void scatter_hidden(struct sotto_mae_pass *pass, const struct sotto_mae_batch *batch)
{
    const struct sotto_mae *mae = pass->mae;
    size_t width = mae->decoder_width;
    size_t hidden = sotto_mae_hidden_count(mae);
    size_t tokens_a_picture = sotto_mae_patch_count(mae) + 1;
    struct sotto_device_float *rows = pass->decoder.normed_gradient;

    mae->kernels->clear(rows, batch->picture_count * tokens_a_picture * width);
    for (size_t picture = 0; picture < batch->picture_count; picture++)
        mae->kernels->scatter_rows(
            patch_rows(mae, rows + picture * tokens_a_picture * width, width),
            sotto_matrix_view_of(pass->hidden_gradient + picture * hidden * width, hidden, width),
            hidden_of(mae, batch, picture));
}

/* The mirror of place_all; what was hidden goes through the room that `hidden` had. */
static void take_all_back(struct sotto_mae_pass *pass, const struct sotto_mae_batch *batch)
{
    const struct sotto_mae *mae = pass->mae;
    struct sotto_mae_places places = sotto_mae_places(mae);
    size_t width = mae->decoder_width;
    size_t visible = mae->visible_count;
    size_t tokens_a_picture = sotto_mae_patch_count(mae) + 1;
    struct sotto_matrix masked = sotto_matrix_of(pass->hidden, sotto_mae_hidden_count(mae), width);

    for (size_t picture = 0; picture < batch->picture_count; picture++) {
        const struct sotto_device_float *tokens =
            pass->decoder.gradient + picture * tokens_a_picture * width;
        struct sotto_device_float *handed = pass->handed + picture * (visible + 1) * width;
        struct sotto_matrix_view rows = patch_rows_read(mae, tokens, width);

        mae->kernels->add(pass->gradients + places.positions, tokens, tokens_a_picture * width);
        mae->kernels->copy(handed, tokens, width);
        mae->kernels->gather_rows(sotto_matrix_of(handed + width, visible, width), rows,
                                  visible_of(mae, batch, picture));
        mae->kernels->gather_rows(masked, rows, hidden_of(mae, batch, picture));
        mae->kernels->add_column_sums(pass->gradients + places.mask_token,
                                      sotto_matrix_read(masked));
    }
}

/* The mirror of place_visible. */
static void take_visible_back(struct sotto_mae_pass *pass, const struct sotto_mae_batch *batch)
{
    const struct sotto_mae *mae = pass->mae;
    struct sotto_mae_encoder_places places = sotto_mae_encoder_places(&mae->arch);
    struct sotto_device_float *positions = pass->gradients + places.positions;
    size_t width = mae->arch.width;
    size_t visible = mae->visible_count;

    for (size_t picture = 0; picture < batch->picture_count; picture++) {
        const struct sotto_device_float *tokens =
            pass->encoder.gradient + picture * (visible + 1) * width;

        mae->kernels->add(pass->gradients + places.class_token, tokens, width);
        mae->kernels->add(positions, tokens, width);
        mae->kernels->scatter_rows(patch_rows(mae, positions, width),
                                   sotto_matrix_view_of(tokens + width, visible, width),
                                   visible_of(mae, batch, picture));
        mae->kernels->copy(pass->embedded + picture * visible * width, tokens + width,
                           visible * width);
    }
}

/* The shapes of one run, which forward and backward share. */
struct extent {
    struct sotto_block_shape encoder;
    struct sotto_block_shape decoder;
    struct sotto_matrix seen;
    struct sotto_matrix embedded;
    struct sotto_matrix encoded;
    struct sotto_matrix handed;
    struct sotto_matrix hidden;
    struct sotto_matrix drawn;
};

static struct extent extent_of(const struct sotto_mae_pass *pass, uint32_t pictures)
{
    const struct sotto_mae *mae = pass->mae;
    uint32_t visible = mae->visible_count;
    uint32_t patches = sotto_mae_patch_count(mae);
    size_t hidden = (size_t)pictures * sotto_mae_hidden_count(mae);
    size_t handed = (size_t)pictures * (visible + 1);
    size_t values = sotto_mae_patch_values(mae);

    return (struct extent){
        .encoder = {.batch = pictures, .length_max = visible + 1},
        .decoder = {.batch = pictures, .length_max = patches + 1},
        .seen = sotto_matrix_of(pass->seen, (size_t)pictures * visible, values),
        .embedded = sotto_matrix_of(pass->embedded, (size_t)pictures * visible, mae->arch.width),
        .encoded = sotto_matrix_of(pass->encoder.normed, handed, mae->arch.width),
        .handed = sotto_matrix_of(pass->handed, handed, mae->decoder_width),
        .hidden = sotto_matrix_of(pass->hidden, hidden, mae->decoder_width),
        .drawn = sotto_matrix_of(pass->drawn, hidden, values),
    };
}

static void run_forward(struct sotto_mae_pass *pass, const struct sotto_mae_batch *batch,
                        const struct extent *extent)
{
    const struct sotto_kernels *kernels = pass->mae->kernels;
    struct sotto_linear embedding = embedding_of(pass);
    struct sotto_linear handover = handover_of(pass);
    struct sotto_linear drawing = drawing_of(pass);

    cut_pictures(pass, batch);
    sotto_linear_forward(kernels, &embedding, extent->embedded, sotto_matrix_read(extent->seen),
                         no_residual);
    place_visible(pass, batch);
    sotto_stack_forward(&pass->encoder, extent->encoder);
    sotto_linear_forward(kernels, &handover, extent->handed, sotto_matrix_read(extent->encoded),
                         no_residual);
    place_all(pass, batch);
    sotto_stack_forward(&pass->decoder, extent->decoder);
    gather_hidden(pass, batch);
    sotto_linear_forward(kernels, &drawing, extent->drawn, sotto_matrix_read(extent->hidden),
                         no_residual);
}

static void run_backward(struct sotto_mae_pass *pass, const struct sotto_mae_batch *batch,
                         const struct extent *extent)
{
    const struct sotto_kernels *kernels = pass->mae->kernels;
    struct sotto_linear embedding = embedding_of(pass);
    struct sotto_linear handover = handover_of(pass);
    struct sotto_linear drawing = drawing_of(pass);
    struct sotto_matrix hidden_gradient = extent->hidden;
    struct sotto_matrix encoded_gradient = extent->encoded;

    hidden_gradient.at = pass->hidden_gradient;
    encoded_gradient.at = pass->encoder.normed_gradient;
    sotto_linear_backward(kernels, &drawing, hidden_gradient, sotto_matrix_read(extent->drawn),
                          sotto_matrix_read(extent->hidden));
    scatter_hidden(pass, batch);
    sotto_stack_backward(&pass->decoder);
    take_all_back(pass, batch);
    sotto_linear_backward(kernels, &handover, encoded_gradient, sotto_matrix_read(extent->handed),
                          sotto_matrix_read(extent->encoded));
    sotto_stack_backward(&pass->encoder);
    take_visible_back(pass, batch);
    sotto_linear_backward(kernels, &embedding, none, sotto_matrix_read(extent->embedded),
                          sotto_matrix_read(extent->seen));
}

double sotto_mae_pass_run(struct sotto_mae_pass *pass, const struct sotto_mae_batch *batch)
{
    struct extent extent = extent_of(pass, batch->picture_count);
    struct sotto_loss loss;

    run_forward(pass, batch, &extent);
    compare_drawn(pass, batch);
    run_backward(pass, batch, &extent);
    pass->mae->kernels->download_loss(&loss, pass->loss);
    return loss.sum / value_count(pass, batch);
}
