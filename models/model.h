/*
 * A base model: opened once, read-only from then on, shared by any number of trainers and threads.
 */
#ifndef SOTTO_MODELS_MODEL_H
#define SOTTO_MODELS_MODEL_H

#include "models/arch/arch.h"
#include "models/arch/files.h"
#include "models/data/dataset.h"

struct sotto_base;
struct sotto_base_packed;
struct sotto_device_float;
struct sotto_entropy;
struct sotto_kernels;
struct sotto_layout;
struct sotto_model;
struct sotto_tokeniser;

enum sotto_weights { SOTTO_WEIGHTS_FLOAT32, SOTTO_WEIGHTS_BFLOAT16 };

/*
 * Opens a Hugging Face model directory, whose files models/arch/files.h lists.
 *
 *   kernels  in  what computes, from models/kernels; NULL, as sotto_model_open has it: the CPU's
 *   weights  in  what the frozen matrices are in memory; sotto_model_open has float32. Rounded to
 *                bfloat16 products take about half the time where the processor has AVX512_BF16;
 *                docs/models.md says what it costs in accuracy.
 *
 * SOTTO_NOT_FOUND, SOTTO_MALFORMED, SOTTO_MISMATCH (a tensor against the config),
 * SOTTO_UNSUPPORTED (also bfloat16 where a width is no multiple of 32), SOTTO_OVER_LIMIT, SOTTO_IO,
 * SOTTO_NO_MEMORY: *model is NULL, the fault names file and tensor.
 */
SOTTO_CHECKED enum sotto_status sotto_model_open(struct sotto_model **model, const char *folder,
                                                 struct sotto_fault *fault);
SOTTO_CHECKED enum sotto_status sotto_model_open_on(struct sotto_model **model, const char *folder,
                                                    const struct sotto_kernels *kernels,
                                                    enum sotto_weights weights,
                                                    struct sotto_fault *fault);
void sotto_model_close(struct sotto_model *model);

const struct sotto_arch *sotto_model_arch(const struct sotto_model *model);
/* The very bytes that were loaded, as sotto_model_files_parts lists them; borrowed. */
size_t sotto_model_parts(const struct sotto_model *model,
                         struct sotto_view parts[SOTTO_MODEL_PARTS_MAX]);
struct sotto_picture_form sotto_model_picture_form(const struct sotto_model *model);
/* Of a model for pictures NULL; borrowed. */
const struct sotto_tokeniser *sotto_model_tokeniser(const struct sotto_model *model);

/*
 * The lanes that an adapter of this model starts with: those of sotto_layout_start, and norms and
 * biases that are trained as the model has them.
 *
 *   lanes  out  [layout->lane_count]
 *
 * The statuses of sotto_origin_start; lanes unspecified.
 */
SOTTO_CHECKED enum sotto_status sotto_model_start(float *lanes, const struct sotto_model *model,
                                                  const struct sotto_layout *layout,
                                                  struct sotto_entropy *entropy,
                                                  struct sotto_fault *fault);

/* What a trainer computes with, and on. Borrowed. */
const struct sotto_base *sotto_model_base(const struct sotto_model *model);
/* The base's weights in the memory of the table's device. */
const struct sotto_device_float *sotto_model_weights(const struct sotto_model *model);
const struct sotto_base_packed *sotto_model_packed(const struct sotto_model *model); /* or NULL */
const struct sotto_kernels *sotto_model_kernels(const struct sotto_model *model);

#endif
