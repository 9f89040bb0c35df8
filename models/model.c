#include "models/model.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "models/adapter/origin.h"
#include "models/arch/base.h"
#include "models/arch/packing.h"
#include "models/arch/tensors.h"
#include "models/kernels/kernels.h"
#include "models/tokenise/tokeniser.h"

struct sotto_model {
    const struct sotto_kernels *kernels;
    struct sotto_base base;
    const struct sotto_device_float *weights; /* the base's, adopted */
    struct sotto_tokeniser *tokeniser;        /* of a model for texts */
    struct sotto_base_packed packed;
};

/* Reads the tokeniser of a model for texts, all of whose tokens the model must know. */
static enum sotto_status open_tokeniser(struct sotto_model *model, const char *folder,
                                        struct sotto_fault *fault)
{
    const struct sotto_model_files *files = &model->base.files;
    char path[1100];
    enum sotto_status status;

    if (files->arch.task == SOTTO_TASK_PICTURE_CLASS)
        return SOTTO_OK;
    snprintf(path, sizeof path, "%.1024s/%s", folder, sotto_model_input_name(&files->arch));
    status = sotto_tokeniser_open(&model->tokeniser,
                                  sotto_view_of(files->input, files->input_length), path, fault);
    if (status == SOTTO_OK && sotto_tokeniser_size(model->tokeniser) > files->arch.vocabulary)
        status =
            sotto_fault_set(fault, SOTTO_MISMATCH,
                            "%s has %u tokens, the model knows %u: use the file that came "
                            "with the model",
                            path, sotto_tokeniser_size(model->tokeniser), files->arch.vocabulary);
    return status;
}

static size_t weight_count(const struct sotto_model *model)
{
    return sotto_base_weight_count(&model->base.arch);
}

static enum sotto_status adopt_weights(struct sotto_model *model, const char *folder,
                                       struct sotto_fault *fault)
{
    model->weights = model->kernels->adopt(model->base.weights, weight_count(model));
    if (model->weights == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY,
                               "%.200s: no memory for %zu weights on the device %s", folder,
                               weight_count(model), model->kernels->name);
    return SOTTO_OK;
}

enum sotto_status sotto_model_open_on(struct sotto_model **model, const char *folder,
                                      const struct sotto_kernels *kernels,
                                      enum sotto_weights weights, struct sotto_fault *fault)
{
    struct sotto_model *opened = calloc(1, sizeof *opened);
    enum sotto_status status;

    *model = NULL;
    if (opened == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory to open the model %s", folder);
    opened->kernels = kernels == NULL ? sotto_kernels_cpu() : kernels;
    status = sotto_base_open_packed(&opened->base, &opened->packed, folder, opened->kernels,
                                    weights == SOTTO_WEIGHTS_BFLOAT16, fault);
    if (status == SOTTO_OK)
        status = open_tokeniser(opened, folder, fault);
    if (status == SOTTO_OK)
        status = adopt_weights(opened, folder, fault);
    if (status != SOTTO_OK) {
        sotto_model_close(opened);
        return status;
    }
    *model = opened;
    return SOTTO_OK;
}

enum sotto_status sotto_model_open(struct sotto_model **model, const char *folder,
                                   struct sotto_fault *fault)
{
    return sotto_model_open_on(model, folder, NULL, SOTTO_WEIGHTS_FLOAT32, fault);
}

void sotto_model_close(struct sotto_model *model)
{
    if (model == NULL)
        return;
    sotto_tokeniser_close(model->tokeniser);
    sotto_base_packed_close(&model->packed);
    if (model->weights != NULL)
        model->kernels->disown(model->weights, weight_count(model));
    sotto_base_close(&model->base);
    free(model);
}

const struct sotto_arch *sotto_model_arch(const struct sotto_model *model)
{
    return &model->base.arch;
}

size_t sotto_model_parts(const struct sotto_model *model,
                         struct sotto_view parts[SOTTO_MODEL_PARTS_MAX])
{
    return sotto_model_files_parts(&model->base.files, parts);
}

struct sotto_picture_form sotto_model_picture_form(const struct sotto_model *model)
{
    return (struct sotto_picture_form){model->base.arch.channels, model->base.arch.image_side};
}

const struct sotto_tokeniser *sotto_model_tokeniser(const struct sotto_model *model)
{
    return model->tokeniser;
}

enum sotto_status sotto_model_start(float *lanes, const struct sotto_model *model,
                                    const struct sotto_layout *layout,
                                    struct sotto_entropy *entropy, struct sotto_fault *fault)
{
    sotto_layout_start(lanes, layout, entropy);
    return sotto_origin_start(lanes, layout, &model->base.files.checkpoint, fault);
}

const struct sotto_base *sotto_model_base(const struct sotto_model *model)
{
    return &model->base;
}

const struct sotto_device_float *sotto_model_weights(const struct sotto_model *model)
{
    return model->weights;
}

const struct sotto_base_packed *sotto_model_packed(const struct sotto_model *model)
{
    return model->packed.blocks != NULL ? &model->packed : NULL;
}

const struct sotto_kernels *sotto_model_kernels(const struct sotto_model *model)
{
    return model->kernels;
}
