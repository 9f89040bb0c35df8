#include "models/kernels/attention.h"

#include <assert.h>
#include <math.h>

#include "models/kernels/device/host.h"
#include "models/kernels/elementwise.h"
#include "models/kernels/matmul.h"
#include "models/kernels/vector.h"

/* A sample's rows. */
struct span {
    size_t first;
    size_t count;
};

static struct span rows_of(const struct sotto_attention_shape *shape, size_t sample)
{
    if (shape->starts == NULL)
        return (struct span){sample * shape->length_max, shape->length_max};
    return (struct span){shape->starts[sample], shape->starts[sample + 1] - shape->starts[sample]};
}

/* With those that are known before the rows. */
static struct span keys_of(const struct sotto_attention_shape *shape, size_t sample)
{
    struct span rows = rows_of(shape, sample);

    return (struct span){rows.first, shape->known + rows.count};
}

static struct span queries_of(const struct sotto_attention_shape *shape, size_t sample)
{
    return shape->is_first_only ? (struct span){sample, 1} : rows_of(shape, sample);
}

static struct sotto_matrix_view part_of(struct sotto_matrix_view view, struct span rows,
                                        size_t column, size_t columns)
{
    view.at += rows.first * view.stride;
    view.rows = rows.count;
    return sotto_matrix_view_columns(view, column, columns);
}

static struct sotto_matrix part_of_output(struct sotto_matrix matrix, struct span rows,
                                          size_t column, size_t columns)
{
    matrix.at += rows.first * matrix.stride;
    matrix.rows = rows.count;
    return sotto_matrix_columns(matrix, column, columns);
}

/* One sample and head. */
struct head {
    struct span queries;
    struct span keys;
    size_t known; /* keys before that of the first query */
    size_t query_column;
    size_t key_column;
    size_t width;
    bool is_causal;
};

static struct head head_of(const struct sotto_attention_shape *shape, size_t sample, size_t index)
{
    size_t width = shape->head_width;
    size_t group = shape->head_count / shape->kv_head_count;

    return (struct head){queries_of(shape, sample),
                         keys_of(shape, sample),
                         shape->known,
                         index * width,
                         index / group * width,
                         width,
                         shape->is_causal};
}

/* Some queries of a head, and the keys that any of them sees. */
struct tile {
    size_t first;
    struct span queries;
    struct span keys;
};

/* Tiles of about one height; lower ones waste less where half of the scores is not seen. */
static size_t tile_rows(const struct head *head)
{
    size_t most = head->is_causal ? SOTTO_ATTENTION_TILE / 2 : SOTTO_ATTENTION_TILE;
    size_t tiles = (head->queries.count + most - 1) / most;

    return (head->queries.count + tiles - 1) / tiles;
}

static struct tile tile_of(const struct head *head, size_t first)
{
    size_t left = head->queries.count - first;
    size_t most = tile_rows(head);
    size_t count = left < most ? left : most;
    size_t seen = head->is_causal ? head->known + first + count : head->keys.count;

    return (struct tile){first, {head->queries.first + first, count}, {head->keys.first, seen}};
}

/* p = softmax(q k^T / sqrt(width)), zeros beyond what a causal query sees. */
static void score(struct sotto_matrix p, const struct head *head, const struct tile *tile,
                  const struct sotto_attention_inputs *inputs)
{
    float factor = 1.0f / sqrtf((float)head->width);

    sotto_cpu_matmul(
        p,
        sotto_factor_plain(part_of(inputs->query, tile->queries, head->query_column, head->width)),
        sotto_factor_transposed(part_of(inputs->key, tile->keys, head->key_column, head->width)),
        factor, 0.0f);
    if (!head->is_causal) {
        sotto_cpu_softmax_rows(p);
        return;
    }
    for (size_t row = 0; row < p.rows; row++) {
        size_t seen = head->known + tile->first + row + 1;
        struct sotto_device_float *at = p.at + row * p.stride;

        sotto_cpu_softmax_rows(sotto_matrix_of(at, 1, seen));
        sotto_cpu_clear(at + seen, p.columns - seen);
    }
}

static void forward_tile(struct sotto_matrix y, const struct head *head, const struct tile *tile,
                         const struct sotto_attention_inputs *inputs,
                         struct sotto_device_float *scratch)
{
    struct sotto_matrix p = sotto_matrix_of(scratch, tile->queries.count, tile->keys.count);

    score(p, head, tile, inputs);
    sotto_cpu_matmul(
        part_of_output(y, tile->queries, head->query_column, head->width),
        sotto_factor_plain(sotto_matrix_read(p)),
        sotto_factor_plain(part_of(inputs->value, tile->keys, head->key_column, head->width)), 1.0f,
        0.0f);
}

