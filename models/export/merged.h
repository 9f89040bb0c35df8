/*
 * A model directory of its own: the base model with an adapter in its weights, for tools that know
 * no adapters.
 */
#ifndef SOTTO_MODELS_EXPORT_MERGED_H
#define SOTTO_MODELS_EXPORT_MERGED_H

#include "models/adapter/layout.h"

/*
 * Writes `folder`, which must not exist, through a temporary sibling and a rename: it appears whole
 * or not at all. config.json and what belongs to the input (tokenizer, preprocessor) are the base
 * model's, with the adapter's labels and the architecture of a classifier in config.json; the
 * weights are in the base model's types.
 *
 *   base   in  the model directory that the adapter is for
 *   lanes  in  [layout->lane_count]
 *
 * SOTTO_IO (also: something of that name is there), SOTTO_MISMATCH (the adapter is for another
 * base; the fault names what differs), SOTTO_MALFORMED (NaN in the adapter, or a sum beyond the
 * base's type), the statuses of sotto_model_files_open: nothing of that name is there.
 */
SOTTO_CHECKED enum sotto_status sotto_merged_write(const char *folder, const char *base,
                                                   const struct sotto_layout *layout,
                                                   const float *lanes, struct sotto_fault *fault);

#endif
