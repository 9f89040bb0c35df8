#include "models/adapter/origin.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "models/adapter/naming.h"

static bool is_of_norm(enum sotto_tensor_role role)
{
    return role == SOTTO_ROLE_NORM_GAIN || role == SOTTO_ROLE_NORM_BIAS;
}

static size_t find_named(const struct sotto_checkpoint *checkpoint, enum sotto_family family,
                         const char *module, const char *ending)
{
    size_t none = sotto_checkpoint_tensor_count(checkpoint);
    size_t prefix = strlen(sotto_family_names(family)->prefix);
    char name[SOTTO_TENSOR_TEXT_MAX + 1];
    size_t found;

    snprintf(name, sizeof name, "%s%s", module, ending);
    found = sotto_checkpoint_find(checkpoint, name);
    return found < none ? found : sotto_checkpoint_find(checkpoint, name + prefix);
}

/* What the first files of BERT call a LayerNorm's tensors. */
static const char *older_ending(const char *ending)
{
    return strcmp(ending, ".weight") == 0 ? ".gamma" : ".beta";
}

size_t sotto_origin_find(const struct sotto_checkpoint *checkpoint,
                         const struct sotto_layout_tensor *tensor, enum sotto_family family)
{
    bool is_norm = is_of_norm(tensor->role);
    bool is_bias = tensor->role == SOTTO_ROLE_NORM_BIAS || tensor->role == SOTTO_ROLE_LINEAR_BIAS;
    const char *ending = is_bias ? ".bias" : ".weight";
    size_t none = sotto_checkpoint_tensor_count(checkpoint);
    size_t found = none;

    assert(tensor->role != SOTTO_ROLE_HEAD && tensor->role != SOTTO_ROLE_HEAD_BIAS);
    for (uint32_t naming = 0; naming < SOTTO_NAMING_COUNT && found == none; naming++) {
        char module[SOTTO_MODULE_TEXT_MAX + 1];

        if (is_norm)
            sotto_naming_norm_module(module, tensor, family, (enum sotto_naming)naming);
        else
            sotto_naming_target_module(module, tensor, family, (enum sotto_naming)naming);
        found = find_named(checkpoint, family, module, ending);
        if (found == none && is_norm)
            found = find_named(checkpoint, family, module, older_ending(ending));
    }
    return found;
}

static enum sotto_status start_tensor(float *lanes, const struct sotto_layout *layout, size_t i,
                                      const struct sotto_checkpoint *checkpoint,
                                      struct sotto_fault *fault)
{
    const struct sotto_layout_tensor *tensor = &layout->tensors[i];
    const uint64_t shape[1] = {tensor->rows};
    size_t found = sotto_origin_find(checkpoint, tensor, layout->base.family);
    char name[SOTTO_TENSOR_TEXT_MAX + 1];

    if (found < sotto_checkpoint_tensor_count(checkpoint))
        return sotto_stored_tensor_read(
            lanes + tensor->first, sotto_checkpoint_tensor(checkpoint, found), shape, 1, fault);
    sotto_layout_tensor_name(name, layout, i);
    return sotto_fault_set(fault, SOTTO_MISMATCH,
                           "the base model has no values for the adapter's tensor %s: use the "
                           "model that it is made for",
                           name);
}

enum sotto_status sotto_origin_start(float *lanes, const struct sotto_layout *layout,
                                     const struct sotto_checkpoint *checkpoint,
                                     struct sotto_fault *fault)
{
    enum sotto_status status = SOTTO_OK;

    for (size_t i = 0; i < layout->tensor_count && status == SOTTO_OK; i++) {
        enum sotto_tensor_role role = layout->tensors[i].role;

        if (is_of_norm(role) || role == SOTTO_ROLE_LINEAR_BIAS)
            status = start_tensor(lanes, layout, i, checkpoint, fault);
    }
    return status;
}
