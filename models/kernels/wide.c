#include "models/kernels/wide.h"

#include <assert.h>

#if defined(__x86_64__)

#include <immintrin.h>

#include "models/kernels/device/host.h"

#define WIDE        __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma")))
#define WIDE_INLINE inline __attribute__((always_inline)) WIDE

enum {
    LANES = 16,               /* of a vector */
    TILE_ROWS = 14,           /* 14 x 2 sums, 2 of b and 1 of a: all but one register */
    TILE_COLUMNS = 2 * LANES, /* of a panel of b */
    DEPTH = 384,              /* of a block: its panel of b, 48 KiB, and rows of a stay in L2 */
    STRIDE = DEPTH + LANES,   /* of a block's rows: no power of two, and room to spill into */
    BLOCK_ROWS = 19 * TILE_ROWS,
    FAR = 1 << 17 /* floats that a core's own cache is sure to hold */
};

bool sotto_wide_is_supported(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("fma");
}

/* A part of a view; smaller at its ends. */
static struct sotto_matrix_view part_of(struct sotto_matrix_view view, size_t row, size_t column,
                                        size_t rows, size_t columns)
{
    size_t rows_left = view.rows - row;
    size_t columns_left = view.columns - column;

    return (struct sotto_matrix_view){view.at + row * view.stride + column,
                                      rows < rows_left ? rows : rows_left,
                                      columns < columns_left ? columns : columns_left, view.stride};
}

/* One tile of results: c = alpha (a b + bias + residual) + beta c. */
struct tile {
    const float *a; /* [rows] of stride STRIDE */
    const float *b; /* [depth, columns] */
    float *c;
    size_t b_stride;
    size_t c_stride;
    bool is_far;    /* c is larger than a cache */
    size_t columns; /* 1 .. TILE_COLUMNS */
    size_t depth;
    float alpha;
    float beta;
    const float *bias;     /* [columns] or NULL */
    const float *residual; /* as c, or NULL */
    size_t residual_stride;
};

/* The first `count` lanes of a vector, or all. */
static WIDE_INLINE __mmask16 lanes(size_t count)
{
    return (__mmask16)(count >= LANES ? 0xffffu : (1u << count) - 1);
}

/* The lanes of a tile's second vector. */
static WIDE_INLINE __mmask16 lanes_beyond(size_t columns)
{
    return lanes(columns <= LANES ? 0 : columns - LANES);
}

static WIDE_INLINE void store(float *c, __m512 sum, __mmask16 mask, float alpha, float beta)
{
    __m512 result = _mm512_mul_ps(sum, _mm512_set1_ps(alpha));

    if (beta != 0.0f)
        result = _mm512_fmadd_ps(_mm512_set1_ps(beta), _mm512_maskz_loadu_ps(mask, c), result);
    _mm512_mask_storeu_ps(c, mask, result);
}

/* What row i's sums begin with, in columns `first` on. */
static WIDE_INLINE __m512 addend(const struct tile *tile, size_t i, size_t first, __mmask16 mask)
{
    __m512 sum = _mm512_setzero_ps();

    if (tile->bias != NULL)
        sum = _mm512_maskz_loadu_ps(mask, tile->bias + first);
    if (tile->residual != NULL)
        sum = _mm512_add_ps(
            sum, _mm512_maskz_loadu_ps(mask, tile->residual + i * tile->residual_stride + first));
    return sum;
}

/* Results beyond the caches come while their sums are made. */
static WIDE_INLINE void fetch_results(const struct tile *tile, size_t rows, size_t vectors)
{
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < vectors; j++)
            __builtin_prefetch(tile->c + i * tile->c_stride + j * LANES, 1, 3);
    }
}

