/*
 * Frozen weights laid out for the products that training takes with them:
 *     y = x W^T + bias + residual (forward),   dx = dy W (backward)
 * as float32, on processors whose product gains by it, or as bfloat16. With bfloat16 x and dy are
 * rounded too, to nearest even, as they are read; products are exact and sums are float32. A
 * bfloat16 is the upper half of a float32: 8 bits of precision.
 *
 * Layout: panels of 32 rows of W, which are columns of the forward's result, column by column of W:
 * [panel][column][32]; of bfloat16 the columns are in pairs, so that one vector holds a pair for
 * each of 16 rows: [panel][pair][32][2]. So 32 columns of a panel are a square in one piece. The
 * backward wants columns of W side by side, or pairs of its rows: it turns squares as it goes, once
 * for all rows that it multiplies.
 */
#ifndef SOTTO_MODELS_KERNELS_PACKED_PACKED_H
#define SOTTO_MODELS_KERNELS_PACKED_PACKED_H

#include <stdint.h>

#include "models/kernels/matrix.h"

enum { SOTTO_PANEL_WIDTH = 32 };

/*
 * W [rows, columns], or some consecutive rows of one that was packed whole. Borrows its memory: one
 * of the two, [rows * columns] in panels, is not NULL.
 */
struct sotto_packed {
    uint32_t rows;    /* a multiple of SOTTO_PANEL_WIDTH; 0: there is none */
    uint32_t columns; /* the same */
    const struct sotto_device_float *floats;
    const struct sotto_device_bf16 *halves;
};

/* `count` rows from `first` on, both multiples of SOTTO_PANEL_WIDTH. */
struct sotto_packed sotto_packed_rows(struct sotto_packed packed, uint32_t first, uint32_t count);

/* Whether float32 weights are to be packed on this processor. */
bool sotto_cpu_packs_floats(void);

/*
 *   memory  out  [rows * columns] at 64 bytes
 *   w       in   rows and columns are multiples of SOTTO_PANEL_WIDTH
 */
struct sotto_packed sotto_cpu_pack_floats(struct sotto_device_float *memory,
                                          struct sotto_matrix_view w);
struct sotto_packed sotto_cpu_pack(struct sotto_device_bf16 *memory, struct sotto_matrix_view w);

/* y = x W^T + bias + residual; bias and residual.at may be NULL; residual is not y. */
void sotto_cpu_affine_packed(struct sotto_matrix y, struct sotto_matrix_view x,
                             const struct sotto_packed *w, const struct sotto_device_float *bias,
                             struct sotto_matrix_view residual);

/* c = a W */
void sotto_cpu_matmul_packed(struct sotto_matrix c, struct sotto_matrix_view a,
                             const struct sotto_packed *w);

/*
 * The same of bfloat16 weights for every processor, with the same roundings to bfloat16: the twins
 * of the tests.
 */
void sotto_portable_affine_packed(struct sotto_matrix y, struct sotto_matrix_view x,
                                  const struct sotto_packed *w,
                                  const struct sotto_device_float *bias,
                                  struct sotto_matrix_view residual);
void sotto_portable_matmul_packed(struct sotto_matrix c, struct sotto_matrix_view a,
                                  const struct sotto_packed *w);

#endif
