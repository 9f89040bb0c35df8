/*
 * The weights of a base model with an adapter in them: W + s B A for each adapted linear layer, the
 * adapter's own values for norms and biases, its classifier.
 */
#ifndef SOTTO_MODELS_EXPORT_WEIGHTS_H
#define SOTTO_MODELS_EXPORT_WEIGHTS_H

#include "models/adapter/layout.h"
#include "models/weights/checkpoint.h"

/* An adapter, and the files of the base model that it is for. Borrowed. */
struct sotto_adapted {
    const struct sotto_layout *layout;
    const float *lanes; /* [layout->lane_count] */
    const struct sotto_checkpoint *checkpoint;
};

/*
 * Writes every file of weights into `folder`, under the names that the base model's have, each
 * tensor in the type it has there; the sum is rounded to it once. Names without the family's prefix
 * get it, since a classifier is beside them now. The classifier goes into the last file, in
 * float32.
 *
 * SOTTO_MISMATCH: a tensor of the base model is missing or of another shape; SOTTO_MALFORMED: a sum
 * is beyond the base model's type; SOTTO_UNSUPPORTED: a name does not fit with its prefix;
 * SOTTO_NO_MEMORY, SOTTO_IO. The fault names tensor and file; files may be left in the folder.
 *
 * Memory: twice the largest file.
 */
SOTTO_CHECKED enum sotto_status sotto_adapted_write(const char *folder,
                                                    const struct sotto_adapted *adapted,
                                                    struct sotto_fault *fault);

#endif
