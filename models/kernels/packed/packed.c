#include "models/kernels/packed/packed.h"

#include <assert.h>

#include "models/kernels/device/host.h"
#include "models/kernels/packed/ahead.h"
#include "models/kernels/packed/tile.h"
#include "models/kernels/packed/tile_avx512.h"
#include "models/kernels/wide/wide.h"

/* What of `a` is rounded at a time, rows and slices of its columns: it stays in L2. */
enum { BLOCK_ROWS = 29 * SOTTO_TILE_ROWS, BLOCK_SLICES = 2 };

/* One panel of 32 rows. */
static void pack_panel(struct sotto_device_bf16 *out, struct sotto_matrix_view w, size_t first)
{
    float pairs[2 * SOTTO_PANEL_WIDTH];

    for (size_t column = 0; column < w.columns; column += 2) {
        for (size_t j = 0; j < SOTTO_PANEL_WIDTH; j++) {
            const float *at = sotto_host_read(w.at + (first + j) * w.stride + column);

            pairs[2 * j] = at[0];
            pairs[2 * j + 1] = at[1];
        }
        sotto_tile_portable()->round(sotto_host_write_bf16(out + column * SOTTO_PANEL_WIDTH), pairs,
                                     2 * SOTTO_PANEL_WIDTH);
    }
}

struct sotto_packed sotto_cpu_pack(struct sotto_device_bf16 *memory, struct sotto_matrix_view w)
{
    assert(w.rows % SOTTO_PANEL_WIDTH == 0 && w.columns % SOTTO_PANEL_WIDTH == 0);
    for (size_t row = 0; row < w.rows; row += SOTTO_PANEL_WIDTH)
        pack_panel(memory + row * w.columns, w, row);
    return (struct sotto_packed){(uint32_t)w.rows, (uint32_t)w.columns, NULL, memory};
}

bool sotto_cpu_packs_floats(void)
{
    return sotto_wide_is_supported();
}

struct sotto_packed sotto_cpu_pack_floats(struct sotto_device_float *memory,
                                          struct sotto_matrix_view w)
{
    assert(w.rows % SOTTO_PANEL_WIDTH == 0 && w.columns % SOTTO_PANEL_WIDTH == 0);
    sotto_wide_pack(memory, w);
    return (struct sotto_packed){(uint32_t)w.rows, (uint32_t)w.columns, memory, NULL};
}

struct sotto_packed sotto_packed_rows(struct sotto_packed packed, uint32_t first, uint32_t count)
{
    assert(first % SOTTO_PANEL_WIDTH == 0 && count % SOTTO_PANEL_WIDTH == 0 &&
           first + count <= packed.rows);
    if (packed.floats != NULL)
        packed.floats += (size_t)first * packed.columns;
    if (packed.halves != NULL)
        packed.halves += (size_t)first * packed.columns;
    packed.rows = count;
    return packed;
}

/* A product as the tiles see it. */
struct product {
    const struct sotto_tile_kernel *kernel;
    struct sotto_matrix c;
    struct sotto_matrix_view a;
    const uint16_t *w; /* panels */
    size_t w_columns;
    bool is_forward;
    const struct sotto_device_float *bias;
    struct sotto_matrix_view residual;
};

/* Some rows and some of the inner dimension, in slices that a tile takes at once. */
struct piece {
    size_t row;
    size_t rows;
    size_t inner;
    size_t inner_count;
    size_t slices;
    uint16_t *rounded; /* [slices, BLOCK_ROWS, SOTTO_TILE_STRIDE] */
};

/* The place where part `index` of `parts` nearly equal ones begins, in whole units. */
static size_t cut(size_t total, size_t unit, size_t index, size_t parts)
{
    return total / unit * index / parts * unit;
}

static size_t slice_at(const struct piece *piece, size_t slice)
{
    return cut(piece->inner_count, SOTTO_PANEL_WIDTH, slice, piece->slices);
}