/* `rows` and `vectors` are constants where this is inlined, so that the sums are registers. */
static WIDE_INLINE void multiply(const struct tile *tile, const size_t rows, const size_t vectors)
{
    const __mmask16 mask[2] = {lanes(tile->columns), lanes_beyond(tile->columns)};
    __m512 sums[TILE_ROWS][2];

#pragma GCC unroll 14
    for (size_t i = 0; i < rows; i++)
        sums[i][0] = sums[i][1] = _mm512_setzero_ps();
    if (tile->bias != NULL || tile->residual != NULL) {
#pragma GCC unroll 14
        for (size_t i = 0; i < rows; i++) {
            sums[i][0] = addend(tile, i, 0, mask[0]);
            sums[i][1] = addend(tile, i, LANES, mask[1]);
        }
    }
    if (tile->is_far)
        fetch_results(tile, rows, vectors);
    for (size_t k = 0; k < tile->depth; k++) {
        const float *b = tile->b + k * tile->b_stride;
        __m512 low = _mm512_maskz_loadu_ps(mask[0], b);
        __m512 high =
            vectors == 2 ? _mm512_maskz_loadu_ps(mask[1], b + LANES) : _mm512_setzero_ps();

#pragma GCC unroll 14
        for (size_t i = 0; i < rows; i++) {
            __m512 a = _mm512_set1_ps(tile->a[i * STRIDE + k]);

            sums[i][0] = _mm512_fmadd_ps(a, low, sums[i][0]);
            if (vectors == 2)
                sums[i][1] = _mm512_fmadd_ps(a, high, sums[i][1]);
        }
    }
#pragma GCC unroll 14
    for (size_t i = 0; i < rows; i++) {
        store(tile->c + i * tile->c_stride, sums[i][0], mask[0], tile->alpha, tile->beta);
        if (vectors == 2)
            store(tile->c + i * tile->c_stride + LANES, sums[i][1], mask[1], tile->alpha,
                  tile->beta);
    }
}

static WIDE void multiply_narrow(const struct tile *tile, size_t rows)
{
    switch (rows) {
    case 1: multiply(tile, 1, 1); break;
    case 2: multiply(tile, 2, 1); break;
    case 3: multiply(tile, 3, 1); break;
    case 4: multiply(tile, 4, 1); break;
    case 5: multiply(tile, 5, 1); break;
    case 6: multiply(tile, 6, 1); break;
    case 7: multiply(tile, 7, 1); break;
    case 8: multiply(tile, 8, 1); break;
    case 9: multiply(tile, 9, 1); break;
    case 10: multiply(tile, 10, 1); break;
    case 11: multiply(tile, 11, 1); break;
    case 12: multiply(tile, 12, 1); break;
    case 13: multiply(tile, 13, 1); break;
    default: multiply(tile, TILE_ROWS, 1); break;
    }
}

static WIDE void multiply_wide(const struct tile *tile, size_t rows)
{
    switch (rows) {
    case 1: multiply(tile, 1, 2); break;
    case 2: multiply(tile, 2, 2); break;
    case 3: multiply(tile, 3, 2); break;
    case 4: multiply(tile, 4, 2); break;
    case 5: multiply(tile, 5, 2); break;
    case 6: multiply(tile, 6, 2); break;
    case 7: multiply(tile, 7, 2); break;
    case 8: multiply(tile, 8, 2); break;
    case 9: multiply(tile, 9, 2); break;
    case 10: multiply(tile, 10, 2); break;
    case 11: multiply(tile, 11, 2); break;
    case 12: multiply(tile, 12, 2); break;
    case 13: multiply(tile, 13, 2); break;
    default: multiply(tile, TILE_ROWS, 2); break;
    }
}

/* A part of b that will be needed soon, fetched in shares so that fetches do not queue up. */
static void fetch(struct sotto_matrix_view part, size_t share, size_t shares)
{
    enum { LINE = 64 / sizeof(float) };

    for (size_t i = share * part.rows / shares; i < (share + 1) * part.rows / shares; i++) {
        for (size_t j = 0; j < part.columns; j += LINE)
            __builtin_prefetch(part.at + i * part.stride + j, 0, 2);
    }
}

/*
 * All rows of one panel, in tiles of heights that differ by at most one. Weights come from main
 * memory: those of the next panel are fetched meanwhile.
 */
static WIDE void multiply_panel(struct tile tile, size_t rows, struct sotto_matrix_view next)
{
    size_t tiles = (rows + TILE_ROWS - 1) / TILE_ROWS;
    size_t height = rows / tiles;
    size_t taller = rows % tiles;

    for (size_t i = 0; i < tiles; i++) {
        size_t own = height + (i < taller ? 1 : 0);

        if (tile.columns <= LANES)
            multiply_narrow(&tile, own);
        else
            multiply_wide(&tile, own);
        fetch(next, i, tiles);
        tile.a += own * STRIDE;
        tile.c += own * tile.c_stride;
        if (tile.residual != NULL)
            tile.residual += own * tile.residual_stride;
    }
}

