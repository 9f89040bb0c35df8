#include "models/model.h"

#include <stdlib.h>

#include "models/arch/base.h"
#include "models/kernels/kernels.h"

struct sotto_model {
    const struct sotto_kernels *kernels;
    struct sotto_base base;
};

enum sotto_status sotto_model_open(struct sotto_model **model, const char *folder,
                                   struct sotto_fault *fault)
{
    struct sotto_model *opened = calloc(1, sizeof *opened);
    enum sotto_status status;

    *model = NULL;
    if (opened == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory to open the model %s", folder);
    status = sotto_base_open(&opened->base, folder, fault);
    if (status != SOTTO_OK) {
        free(opened);
        return status;
    }
    opened->kernels = sotto_kernels_cpu();
    *model = opened;
    return SOTTO_OK;
}

void sotto_model_close(struct sotto_model *model)
{
    if (model == NULL)
        return;
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

const struct sotto_base *sotto_model_base(const struct sotto_model *model)
{
    return &model->base;
}

const struct sotto_kernels *sotto_model_kernels(const struct sotto_model *model)
{
    return model->kernels;
}
