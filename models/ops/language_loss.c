#include "models/ops/language_loss.h"

#include <assert.h>

/* More rows at once read the head's weights less often; fewer take less memory. */
enum { CHUNK_ROWS_MAX = 256, CHUNK_ROWS_MIN = 16, CHUNK_FLOATS_MAX = 1 << 24 };

static const struct sotto_matrix_view no_residual = {NULL, 0, 0, 0};

static size_t chunk_rows(size_t vocabulary)
{
    size_t rows = CHUNK_FLOATS_MAX / vocabulary;

    if (rows > CHUNK_ROWS_MAX)
        return CHUNK_ROWS_MAX;
    return rows < CHUNK_ROWS_MIN ? CHUNK_ROWS_MIN : rows;
}

size_t sotto_language_loss_scratch(uint32_t vocabulary, size_t row_max)
{
    size_t rows = chunk_rows(vocabulary);

    return (row_max < rows ? row_max : rows) * vocabulary;
}

static struct sotto_matrix_view rows_from(struct sotto_matrix_view all, size_t first, size_t chunk)
{
    all.at += first * all.stride;
    all.rows = all.rows - first < chunk ? all.rows - first : chunk;
    return all;
}

void sotto_language_loss_forward(const struct sotto_kernels *kernels,
                                 const struct sotto_linear *head, struct sotto_matrix_view hidden,
                                 const uint32_t *labels, const struct sotto_language_loss *loss)
{
    size_t chunk = chunk_rows(head->out);

    for (size_t first = 0; first < hidden.rows; first += chunk) {
        struct sotto_matrix_view some = rows_from(hidden, first, chunk);
        struct sotto_matrix logits = sotto_matrix_of(loss->scratch, some.rows, head->out);

        sotto_linear_forward(kernels, head, logits, some, no_residual);
        kernels->cross_entropy(logits, labels + first, 1.0f, loss->sums);
    }
}

void sotto_language_loss_backward(const struct sotto_kernels *kernels,
                                  const struct sotto_linear *head, struct sotto_matrix hidden,
                                  const uint32_t *labels, const struct sotto_language_loss *loss)
{
    size_t chunk = chunk_rows(head->out);

    assert(hidden.stride == hidden.columns);
    for (size_t first = 0; first < hidden.rows; first += chunk) {
        struct sotto_matrix_view some = rows_from(sotto_matrix_read(hidden), first, chunk);
        struct sotto_matrix logits = sotto_matrix_of(loss->scratch, some.rows, head->out);
        struct sotto_matrix slope =
            sotto_matrix_of(hidden.at + first * hidden.columns, some.rows, some.columns);

        sotto_linear_forward(kernels, head, logits, some, no_residual);
        kernels->cross_entropy(logits, labels + first, loss->weight, loss->sums);
        sotto_linear_backward(kernels, head, slope, sotto_matrix_read(logits), some);
    }
}
