#include "models/adapter/subset.h"

#include <assert.h>
#include <string.h>

bool sotto_trained_has(enum sotto_trained trained, enum sotto_tensor_role role)
{
    assert(trained < SOTTO_TRAINED_COUNT);
    return !(trained == SOTTO_TRAINED_A && role == SOTTO_ROLE_LORA_B) &&
           !(trained == SOTTO_TRAINED_B && role == SOTTO_ROLE_LORA_A);
}

static size_t size_of(const struct sotto_layout_tensor *tensor)
{
    return (size_t)tensor->rows * tensor->columns;
}

size_t sotto_subset_count(const struct sotto_layout *layout, enum sotto_trained trained)
{
    size_t count = 0;

    for (size_t i = 0; i < layout->tensor_count; i++) {
        if (sotto_trained_has(trained, layout->tensors[i].role))
            count += size_of(&layout->tensors[i]);
    }
    return count;
}

void sotto_subset_gather(float *compact, const float *lanes, const struct sotto_layout *layout,
                         enum sotto_trained trained)
{
    for (size_t i = 0; i < layout->tensor_count; i++) {
        const struct sotto_layout_tensor *tensor = &layout->tensors[i];

        if (!sotto_trained_has(trained, tensor->role))
            continue;
        memmove(compact, lanes + tensor->first, size_of(tensor) * sizeof *compact);
        compact += size_of(tensor);
    }
}

void sotto_subset_scatter(float *lanes, const float *compact, const struct sotto_layout *layout,
                          enum sotto_trained trained)
{
    for (size_t i = 0; i < layout->tensor_count; i++) {
        const struct sotto_layout_tensor *tensor = &layout->tensors[i];

        if (!sotto_trained_has(trained, tensor->role))
            continue;
        memcpy(lanes + tensor->first, compact, size_of(tensor) * sizeof *lanes);
        compact += size_of(tensor);
    }
}
