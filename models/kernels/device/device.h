/*
 * Addresses in the memory of a table's device. The CPU may be unable to read what lies there, so
 * they have types of their own: to hand a kernel a float * of the host, or to read an element
 * outside models/kernels, does not compile. Arithmetic on them is that of the elements.
 *
 * The members belong to the table: nobody outside models/kernels names them.
 */
#ifndef SOTTO_MODELS_KERNELS_DEVICE_DEVICE_H
#define SOTTO_MODELS_KERNELS_DEVICE_DEVICE_H

#include <stddef.h>
#include <stdint.h>

/* A float32. */
struct sotto_device_float {
    float on_device;
};

/* A bfloat16: the upper half of a float32. */
struct sotto_device_bf16 {
    uint16_t on_device;
};

/* What a loss kernel adds up over rows, without their weight. */
struct sotto_loss {
    double sum;
    size_t correct_count; /* rows whose largest logit (the first of equals) is the label's */
};

struct sotto_device_loss {
    struct sotto_loss on_device;
};

/* Memory of the device before anybody said what lies in it. Never defined. */
struct sotto_device_memory;

#endif