void sotto_cpu_attention_forward(struct sotto_matrix y, const struct sotto_attention_inputs *inputs,
                                 const struct sotto_attention_shape *shape,
                                 struct sotto_device_float *scratch)
{
    assert(shape->known == 0 || (shape->batch == 1 && !shape->is_first_only));
    for (size_t sample = 0; sample < shape->batch; sample++) {
        for (size_t index = 0; index < shape->head_count; index++) {
            struct head head = head_of(shape, sample, index);

            for (size_t first = 0; first < head.queries.count; first += tile_rows(&head)) {
                struct tile tile = tile_of(&head, first);

                forward_tile(y, &head, &tile, inputs, scratch);
            }
        }
    }
}

/* The softmax's gradient, in place over dL/dp: p (dp - sum(p dp)), times the scores' factor. */
SOTTO_VECTORISED static void softmax_backward(float *restrict gradient, const float *restrict p,
                                              float factor, size_t count)
{
    float dot = 0.0f;

#pragma omp simd reduction(+ : dot)
    for (size_t i = 0; i < count; i++)
        dot += gradient[i] * p[i];
    for (size_t i = 0; i < count; i++)
        gradient[i] = p[i] * (gradient[i] - dot) * factor;
}

/* What a backward reads and writes. */
struct descent {
    const struct sotto_attention_gradients *gradients;
    struct sotto_matrix_view dy;
    const struct sotto_attention_inputs *inputs;
    struct sotto_device_float *scratch;
};

/* Overwrites the gradient of the tile's queries, adds to those of keys and values. */
static void backward_tile(const struct descent *descent, const struct head *head,
                          const struct tile *tile)
{
    const struct sotto_attention_inputs *inputs = descent->inputs;
    const struct sotto_attention_gradients *gradients = descent->gradients;
    size_t column = head->key_column;
    size_t width = head->width;
    struct sotto_matrix p =
        sotto_matrix_of(descent->scratch, tile->queries.count, tile->keys.count);
    struct sotto_matrix scores =
        sotto_matrix_of(descent->scratch + p.rows * p.columns, p.rows, p.columns);
    struct sotto_matrix_view dy = part_of(descent->dy, tile->queries, head->query_column, width);
    struct sotto_matrix_view slope = sotto_matrix_read(scores);
    float factor = 1.0f / sqrtf((float)width);

    score(p, head, tile, inputs);
    sotto_cpu_matmul(part_of_output(gradients->value, tile->keys, column, width),
                     sotto_factor_transposed(sotto_matrix_read(p)), sotto_factor_plain(dy), 1.0f,
                     1.0f);
    sotto_cpu_matmul(scores, sotto_factor_plain(dy),
                     sotto_factor_transposed(part_of(inputs->value, tile->keys, column, width)),
                     1.0f, 0.0f);
    for (size_t row = 0; row < p.rows; row++)
        softmax_backward(sotto_host_write(scores.at + row * scores.stride),
                         sotto_host_read(p.at + row * p.stride), factor, p.columns);
    sotto_cpu_matmul(part_of_output(gradients->query, tile->queries, head->query_column, width),
                     sotto_factor_plain(slope),
                     sotto_factor_plain(part_of(inputs->key, tile->keys, column, width)), 1.0f,
                     0.0f);
    sotto_cpu_matmul(
        part_of_output(gradients->key, tile->keys, column, width), sotto_factor_transposed(slope),
        sotto_factor_plain(part_of(inputs->query, tile->queries, head->query_column, width)), 1.0f,
        1.0f);
}

void sotto_cpu_attention_backward(const struct sotto_attention_gradients *gradients,
                                  struct sotto_matrix_view dy,
                                  const struct sotto_attention_inputs *inputs,
                                  const struct sotto_attention_shape *shape,
                                  struct sotto_device_float *scratch)
{
    const struct descent descent = {gradients, dy, inputs, scratch};
    const struct sotto_matrix_view nothing = {NULL, 0, 0, 0};

    assert(shape->known == 0);
    sotto_cpu_fill_rows(gradients->key, NULL, nothing);
    sotto_cpu_fill_rows(gradients->value, NULL, nothing);
    for (size_t sample = 0; sample < shape->batch; sample++) {
        for (size_t index = 0; index < shape->head_count; index++) {
            struct head head = head_of(shape, sample, index);

            for (size_t first = 0; first < head.queries.count; first += tile_rows(&head)) {
                struct tile tile = tile_of(&head, first);

                backward_tile(&descent, &head, &tile);
            }
        }
    }
}
