#include "models/kernels/wide/wide.h"

#include <assert.h>

#if defined(__x86_64__)

#include "models/kernels/device/host.h"
#include "models/kernels/wide/panel.h"
#include "models/kernels/wide/tile.h"
#include "models/kernels/wide/vector.h"

enum { FAR = 1 << 17 /* floats that a core's own cache is sure to hold */ };

bool sotto_wide_is_supported(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("fma");
}

/* What is added to all results of a product. */
struct addends {
    const struct sotto_device_float *bias;
    struct sotto_matrix_view residual;
};

/* All columns of c, of a block of rows and a slice of the inner dimension. */
static SOTTO_WIDE void multiply_block(struct sotto_matrix c, const struct addends *addends,
                                      const struct sotto_wide_right *b, size_t first,
                                      struct sotto_wide_tile tile)
{
    float panel[SOTTO_WIDE_DEPTH * SOTTO_WIDE_COLUMNS] __attribute__((aligned(64)));
    bool is_low = b->order == SOTTO_WIDE_PLAIN && c.rows <= SOTTO_WIDE_ROWS;

    for (size_t column = 0; column < c.columns; column += SOTTO_WIDE_COLUMNS) {
        struct sotto_ahead next = sotto_wide_panel_source(b, column + SOTTO_WIDE_COLUMNS, first);
        size_t left = c.columns - column;

        tile.b = panel;
        tile.b_stride = SOTTO_WIDE_COLUMNS;
        if (is_low && left >= SOTTO_WIDE_COLUMNS) {
            tile.b = sotto_host_read(b->at + first * b->stride + column);
            tile.b_stride = b->stride;
        } else if (b->order == SOTTO_WIDE_PANELS) {
            tile.b = sotto_wide_panel_at(b, column, first);
        } else {
            sotto_wide_panel_pack(panel, b, column, first);
        }
        tile.c = sotto_host_write(c.at + column);
        tile.columns = left < SOTTO_WIDE_COLUMNS ? left : SOTTO_WIDE_COLUMNS;
        tile.bias = addends->bias == NULL ? NULL : sotto_host_read(addends->bias + column);
        tile.residual =
            addends->residual.at == NULL ? NULL : sotto_host_read(addends->residual.at + column);
        tile.residual_stride = addends->residual.stride;
        sotto_wide_tiles_multiply(tile, c.rows, next);
    }
}

static const struct addends nothing = {NULL, {NULL, 0, 0, 0}};

/* c = alpha (a b + addends) + beta c */
static SOTTO_WIDE void run(struct sotto_matrix c, struct sotto_factor a,
                           const struct sotto_wide_right *b, const struct sotto_wide_tile *rule,
                           struct addends addends)
{
    float block[SOTTO_WIDE_BLOCK_ROWS * SOTTO_WIDE_STRIDE] __attribute__((aligned(64)));

    for (size_t first = 0; first == 0 || first < b->inner; first += SOTTO_WIDE_DEPTH) {
        size_t depth = b->inner - first;

        for (size_t row = 0; row < c.rows; row += SOTTO_WIDE_BLOCK_ROWS) {
            struct sotto_matrix rows = {c.at + row * c.stride, c.rows - row, c.columns, c.stride};
            struct addends own = first == 0 ? addends : nothing;
            struct sotto_wide_tile tile = {
                .a = block,
                .c_stride = c.stride,
                .is_far = c.rows * c.stride > FAR,
                .depth = depth < SOTTO_WIDE_DEPTH ? depth : SOTTO_WIDE_DEPTH,
                .alpha = rule->alpha,
                .beta = first == 0 ? rule->beta : 1.0f,
            };

            if (rows.rows > SOTTO_WIDE_BLOCK_ROWS)
                rows.rows = SOTTO_WIDE_BLOCK_ROWS;
            if (own.residual.at != NULL)
                own.residual.at += row * own.residual.stride;
            sotto_wide_rows_pack(block, a, row, first);
            multiply_block(rows, &own, b, first, tile);
        }
    }
}

void sotto_wide_matmul(struct sotto_matrix c, struct sotto_factor a, struct sotto_factor b,
                       float alpha, float beta)
{
    const struct sotto_wide_tile rule = {.alpha = alpha, .beta = beta};
    const struct sotto_wide_right right = {
        b.is_transposed ? SOTTO_WIDE_TRANSPOSED : SOTTO_WIDE_PLAIN, b.view.at,
        b.is_transposed ? b.view.columns : b.view.rows,
        b.is_transposed ? b.view.rows : b.view.columns, b.view.stride};

    run(c, a, &right, &rule, nothing);
}

static const struct sotto_wide_tile plain = {.alpha = 1.0f, .beta = 0.0f};

void sotto_wide_affine(struct sotto_matrix y, struct sotto_matrix_view x,
                       struct sotto_matrix_view weight, const struct sotto_device_float *bias,
                       struct sotto_matrix_view residual)
{
    const struct sotto_wide_right right = {SOTTO_WIDE_TRANSPOSED, weight.at, weight.columns,
                                           weight.rows, weight.stride};

    run(y, sotto_factor_plain(x), &right, &plain, (struct addends){bias, residual});
}

void sotto_wide_pack(struct sotto_device_float *memory, struct sotto_matrix_view w)
{
    sotto_wide_panels_pack(memory, w);
}

void sotto_wide_affine_packed(struct sotto_matrix y, struct sotto_matrix_view x,
                              const struct sotto_packed *w, const struct sotto_device_float *bias,
                              struct sotto_matrix_view residual)
{
    const struct sotto_wide_right right = {SOTTO_WIDE_PANELS, w->floats, w->columns, w->rows, 0};

    run(y, sotto_factor_plain(x), &right, &plain, (struct addends){bias, residual});
}

void sotto_wide_matmul_packed(struct sotto_matrix c, struct sotto_matrix_view a,
                              const struct sotto_packed *w)
{
    const struct sotto_wide_right right = {SOTTO_WIDE_TURNED, w->floats, w->rows, w->columns, 0};

    run(c, sotto_factor_plain(a), &right, &plain, nothing);
}

#else

bool sotto_wide_is_supported(void)
{
    return false;
}

void sotto_wide_matmul(struct sotto_matrix c, struct sotto_factor a, struct sotto_factor b,
                       float alpha, float beta)
{
    (void)c;
    (void)a;
    (void)b;
    (void)alpha;
    (void)beta;
    assert(false && "not supported");
}

void sotto_wide_affine(struct sotto_matrix y, struct sotto_matrix_view x,
                       struct sotto_matrix_view weight, const struct sotto_device_float *bias,
                       struct sotto_matrix_view residual)
{
    (void)y;
    (void)x;
    (void)weight;
    (void)bias;
    (void)residual;
    assert(false && "not supported");
}

void sotto_wide_affine_packed(struct sotto_matrix y, struct sotto_matrix_view x,
                              const struct sotto_packed *w, const struct sotto_device_float *bias,
                              struct sotto_matrix_view residual)
{
    (void)y;
    (void)x;
    (void)w;
    (void)bias;
    (void)residual;
    assert(false && "not supported");
}

void sotto_wide_matmul_packed(struct sotto_matrix c, struct sotto_matrix_view a,
                              const struct sotto_packed *w)
{
    (void)c;
    (void)a;
    (void)w;
    assert(false && "not supported");
}

void sotto_wide_pack(struct sotto_device_float *memory, struct sotto_matrix_view w)
{
    (void)memory;
    (void)w;
    assert(false && "not supported");
}

#endif
