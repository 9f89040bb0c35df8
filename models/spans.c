#include "models/spans.h"

size_t sotto_spans_of(struct sotto_adamw_span *spans, const struct sotto_layout *layout,
                      enum sotto_trained trained, double weight_decay)
{
    size_t count = 0;

    for (size_t i = 0; i < layout->tensor_count; i++) {
        const struct sotto_layout_tensor *tensor = &layout->tensors[i];
        bool is_lora = tensor->role == SOTTO_ROLE_LORA_A || tensor->role == SOTTO_ROLE_LORA_B;
        struct sotto_adamw_span span = {tensor->first, (size_t)tensor->rows * tensor->columns,
                                        is_lora ? weight_decay : 0.0};
        struct sotto_adamw_span *last = spans + count - (count > 0);

        if (!sotto_trained_has(trained, tensor->role))
            continue;
        if (count > 0 && last->first + last->count == span.first &&
            last->weight_decay == span.weight_decay)
            last->count += span.count;
        else
            spans[count++] = span;
    }
    return count;
}
