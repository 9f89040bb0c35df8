#include "models/kernels/wide/panel.h"

#if defined(__x86_64__)

#include <string.h>

#include "models/kernels/device/host.h"
#include "models/kernels/wide/tile.h"
#include "models/kernels/wide/vector.h"

enum { LANES = SOTTO_WIDE_LANES };

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

/* Four vectors of a 4 x 4 block transpose, in each 128-bit lane. */
static SOTTO_WIDE_INLINE void transpose_lanes(__m512 row[4])
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
static SOTTO_WIDE_INLINE void transpose_quarters(__m512 *a, __m512 *b, __m512 *c, __m512 *d)
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
static SOTTO_WIDE void transpose_ragged(float *to, size_t to_stride, struct sotto_matrix_view from)
{
    __mmask16 mask = sotto_wide_lanes(from.columns);
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

/* Four floats each of every fourth row from `at` on, one after another. */
static SOTTO_WIDE_INLINE __m512 quarters_of(const float *at, size_t stride)
{
    __m512 quarters = _mm512_castps128_ps512(_mm_loadu_ps(at));

    quarters = _mm512_mask_broadcast_f32x4(quarters, 0x00f0, _mm_loadu_ps(at + 4 * stride));
    quarters = _mm512_mask_broadcast_f32x4(quarters, 0x0f00, _mm_loadu_ps(at + 8 * stride));
    return _mm512_mask_broadcast_f32x4(quarters, 0xf000, _mm_loadu_ps(at + 12 * stride));
}

/* to[j][i] = from[i][j] for 16 rows i and columns j: loads do most of it, shuffles the rest. */
static SOTTO_WIDE void transpose(float *to, size_t to_stride, const float *from, size_t from_stride)
{
#pragma GCC unroll 4
    for (size_t j = 0; j < LANES; j += 4) {
        __m512 row[4];

#pragma GCC unroll 4
        for (size_t i = 0; i < 4; i++)
            row[i] = quarters_of(from + i * from_stride + j, from_stride);
        transpose_lanes(row);
#pragma GCC unroll 4
        for (size_t i = 0; i < 4; i++)
            _mm512_storeu_ps(to + (j + i) * to_stride, row[i]);
    }
}

/* The same for what may be smaller at its ends. */
static SOTTO_WIDE void transpose_part(float *to, size_t to_stride, struct sotto_matrix_view from)
{
    if (from.rows == LANES && from.columns == LANES)
        transpose(to, to_stride, sotto_host_read(from.at), from.stride);
    else
        transpose_ragged(to, to_stride, from);
}

static SOTTO_WIDE void copy_row(float *to, const float *from, size_t count)
{
    for (size_t i = 0; i < count; i += LANES)
        _mm512_storeu_ps(to + i, _mm512_maskz_loadu_ps(sotto_wide_lanes(count - i), from + i));
}

void SOTTO_WIDE sotto_wide_rows_pack(float *block, struct sotto_factor a, size_t row, size_t first)
{
    const size_t end = first + SOTTO_WIDE_DEPTH;

    if (!a.is_transposed) {
        struct sotto_matrix_view part =
            part_of(a.view, row, first, SOTTO_WIDE_BLOCK_ROWS, SOTTO_WIDE_DEPTH);

        for (size_t i = 0; i < part.rows; i++)
            copy_row(block + i * SOTTO_WIDE_STRIDE, sotto_host_read(part.at + i * part.stride),
                     part.columns);
        return;
    }
    for (size_t k = first; k < a.view.rows && k < end; k += LANES) {
        for (size_t i = row; i < a.view.columns && i < row + SOTTO_WIDE_BLOCK_ROWS; i += LANES) {
            struct sotto_matrix_view part = part_of(a.view, k, i, LANES, LANES);
            size_t left = row + SOTTO_WIDE_BLOCK_ROWS - i;

            part.columns = part.columns < left ? part.columns : left;
            part.rows = part.rows < end - k ? part.rows : end - k;
            transpose_part(block + (i - row) * SOTTO_WIDE_STRIDE + (k - first), SOTTO_WIDE_STRIDE,
                           part);
        }
    }
}

static SOTTO_WIDE void pack_plain(float *panel, const struct sotto_wide_right *b, size_t column,
                                  size_t first)
{
    const struct sotto_matrix_view all = {b->at, b->inner, b->columns, b->stride};
    struct sotto_matrix_view part =
        part_of(all, first, column, SOTTO_WIDE_DEPTH, SOTTO_WIDE_COLUMNS);

    for (size_t k = 0; k < part.rows; k++)
        copy_row(panel + k * SOTTO_WIDE_COLUMNS, sotto_host_read(part.at + k * part.stride),
                 part.columns);
}

static SOTTO_WIDE void pack_transposed(float *panel, const struct sotto_wide_right *b,
                                       size_t column, size_t first)
{
    const struct sotto_matrix_view all = {b->at, b->columns, b->inner, b->stride};
    const size_t end = first + SOTTO_WIDE_DEPTH;

    for (size_t k = first; k < b->inner && k < end; k += LANES) {
        for (size_t j = 0; j < SOTTO_WIDE_COLUMNS && column + j < b->columns; j += LANES) {
            struct sotto_matrix_view part = part_of(all, column + j, k, LANES, LANES);

            part.columns = part.columns < end - k ? part.columns : end - k;
            transpose_part(panel + (k - first) * SOTTO_WIDE_COLUMNS + j, SOTTO_WIDE_COLUMNS, part);
        }
    }
}

/* A square of 32 columns of one panel of W is one piece, [column][row]; its rows become rows. */
static SOTTO_WIDE void pack_turned(float *panel, const struct sotto_wide_right *b, size_t column,
                                   size_t first)
{
    for (size_t k = first; k < b->inner && k < first + SOTTO_WIDE_DEPTH; k += SOTTO_WIDE_COLUMNS) {
        const float *square = sotto_host_read(b->at + k * b->columns + column * SOTTO_WIDE_COLUMNS);
        float *out = panel + (k - first) * SOTTO_WIDE_COLUMNS;

        for (size_t i = 0; i < SOTTO_WIDE_COLUMNS; i += LANES) {
            for (size_t j = 0; j < SOTTO_WIDE_COLUMNS; j += LANES)
                transpose(out + j * SOTTO_WIDE_COLUMNS + i, SOTTO_WIDE_COLUMNS,
                          square + i * SOTTO_WIDE_COLUMNS + j, SOTTO_WIDE_COLUMNS);
        }
    }
}

void SOTTO_WIDE sotto_wide_panel_pack(float *panel, const struct sotto_wide_right *b, size_t column,
                                      size_t first)
{
    switch (b->order) {
    case SOTTO_WIDE_PLAIN: pack_plain(panel, b, column, first); break;
    case SOTTO_WIDE_TRANSPOSED: pack_transposed(panel, b, column, first); break;
    case SOTTO_WIDE_TURNED: pack_turned(panel, b, column, first); break;
    case SOTTO_WIDE_PANELS:
        memcpy(panel, sotto_wide_panel_at(b, column, first),
               (b->inner - first < SOTTO_WIDE_DEPTH ? b->inner - first : SOTTO_WIDE_DEPTH) *
                   SOTTO_WIDE_COLUMNS * sizeof *panel);
        break;
    }
}

const float *sotto_wide_panel_at(const struct sotto_wide_right *b, size_t column, size_t first)
{
    return sotto_host_read(b->at + column * b->inner + first * SOTTO_WIDE_COLUMNS);
}

struct sotto_ahead sotto_wide_panel_source(const struct sotto_wide_right *b, size_t column,
                                           size_t first)
{
    const size_t size = sizeof *b->at;
    size_t inner = b->inner - first < SOTTO_WIDE_DEPTH ? b->inner - first : SOTTO_WIDE_DEPTH;
    size_t left = b->columns > column ? b->columns - column : 0;
    size_t columns = left < SOTTO_WIDE_COLUMNS ? left : SOTTO_WIDE_COLUMNS;
    size_t square = SOTTO_WIDE_COLUMNS * SOTTO_WIDE_COLUMNS * size;
    const struct sotto_device_float *at = b->at;

    if (columns == 0)
        return (struct sotto_ahead){0};
    switch (b->order) {
    case SOTTO_WIDE_PLAIN:
        return (struct sotto_ahead){(const char *)(at + first * b->stride + column), inner,
                                    columns * size, b->stride * size};
    case SOTTO_WIDE_TRANSPOSED:
        return (struct sotto_ahead){(const char *)(at + column * b->stride + first), columns,
                                    inner * size, b->stride * size};
    case SOTTO_WIDE_PANELS:
        at += column * b->inner + first * SOTTO_WIDE_COLUMNS;
        return (struct sotto_ahead){(const char *)at, 1, inner * SOTTO_WIDE_COLUMNS * size, 0};
    case SOTTO_WIDE_TURNED:
        at += first * b->columns + column * SOTTO_WIDE_COLUMNS;
        return (struct sotto_ahead){(const char *)at, inner / SOTTO_WIDE_COLUMNS, square,
                                    SOTTO_WIDE_COLUMNS * b->columns * size};
    }
    return (struct sotto_ahead){0};
}

void SOTTO_WIDE sotto_wide_panels_pack(struct sotto_device_float *out, struct sotto_matrix_view w)
{
    for (size_t row = 0; row < w.rows; row += SOTTO_WIDE_COLUMNS) {
        float *panel = sotto_host_write(out + row * w.columns);

        for (size_t column = 0; column < w.columns; column += LANES) {
            for (size_t i = 0; i < SOTTO_WIDE_COLUMNS; i += LANES)
                transpose(panel + column * SOTTO_WIDE_COLUMNS + i, SOTTO_WIDE_COLUMNS,
                          sotto_host_read(w.at + (row + i) * w.stride + column), w.stride);
        }
    }
}

#endif