/* Four vectors of a 4 x 4 block transpose, in each 128-bit lane. */
static WIDE_INLINE void transpose_lanes(__m512 row[4])
{
    __m512 low01 = _mm512_unpacklo_ps(row[0], row[1]);
    __m512 high01 = _mm512_unpackhi_ps(row[0], row[1]);
    __m512 low23 = _mm512_unpacklo_ps(row[2], row[3]);
    __m512 high23 = _mm512_unpackhi_ps(row[2], row[3]);

    row[0] = _mm512_shuffle_ps(low01, low23, 0x44);
    row[1] = _mm512_shuffle_ps(low01, low23, 0xee);
    row[2] = _mm512_shuffle_ps(high01, high23, 0x44);
    row[3] = _mm512_shuffle_ps(high01, high23, 0xee);
}

/* The same for 128-bit lanes: vector i's lane j becomes vector j's lane i. */
static WIDE_INLINE void transpose_quarters(__m512 *a, __m512 *b, __m512 *c, __m512 *d)
{
    __m512 low = _mm512_shuffle_f32x4(*a, *b, 0x44);
    __m512 high = _mm512_shuffle_f32x4(*a, *b, 0xee);
    __m512 low_next = _mm512_shuffle_f32x4(*c, *d, 0x44);
    __m512 high_next = _mm512_shuffle_f32x4(*c, *d, 0xee);

    *a = _mm512_shuffle_f32x4(low, low_next, 0x88);
    *b = _mm512_shuffle_f32x4(low, low_next, 0xdd);
    *c = _mm512_shuffle_f32x4(high, high_next, 0x88);
    *d = _mm512_shuffle_f32x4(high, high_next, 0xdd);
}

/*
 * to[j][i] = from[i][j] for up to 16 rows i and columns j; zeros for the rows that are missing.
 * Writes whole vectors.
 */
static WIDE void transpose(float *to, size_t to_stride, struct sotto_matrix_view from)
{
    __mmask16 mask = lanes(from.columns);
    __m512 row[LANES];

#pragma GCC unroll 16
    for (size_t i = 0; i < LANES; i++)
        row[i] = i < from.rows
                     ? _mm512_maskz_loadu_ps(mask, sotto_host_read(from.at + i * from.stride))
                     : _mm512_setzero_ps();
#pragma GCC unroll 4
    for (size_t i = 0; i < LANES; i += 4)
        transpose_lanes(row + i);
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++)
        transpose_quarters(&row[i], &row[4 + i], &row[8 + i], &row[12 + i]);
    for (size_t j = 0; j < from.columns; j++)
        _mm512_storeu_ps(to + j * to_stride, row[j]);
}

static WIDE void copy_row(float *to, const float *from, size_t count)
{
    for (size_t i = 0; i < count; i += LANES)
        _mm512_storeu_ps(to + i, _mm512_maskz_loadu_ps(lanes(count - i), from + i));
}

/* Rows `row` on and inner elements `first` on of a factor, to rows of stride STRIDE. */
static WIDE void pack_rows(float *block, struct sotto_factor a, size_t row, size_t first)
{
    if (!a.is_transposed) {
        struct sotto_matrix_view part = part_of(a.view, row, first, BLOCK_ROWS, DEPTH);

        for (size_t i = 0; i < part.rows; i++)
            copy_row(block + i * STRIDE, sotto_host_read(part.at + i * part.stride), part.columns);
        return;
    }
    for (size_t k = first; k < a.view.rows && k < first + DEPTH; k += LANES) {
        for (size_t i = row; i < a.view.columns && i < row + BLOCK_ROWS; i += LANES) {
            struct sotto_matrix_view part = part_of(a.view, k, i, LANES, LANES);
            size_t left = row + BLOCK_ROWS - i;

            part.columns = part.columns < left ? part.columns : left;
            part.rows = part.rows < first + DEPTH - k ? part.rows : first + DEPTH - k;
            transpose(block + (i - row) * STRIDE + (k - first), STRIDE, part);
        }
    }
}

/* Columns `column` on and inner elements `first` on of a factor, to a panel of TILE_COLUMNS. */
static WIDE void pack_panel(float *panel, struct sotto_factor b, size_t column, size_t first)
{
    if (!b.is_transposed) {
        struct sotto_matrix_view part = part_of(b.view, first, column, DEPTH, TILE_COLUMNS);

        for (size_t k = 0; k < part.rows; k++)
            copy_row(panel + k * TILE_COLUMNS, sotto_host_read(part.at + k * part.stride),
                     part.columns);
        return;
    }
    for (size_t k = first; k < b.view.columns && k < first + DEPTH; k += LANES) {
        for (size_t j = 0; j < TILE_COLUMNS && column + j < b.view.rows; j += LANES) {
            struct sotto_matrix_view part = part_of(b.view, column + j, k, LANES, LANES);

            part.columns = part.columns < first + DEPTH - k ? part.columns : first + DEPTH - k;
            transpose(panel + (k - first) * TILE_COLUMNS + j, TILE_COLUMNS, part);
        }
    }
}

