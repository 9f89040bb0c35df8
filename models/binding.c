#include "models/binding.h"

#include <stddef.h>

_Static_assert((int)SOTTO_TARGET_COUNT == (int)SOTTO_BLOCK_LINEAR_COUNT &&
                   (int)SOTTO_TARGET_QUERY == (int)SOTTO_BLOCK_QUERY &&
                   (int)SOTTO_TARGET_MLP_GATE == (int)SOTTO_BLOCK_MLP_GATE,
               "a target of a layout is a linear layer of a block");

/* The block's tensor that a gain or bias stands for. */
static enum sotto_block_tensor vector_of(const struct sotto_layout_tensor *tensor)
{
    bool is_first = tensor->norm == SOTTO_NORM_OF_ATTENTION;

    if (tensor->role == SOTTO_ROLE_LINEAR_BIAS)
        return sotto_block_linear_bias((enum sotto_block_linear)tensor->target);
    if (tensor->role == SOTTO_ROLE_NORM_GAIN)
        return is_first ? SOTTO_BLOCK_ATTENTION_NORM_GAIN : SOTTO_BLOCK_MLP_NORM_GAIN;
    return is_first ? SOTTO_BLOCK_ATTENTION_NORM_BIAS : SOTTO_BLOCK_MLP_NORM_BIAS;
}

static const struct sotto_device_float *lanes_of(const struct sotto_binding *binding,
                                                 const struct sotto_layout_tensor *tensor)
{
    return binding->lanes == NULL ? NULL : binding->lanes + tensor->first;
}

/* NULL: it is not trained. */
static struct sotto_device_float *gradients_of(const struct sotto_binding *binding,
                                               const struct sotto_layout_tensor *tensor)
{
    if (binding->gradients == NULL || !sotto_trained_has(binding->trained, tensor->role))
        return NULL;
    return binding->gradients + tensor->first;
}

static void bind_lora(struct sotto_lora *lora, const struct sotto_layout *layout,
                      const struct sotto_layout_tensor *tensor, const struct sotto_binding *binding)
{
    if (tensor->role == SOTTO_ROLE_LORA_B) {
        lora->b = lanes_of(binding, tensor);
        lora->b_gradient = gradients_of(binding, tensor);
        return;
    }
    lora->rank = tensor->rows;
    lora->dropout.rate = binding->dropout;
    lora->scale = (float)sotto_layout_scale(layout, tensor->target);
    lora->a = lanes_of(binding, tensor);
    lora->a_gradient = gradients_of(binding, tensor);
}

static void bind_head(struct sotto_linear *head, const struct sotto_layout_tensor *tensor,
                      const struct sotto_binding *binding)
{
    if (tensor->role == SOTTO_ROLE_HEAD_BIAS) {
        head->bias = lanes_of(binding, tensor);
        head->bias_gradient = gradients_of(binding, tensor);
        return;
    }
    head->in = tensor->columns;
    head->out = tensor->rows;
    head->weight = lanes_of(binding, tensor);
    head->weight_gradient = gradients_of(binding, tensor);
}

void sotto_layout_bind(struct sotto_block *blocks, struct sotto_linear *head,
                       const struct sotto_layout *layout, const struct sotto_binding *binding)
{
    for (size_t i = 0; i < layout->tensor_count; i++) {
        const struct sotto_layout_tensor *tensor = &layout->tensors[i];
        struct sotto_block *block = &blocks[tensor->block];

        switch (tensor->role) {
        case SOTTO_ROLE_LORA_A:
        case SOTTO_ROLE_LORA_B:
            bind_lora(&block->lora[tensor->target], layout, tensor, binding);
            break;
        case SOTTO_ROLE_NORM_GAIN:
        case SOTTO_ROLE_NORM_BIAS:
        case SOTTO_ROLE_LINEAR_BIAS:
            block->vector[vector_of(tensor)] = lanes_of(binding, tensor);
            block->vector_gradient[vector_of(tensor)] = gradients_of(binding, tensor);
            break;
        case SOTTO_ROLE_HEAD:
        case SOTTO_ROLE_HEAD_BIAS: bind_head(head, tensor, binding); break;
        }
    }
}
