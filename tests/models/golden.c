#include "tests/models/golden.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/weights/safetensors.h"

float *golden_read(const char *name, size_t *count)
{
    struct sotto_safetensors file;
    const struct sotto_stored_tensor *tensor;
    float *values;

    assert_int_equal(sotto_safetensors_open(&file, "tests/vectors/vit/golden.safetensors", NULL),
                     SOTTO_OK);
    tensor = sotto_safetensors_find(&file, name);
    assert_non_null(tensor);
    *count = tensor->bytes.length / sizeof *values;
    values = malloc(tensor->bytes.length);
    assert_non_null(values);
    assert_int_equal(sotto_stored_tensor_read(values, tensor, tensor->shape, tensor->rank, NULL),
                     SOTTO_OK);
    sotto_safetensors_close(&file);
    return values;
}

uint8_t *golden_pixels(size_t *count)
{
    float *values = golden_read("pictures", count);
    uint8_t *pixels = malloc(*count);

    assert_non_null(pixels);
    for (size_t i = 0; i < *count; i++)
        pixels[i] = (uint8_t)values[i];
    free(values);
    return pixels;
}
