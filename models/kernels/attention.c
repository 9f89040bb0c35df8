#include "models/kernels/attention.h"

#include <math.h>

#include "models/kernels/elementwise.h"
#include "models/kernels/matmul.h"
#include "models/kernels/vector.h"

/* The rows of one sample and the columns of one head. */
static struct sotto_matrix_view head_of(struct sotto_matrix_view view, size_t sample, size_t head,
                                        const struct sotto_attention_shape *shape)
{
    view.rows /= shape->batch;
    view.at += sample * view.rows * view.stride;
    return sotto_matrix_view_columns(view, head * shape->head_width, shape->head_width);
}

static struct sotto_matrix head_of_output(struct sotto_matrix matrix, size_t sample, size_t head,
                                          const struct sotto_attention_shape *shape)
{
    matrix.rows /= shape->batch;
    matrix.at += sample * matrix.rows * matrix.stride;
    return sotto_matrix_columns(matrix, head * shape->head_width, shape->head_width);
}

static size_t scores_of(size_t sample, size_t head, const struct sotto_attention_shape *shape)
{
    return (sample * shape->head_count + head) * shape->query_count * shape->key_count;
}

static struct sotto_attention_inputs inputs_of(const struct sotto_attention_inputs *inputs,
                                               size_t sample, size_t head,
                                               const struct sotto_attention_shape *shape)
{
    return (struct sotto_attention_inputs){head_of(inputs->query, sample, head, shape),
                                           head_of(inputs->key, sample, head, shape),
                                           head_of(inputs->value, sample, head, shape)};
}

static void forward_head(struct sotto_matrix y, struct sotto_matrix p,
                         const struct sotto_attention_inputs *inputs)
{
    float factor = 1.0f / sqrtf((float)inputs->query.columns);

    sotto_cpu_matmul(p, sotto_factor_plain(inputs->query), sotto_factor_transposed(inputs->key),
                     factor, 0.0f);
    sotto_cpu_softmax_rows(p);
    sotto_cpu_matmul(y, sotto_factor_plain(sotto_matrix_read(p)), sotto_factor_plain(inputs->value),
                     1.0f, 0.0f);
}

void sotto_cpu_attention_forward(struct sotto_matrix y, float *p,
                                 const struct sotto_attention_inputs *inputs,
                                 const struct sotto_attention_shape *shape)
{
    for (size_t sample = 0; sample < shape->batch; sample++) {
        for (size_t head = 0; head < shape->head_count; head++) {
            struct sotto_attention_inputs one = inputs_of(inputs, sample, head, shape);

            forward_head(head_of_output(y, sample, head, shape),
                         sotto_matrix_of(p + scores_of(sample, head, shape), shape->query_count,
                                         shape->key_count),
                         &one);
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

static void backward_head(const struct sotto_attention_gradients *gradients,
                          struct sotto_matrix_view dy, struct sotto_matrix_view p,
                          const struct sotto_attention_inputs *inputs)
{
    struct sotto_matrix scores = sotto_matrix_of(gradients->scores, p.rows, p.columns);
    struct sotto_matrix_view slope = sotto_matrix_read(scores);
    float factor = 1.0f / sqrtf((float)inputs->query.columns);

    sotto_cpu_matmul(gradients->value, sotto_factor_transposed(p), sotto_factor_plain(dy), 1.0f,
                     0.0f);
    sotto_cpu_matmul(scores, sotto_factor_plain(dy), sotto_factor_transposed(inputs->value), 1.0f,
                     0.0f);
    for (size_t row = 0; row < p.rows; row++)
        softmax_backward(scores.at + row * scores.stride, p.at + row * p.stride, factor, p.columns);
    sotto_cpu_matmul(gradients->query, sotto_factor_plain(slope), sotto_factor_plain(inputs->key),
                     1.0f, 0.0f);
    sotto_cpu_matmul(gradients->key, sotto_factor_transposed(slope),
                     sotto_factor_plain(inputs->query), 1.0f, 0.0f);
}

void sotto_cpu_attention_backward(const struct sotto_attention_gradients *gradients,
                                  struct sotto_matrix_view dy, const float *p,
                                  const struct sotto_attention_inputs *inputs,
                                  const struct sotto_attention_shape *shape)
{
    for (size_t sample = 0; sample < shape->batch; sample++) {
        for (size_t head = 0; head < shape->head_count; head++) {
            struct sotto_attention_inputs one = inputs_of(inputs, sample, head, shape);
            struct sotto_attention_gradients parts = {
                head_of_output(gradients->query, sample, head, shape),
                head_of_output(gradients->key, sample, head, shape),
                head_of_output(gradients->value, sample, head, shape), gradients->scores};

            backward_head(&parts, head_of(dy, sample, head, shape),
                          sotto_matrix_view_of(p + scores_of(sample, head, shape),
                                               shape->query_count, shape->key_count),
                          &one);
        }
    }
}
