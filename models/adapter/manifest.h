/*
 * Whether values are those of an adapter: what every door asks of lanes that come in beside their
 * layout, so that the fault can name the tensor. Names, shapes and the type (float32) follow from
 * the layout; the digest over layout and lanes is the caller's to compare.
 */
#ifndef SOTTO_MODELS_ADAPTER_MANIFEST_H
#define SOTTO_MODELS_ADAPTER_MANIFEST_H

#include "models/adapter/layout.h"

/*
 *   lanes  in  [count]
 *
 * SOTTO_MISMATCH: the count is not the layout's, and the fault names the tensor in which they end;
 * SOTTO_MALFORMED: the fault names the tensor that holds NaN or an infinity.
 */
SOTTO_CHECKED enum sotto_status sotto_manifest_check(const float *lanes, size_t count,
                                                     const struct sotto_layout *layout,
                                                     struct sotto_fault *fault);

#endif
