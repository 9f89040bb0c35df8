/* The tile for processors with AVX512_BF16, from Cooper Lake and Zen 4 on. */
#ifndef SOTTO_MODELS_KERNELS_PACKED_TILE_AVX512_H
#define SOTTO_MODELS_KERNELS_PACKED_TILE_AVX512_H

#include "models/kernels/packed/tile.h"

/* NULL where the processor, or the compiler, has no such instructions. */
const struct sotto_tile_kernel *sotto_tile_avx512(void);

#endif
