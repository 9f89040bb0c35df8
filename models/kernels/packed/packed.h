/*
 * Frozen weights as bfloat16, laid out for the products that training takes with them:
 *     y = x W^T (forward),   dx = dy W (backward)
 * x and dy are rounded to bfloat16, to nearest even, as they are read; products are exact and sums
 * are float32. A bfloat16 is the upper half of a float32: 8 bits of precision.
 *
 * Layout: panels of 32 rows of W, which are columns of the forward's result; in each the columns of
 * W in pairs, so that one vector holds a pair for each of 16 rows: [panel][pair][32][2]. So 32
 * columns of a panel are a square of 2 KiB in one piece. The backward wants pairs of rows instead:
 * it turns squares as it goes, once for all rows that it multiplies.
 */
#ifndef SOTTO_MODELS_KERNELS_PACKED_PACKED_H
#define SOTTO_MODELS_KERNELS_PACKED_PACKED_H

#include <stdint.h>

#include "models/kernels/matrix.h"

enum { SOTTO_PANEL_WIDTH = 32 };

/* W [rows, columns], or some consecutive rows of one that was packed whole. Borrows its memory. */
struct sotto_packed {
    uint32_t rows;                      /* a multiple of SOTTO_PANEL_WIDTH; 0: there is none */
    uint32_t columns;                   /* the same */
    const struct sotto_device_bf16 *at; /* [rows * columns] in panels */
};

enum sotto_packed_way {
    SOTTO_PACKED_FORWARD, /* c = a W^T + beta c */
    SOTTO_PACKED_BACKWARD /* c = a W + beta c */
};

/* Elements that pack writes. */
size_t sotto_packed_count(size_t rows, size_t columns);

/*
 *   memory  out  [sotto_packed_count] at 64 bytes
 *   w       in   rows and columns are multiples of SOTTO_PANEL_WIDTH
 */
struct sotto_packed sotto_cpu_pack(struct sotto_device_bf16 *memory, struct sotto_matrix_view w);

/* `count` rows from `first` on, both multiples of SOTTO_PANEL_WIDTH. */
struct sotto_packed sotto_packed_rows(struct sotto_packed packed, uint32_t first, uint32_t count);

/*
 * Adds to c if `adds`, else overwrites it.
 *
 *   c  [n, rows of W] forward, [n, columns of W] backward
 *   a  [n, columns of W] forward, [n, rows of W] backward
 */
void sotto_cpu_matmul_packed(struct sotto_matrix c, struct sotto_matrix_view a,
                             const struct sotto_packed *w, enum sotto_packed_way way, bool adds);

/* The same for every processor, with the same roundings to bfloat16: the twin of the tests. */
void sotto_portable_matmul_packed(struct sotto_matrix c, struct sotto_matrix_view a,
                                  const struct sotto_packed *w, enum sotto_packed_way way,
                                  bool adds);

#endif
