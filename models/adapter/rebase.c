#include "models/adapter/rebase.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SWEEPS_MAX = 60 };

/* Row-major [rank, rank] matrices, and rows of a factor. */
struct rebasing {
    size_t rank;
    double *lower;  /* L; later T = L W, which B is multiplied by */
    double *gram;   /* (B L)^T (B L), then its diagonal S^2 */
    double *basis;  /* W by columns */
    double *column; /* [rank] */
    double *rows;   /* Q [rank, in] */
};

/*
 * A = L Q by Gram-Schmidt on the rows, twice against rounding. False: a row depends on those before
 * it.
 */
static bool factor_rows(struct rebasing *work, const float *a, size_t in)
{
    size_t rank = work->rank;

    memset(work->lower, 0, rank * rank * sizeof *work->lower);
    for (size_t row = 0; row < rank; row++) {
        double *own = work->rows + row * in;
        double before = 0, after = 0;

        for (size_t i = 0; i < in; i++) {
            own[i] = a[row * in + i];
            before += own[i] * own[i];
        }
        for (size_t pass = 0; pass < 2 * row; pass++) {
            const double *known = work->rows + pass % row * in;
            double part = 0;

            for (size_t i = 0; i < in; i++)
                part += own[i] * known[i];
            for (size_t i = 0; i < in; i++)
                own[i] -= part * known[i];
            work->lower[row * rank + pass % row] += part;
        }
        for (size_t i = 0; i < in; i++)
            after += own[i] * own[i];
        if (!(after > 1e-8 * before))
            return false;
        work->lower[row * rank + row] = sqrt(after);
        for (size_t i = 0; i < in; i++)
            own[i] /= sqrt(after);
    }
    return true;
}

/* out[k] = sum over j of b[j] m[j, k] */
static void multiply_row(double *out, const float *b, const double *m, size_t rank)
{
    memset(out, 0, rank * sizeof *out);
    for (size_t j = 0; j < rank; j++) {
        for (size_t k = 0; k < rank; k++)
            out[k] += b[j] * m[j * rank + k];
    }
}

static void gram_of(struct rebasing *work, const float *b, size_t out)
{
    size_t rank = work->rank;

    memset(work->gram, 0, rank * rank * sizeof *work->gram);
    for (size_t row = 0; row < out; row++) {
        multiply_row(work->column, b + row * rank, work->lower, rank);
        for (size_t i = 0; i < rank; i++) {
            for (size_t k = 0; k < rank; k++)
                work->gram[i * rank + k] += work->column[i] * work->column[k];
        }
    }
}

/* Turns columns p and q of a [rank, rank] matrix. */
static void turn_columns(double *matrix, size_t rank, size_t p, size_t q, const double turn[2])
{
    for (size_t i = 0; i < rank; i++) {
        double left = matrix[i * rank + p];
        double right = matrix[i * rank + q];

        matrix[i * rank + p] = turn[0] * left - turn[1] * right;
        matrix[i * rank + q] = turn[1] * left + turn[0] * right;
    }
}

static void turn_rows(double *matrix, size_t rank, size_t p, size_t q, const double turn[2])
{
    for (size_t i = 0; i < rank; i++) {
        double upper = matrix[p * rank + i];
        double lower = matrix[q * rank + i];

        matrix[p * rank + i] = turn[0] * upper - turn[1] * lower;
        matrix[q * rank + i] = turn[1] * upper + turn[0] * lower;
    }
}

/* One Jacobi rotation: Golub, Van Loan, Matrix Computations, section 8.5.2. True: it was needed. */
static bool rotate(struct rebasing *work, size_t p, size_t q)
{
    size_t rank = work->rank;
    double *gram = work->gram;
    double off = gram[p * rank + q];
    double tau, tangent, turn[2];

    if (fabs(off) <= 1e-15 * sqrt(fabs(gram[p * rank + p] * gram[q * rank + q])))
        return false;
    tau = (gram[q * rank + q] - gram[p * rank + p]) / (2 * off);
    tangent = (tau >= 0 ? 1 : -1) / (fabs(tau) + sqrt(1 + tau * tau));
    turn[0] = 1 / sqrt(1 + tangent * tangent);
    turn[1] = tangent * turn[0];
    turn_columns(gram, rank, p, q, turn);
    turn_rows(gram, rank, p, q, turn);
    turn_columns(work->basis, rank, p, q, turn);
    return true;
}

