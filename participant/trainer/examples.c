#include "participant/trainer/examples.h"

static enum sotto_status check(const struct sotto_dataset *dataset, const char *path,
                               const struct sotto_adapter_choice *choice,
                               struct sotto_picture_form form, struct sotto_fault *fault)
{
    if (dataset->side != form.side || dataset->channels != form.channels)
        return sotto_fault_set(fault, SOTTO_MISMATCH,
                               "pictures in %s are %u x %u with %u channels, the model's are "
                               "%u x %u with %u: use a folder of pictures, which are converted",
                               path, dataset->side, dataset->side, dataset->channels, form.side,
                               form.side, form.channels);
    for (size_t index = 0; index < dataset->count; index++)
        if (dataset->labels[index] >= choice->label_count)
            return sotto_fault_set(fault, SOTTO_MISMATCH,
                                   "example %zu of %s has label %u, the adapter knows %u labels",
                                   index, path, dataset->labels[index], choice->label_count);
    return SOTTO_OK;
}

static enum sotto_status open_idx(struct sotto_dataset *dataset,
                                  const struct sotto_examples_place *place,
                                  const struct sotto_adapter_choice *choice,
                                  struct sotto_picture_form form, struct sotto_fault *fault)
{
    struct sotto_idx_slice slice = {
        .images_path = place->images, .labels_path = place->labels, .count = place->count};
    enum sotto_status status = sotto_dataset_open_idx(dataset, &slice, fault);

    if (status != SOTTO_OK)
        return status;
    status = check(dataset, place->images, choice, form, fault);
    if (status != SOTTO_OK)
        sotto_dataset_close(dataset);
    return status;
}

enum sotto_status sotto_examples_open(struct sotto_dataset *dataset,
                                      const struct sotto_examples_place *place,
                                      const struct sotto_adapter_choice *choice,
                                      const struct sotto_model *model, struct sotto_fault *fault)
{
    struct sotto_label_names labels = {.names = choice->labels, .count = choice->label_count};
    struct sotto_picture_form form = sotto_model_picture_form(model);

    if (place->folder[0] != '\0')
        return sotto_dataset_open_folder(dataset, place->folder, form, &labels, fault);
    return open_idx(dataset, place, choice, form, fault);
}