static void round_piece(const struct product *product, const struct piece *piece)
{
    for (size_t slice = 0; slice < piece->slices; slice++) {
        size_t first = slice_at(piece, slice);
        uint16_t *out = piece->rounded + slice * BLOCK_ROWS * SOTTO_TILE_STRIDE;
        const float *in =
            sotto_host_read(product->a.at + piece->row * product->a.stride + piece->inner + first);

        for (size_t row = 0; row < piece->rows; row++)
            product->kernel->round(out + row * SOTTO_TILE_STRIDE, in + row * product->a.stride,
                                   slice_at(piece, slice + 1) - first);
    }
}

/* The squares that make one slice of one panel of the product's columns. */
static struct sotto_ahead squares_of(const struct product *product, const struct piece *piece,
                                     size_t panel, size_t slice)
{
    enum { SQUARE = SOTTO_PANEL_WIDTH * SOTTO_PANEL_WIDTH };
    size_t first = piece->inner + slice_at(piece, slice);
    size_t count = slice_at(piece, slice + 1) - slice_at(piece, slice);
    size_t along = SQUARE;
    size_t row = panel * SOTTO_PANEL_WIDTH;
    size_t column = first;

    if (!product->is_forward) {
        along = SOTTO_PANEL_WIDTH * product->w_columns;
        row = first;
        column = panel * SOTTO_PANEL_WIDTH;
    }
    return (struct sotto_ahead){
        (const char *)(product->w + row * product->w_columns + column * SOTTO_PANEL_WIDTH),
        count / SOTTO_PANEL_WIDTH, SQUARE * sizeof *product->w, along * sizeof *product->w};
}

/* What is multiplied after a slice of a panel. */
static struct sotto_ahead squares_after(const struct product *product, const struct piece *piece,
                                        size_t panel, size_t slice)
{
    if (slice + 1 < piece->slices)
        return squares_of(product, piece, panel, slice + 1);
    if ((panel + 1) * SOTTO_PANEL_WIDTH < product->c.columns)
        return squares_of(product, piece, panel + 1, 0);
    return (struct sotto_ahead){0};
}

/* The slice as a tile wants it: what lies in the other order is turned into `turned`. */
static const uint16_t *panel_of(uint16_t *turned, const struct product *product,
                                struct sotto_ahead squares)
{
    if (product->is_forward)
        return (const uint16_t *)(const void *)squares.at;
    for (size_t i = 0; i < squares.count; i++)
        product->kernel->turn(turned + i * SOTTO_PANEL_WIDTH * SOTTO_PANEL_WIDTH,
                              (const uint16_t *)(const void *)(squares.at + i * squares.stride));
    return turned;
}

/* What the first slice's sums get besides. */
static void add_to(struct sotto_tile *tile, const struct product *product, size_t row,
                   size_t column)
{
    if (product->bias != NULL)
        tile->bias = sotto_host_read(product->bias + column);
    if (product->residual.at != NULL)
        tile->residual =
            sotto_host_read(product->residual.at + row * product->residual.stride + column);
    tile->residual_stride = product->residual.stride;
}

/* One slice of one panel against all rows, in tiles of equal heights, give or take one. */
static void multiply_slice(const struct product *product, const struct piece *piece, size_t panel,
                           size_t slice)
{
    _Alignas(64) uint16_t turned[SOTTO_TILE_INNER * SOTTO_PANEL_WIDTH];
    size_t tiles = (piece->rows + SOTTO_TILE_ROWS - 1) / SOTTO_TILE_ROWS;
    size_t first = slice_at(piece, slice);
    const uint16_t *rounded = piece->rounded + slice * BLOCK_ROWS * SOTTO_TILE_STRIDE;
    struct sotto_fetching fetching =
        sotto_fetching_of(squares_after(product, piece, panel, slice), tiles);
    struct sotto_tile tile = {
        .c_stride = product->c.stride,
        .panel = panel_of(turned, product, squares_of(product, piece, panel, slice)),
        .pairs = (slice_at(piece, slice + 1) - first) / 2,
        .adds = piece->inner + first > 0,
    };

    for (size_t i = 0; i < tiles; i++) {
        size_t row = piece->rows * i / tiles;

        tile.c = sotto_host_write(product->c.at + (piece->row + row) * product->c.stride +
                                  panel * SOTTO_PANEL_WIDTH);
        tile.a = rounded + row * SOTTO_TILE_STRIDE;
        tile.rows = (uint32_t)(piece->rows * (i + 1) / tiles - row);
        if (!tile.adds)
            add_to(&tile, product, piece->row + row, panel * SOTTO_PANEL_WIDTH);
        sotto_fetching_go_on(&fetching);
        product->kernel->multiply(&tile);
    }
}