/* What pack_panel will read; nothing behind the last panel. */
static struct sotto_matrix_view panel_source(struct sotto_factor b, size_t column, size_t first)
{
    if (column >= (b.is_transposed ? b.view.rows : b.view.columns))
        return (struct sotto_matrix_view){b.view.at, 0, 0, 0};
    return b.is_transposed ? part_of(b.view, column, first, TILE_COLUMNS, DEPTH)
                           : part_of(b.view, first, column, DEPTH, TILE_COLUMNS);
}

/* What is added to all results of a product. */
struct addends {
    const struct sotto_device_float *bias;
    struct sotto_matrix_view residual;
};

/* All columns of c, of a block of rows and a slice of the inner dimension. */
static WIDE void multiply_block(struct sotto_matrix c, const struct addends *addends,
                                struct sotto_factor b, size_t first, struct tile tile)
{
    const float *block = tile.a;
    float panel[DEPTH * TILE_COLUMNS] __attribute__((aligned(64)));
    bool is_direct = !b.is_transposed && c.rows <= TILE_ROWS;

    for (size_t column = 0; column < c.columns; column += TILE_COLUMNS) {
        if (!is_direct)
            pack_panel(panel, b, column, first);
        tile.a = block;
        tile.b = is_direct ? sotto_host_read(b.view.at + first * b.view.stride + column) : panel;
        tile.b_stride = is_direct ? b.view.stride : TILE_COLUMNS;
        tile.c = sotto_host_write(c.at + column);
        tile.columns = c.columns - column < TILE_COLUMNS ? c.columns - column : TILE_COLUMNS;
        tile.bias = addends->bias == NULL ? NULL : sotto_host_read(addends->bias + column);
        tile.residual =
            addends->residual.at == NULL ? NULL : sotto_host_read(addends->residual.at + column);
        tile.residual_stride = addends->residual.stride;
        multiply_panel(tile, c.rows, panel_source(b, column + TILE_COLUMNS, first));
    }
}

static const struct addends nothing = {NULL, {NULL, 0, 0, 0}};

/* c = alpha (a b + addends) + beta c */
static WIDE void run(struct sotto_matrix c, struct sotto_factor a, struct sotto_factor b,
                     const struct tile *rule, struct addends addends)
{
    float block[BLOCK_ROWS * STRIDE] __attribute__((aligned(64)));
    size_t inner = a.is_transposed ? a.view.rows : a.view.columns;

    for (size_t first = 0; first == 0 || first < inner; first += DEPTH) {
        for (size_t row = 0; row < c.rows; row += BLOCK_ROWS) {
            size_t left = c.rows - row;
            struct sotto_matrix rows = {c.at + row * c.stride,
                                        left < BLOCK_ROWS ? left : BLOCK_ROWS, c.columns, c.stride};
            struct addends own = first == 0 ? addends : nothing;
            struct tile tile = {.a = block,
                                .c_stride = c.stride,
                                .is_far = c.rows * c.stride > FAR,
                                .depth = inner - first < DEPTH ? inner - first : DEPTH,
                                .alpha = rule->alpha,
                                .beta = first == 0 ? rule->beta : 1.0f};

            if (own.residual.at != NULL)
                own.residual.at += row * own.residual.stride;
            pack_rows(block, a, row, first);
            multiply_block(rows, &own, b, first, tile);
        }
    }
}

void sotto_wide_matmul(struct sotto_matrix c, struct sotto_factor a, struct sotto_factor b,
                       float alpha, float beta)
{
    const struct tile rule = {.alpha = alpha, .beta = beta};

    run(c, a, b, &rule, nothing);
}

void sotto_wide_affine(struct sotto_matrix y, struct sotto_matrix_view x,
                       struct sotto_matrix_view weight, const struct sotto_device_float *bias,
                       struct sotto_matrix_view residual)
{
    const struct tile rule = {.alpha = 1.0f, .beta = 0.0f};

    run(y, sotto_factor_plain(x), sotto_factor_transposed(weight), &rule,
        (struct addends){bias, residual});
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

#endif
