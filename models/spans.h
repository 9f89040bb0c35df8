/* Which lanes of an adapter an optimiser moves, and which of them decay. */
#ifndef SOTTO_MODELS_SPANS_H
#define SOTTO_MODELS_SPANS_H

#include "models/adapter/subset.h"
#include "models/optim/adamw.h"

/*
 * The trained tensors, neighbours that decay alike as one span. A and B decay, nothing else does.
 *
 *   spans  out  [layout->tensor_count], of which the result is the count
 */
size_t sotto_spans_of(struct sotto_adamw_span *spans, const struct sotto_layout *layout,
                      enum sotto_trained trained, double weight_decay);

#endif