static void multiply_piece(const struct product *product, const struct piece *piece)
{
    round_piece(product, piece);
    for (size_t panel = 0; panel < product->c.columns / SOTTO_PANEL_WIDTH; panel++) {
        for (size_t slice = 0; slice < piece->slices; slice++)
            multiply_slice(product, piece, panel, slice);
    }
}

static size_t parts_of(size_t total, size_t most)
{
    return (total + most - 1) / most;
}

static void multiply(const struct product *product)
{
    _Alignas(64) uint16_t rounded[BLOCK_SLICES * BLOCK_ROWS * SOTTO_TILE_STRIDE];
    size_t inner_parts = parts_of(product->a.columns, BLOCK_SLICES * SOTTO_TILE_INNER);
    size_t row_parts = parts_of(product->c.rows, BLOCK_ROWS);

    for (size_t i = 0; i < inner_parts; i++) {
        struct piece piece = {.inner = cut(product->a.columns, SOTTO_PANEL_WIDTH, i, inner_parts),
                              .rounded = rounded};

        piece.inner_count =
            cut(product->a.columns, SOTTO_PANEL_WIDTH, i + 1, inner_parts) - piece.inner;
        piece.slices = parts_of(piece.inner_count, SOTTO_TILE_INNER);
        for (size_t j = 0; j < row_parts; j++) {
            piece.row = cut(product->c.rows, 1, j, row_parts);
            piece.rows = cut(product->c.rows, 1, j + 1, row_parts) - piece.row;
            multiply_piece(product, &piece);
        }
    }
}

static const struct sotto_tile_kernel *best_kernel(void)
{
    const struct sotto_tile_kernel *kernel = sotto_tile_avx512();

    return kernel == NULL ? sotto_tile_portable() : kernel;
}

static void affine_by(const struct sotto_tile_kernel *kernel, struct product product,
                      const struct sotto_packed *w)
{
    assert(product.c.rows == product.a.rows && product.c.columns == w->rows &&
           product.a.columns == w->columns);
    product.kernel = kernel;
    product.w = sotto_host_read_bf16(w->halves);
    product.w_columns = w->columns;
    product.is_forward = true;
    multiply(&product);
}

static void matmul_by(const struct sotto_tile_kernel *kernel, struct sotto_matrix c,
                      struct sotto_matrix_view a, const struct sotto_packed *w)
{
    struct product product = {.kernel = kernel,
                              .c = c,
                              .a = a,
                              .w = sotto_host_read_bf16(w->halves),
                              .w_columns = w->columns};

    assert(c.rows == a.rows && c.columns == w->columns && a.columns == w->rows);
    multiply(&product);
}

void sotto_cpu_affine_packed(struct sotto_matrix y, struct sotto_matrix_view x,
                             const struct sotto_packed *w, const struct sotto_device_float *bias,
                             struct sotto_matrix_view residual)
{
    if (w->floats != NULL)
        sotto_wide_affine_packed(y, x, w, bias, residual);
    else
        affine_by(best_kernel(),
                  (struct product){.c = y, .a = x, .bias = bias, .residual = residual}, w);
}

void sotto_cpu_matmul_packed(struct sotto_matrix c, struct sotto_matrix_view a,
                             const struct sotto_packed *w)
{
    if (w->floats != NULL)
        sotto_wide_matmul_packed(c, a, w);
    else
        matmul_by(best_kernel(), c, a, w);
}

void sotto_portable_affine_packed(struct sotto_matrix y, struct sotto_matrix_view x,
                                  const struct sotto_packed *w,
                                  const struct sotto_device_float *bias,
                                  struct sotto_matrix_view residual)
{
    affine_by(sotto_tile_portable(),
              (struct product){.c = y, .a = x, .bias = bias, .residual = residual}, w);
}

void sotto_portable_matmul_packed(struct sotto_matrix c, struct sotto_matrix_view a,
                                  const struct sotto_packed *w)
{
    matmul_by(sotto_tile_portable(), c, a, w);
}