static void swap_columns(double *matrix, size_t rank, size_t p, size_t q)
{
    for (size_t i = 0; i < rank; i++) {
        double kept = matrix[i * rank + p];

        matrix[i * rank + p] = matrix[i * rank + q];
        matrix[i * rank + q] = kept;
    }
}

/* W by columns, those of the largest eigenvalues first. */
static void diagonalise(struct rebasing *work)
{
    size_t rank = work->rank;
    bool is_done = false;

    memset(work->basis, 0, rank * rank * sizeof *work->basis);
    for (size_t i = 0; i < rank; i++)
        work->basis[i * rank + i] = 1;
    for (int sweep = 0; sweep < SWEEPS_MAX && !is_done; sweep++) {
        is_done = true;
        for (size_t pair = 0; pair < rank * rank; pair++) {
            if (pair / rank < pair % rank && rotate(work, pair / rank, pair % rank))
                is_done = false;
        }
    }
    for (size_t i = 0; i < rank; i++) {
        size_t largest = i;

        for (size_t k = i + 1; k < rank; k++)
            largest = work->gram[k * rank + k] > work->gram[largest * rank + largest] ? k : largest;
        if (largest == i)
            continue;
        swap_columns(work->basis, rank, i, largest);
        work->gram[largest * rank + largest] = work->gram[i * rank + i];
    }
}

/* B' = B L W, A' = W^T Q. */
static void replace(struct rebasing *work, float *a, float *b, size_t in, size_t out)
{
    size_t rank = work->rank;

    for (size_t row = 0; row < out; row++) {
        double product[SOTTO_RANK_MAX];

        multiply_row(work->column, b + row * rank, work->lower, rank);
        memset(product, 0, sizeof product);
        for (size_t j = 0; j < rank; j++) {
            for (size_t k = 0; k < rank; k++)
                product[k] += work->column[j] * work->basis[j * rank + k];
        }
        for (size_t k = 0; k < rank; k++)
            b[row * rank + k] = (float)product[k];
    }
    for (size_t row = 0; row < rank; row++) {
        for (size_t i = 0; i < in; i++) {
            double sum = 0;

            for (size_t j = 0; j < rank; j++)
                sum += work->basis[j * rank + row] * work->rows[j * in + i];
            a[row * in + i] = (float)sum;
        }
    }
}

static void rebase_pair(struct rebasing *work, float *lanes, const struct sotto_layout_tensor *pair)
{
    float *a = lanes + pair[0].first;
    float *b = lanes + pair[1].first;

    work->rank = pair[0].rows;
    if (pair[0].rows > pair[0].columns || !factor_rows(work, a, pair[0].columns))
        return;
    gram_of(work, b, pair[1].rows);
    diagonalise(work);
    replace(work, a, b, pair[0].columns, pair[1].rows);
}

enum sotto_status sotto_adapter_rebase(float *lanes, const struct sotto_layout *layout)
{
    size_t rank = sotto_layout_rank_max(layout);
    size_t most = 0;
    struct rebasing work = {.rank = 0};
    double *memory;

    for (size_t i = 0; i < layout->tensor_count; i++) {
        size_t size = (size_t)layout->tensors[i].rows * layout->tensors[i].columns;

        if (layout->tensors[i].role == SOTTO_ROLE_LORA_A)
            most = size > most ? size : most;
    }
    memory = calloc(3 * rank * rank + rank + most + 1, sizeof *memory);
    if (memory == NULL)
        return SOTTO_NO_MEMORY;
    work.lower = memory;
    work.gram = memory + rank * rank;
    work.basis = memory + 2 * rank * rank;
    work.column = memory + 3 * rank * rank;
    work.rows = work.column + rank;
    for (size_t i = 0; i < layout->tensor_count; i++) {
        if (layout->tensors[i].role == SOTTO_ROLE_LORA_A)
            rebase_pair(&work, lanes, &layout->tensors[i]);
    }
    free(memory);
    return SOTTO_OK;
}
