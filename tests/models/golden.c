#include "tests/models/golden.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/weights/safetensors.h"

/* NULL: the file has no such tensor. */
static float *find(const char *model, const char *name, size_t *count)
{
    struct sotto_safetensors file;
    const struct sotto_stored_tensor *tensor;
    float *values = NULL;
    char path[128];

    snprintf(path, sizeof path, "tests/vectors/%s/golden.safetensors", model);
    assert_int_equal(sotto_safetensors_open(&file, path, NULL), SOTTO_OK);
    tensor = sotto_safetensors_find(&file, name);
    if (tensor != NULL) {
        *count = tensor->bytes.length / sizeof *values;
        values = malloc(tensor->bytes.length);
        assert_non_null(values);
        assert_int_equal(
            sotto_stored_tensor_read(values, tensor, tensor->shape, tensor->rank, NULL), SOTTO_OK);
    }
    sotto_safetensors_close(&file);
    return values;
}

float *golden_read(const char *model, const char *name, size_t *count)
{
    float *values = find(model, name, count);

    if (values == NULL)
        fail_msg("%s has no golden tensor %s", model, name);
    return values;
}

uint8_t *golden_pixels(const char *model, size_t *count)
{
    float *values = golden_read(model, "pictures", count);
    uint8_t *pixels = malloc(*count);

    assert_non_null(pixels);
    for (size_t i = 0; i < *count; i++)
        pixels[i] = (uint8_t)values[i];
    free(values);
    return pixels;
}

static void open_texts(struct sotto_dataset *dataset, const char *model)
{
    size_t start_count, token_count, answer_count;
    float *starts = golden_read(model, "starts", &start_count);
    float *tokens = golden_read(model, "tokens", &token_count);
    float *answers = find(model, "is_answer", &answer_count);
    struct sotto_text_shape shape = {start_count - 1, token_count, answers != NULL};

    assert_int_equal(sotto_dataset_open_texts(dataset, shape), SOTTO_OK);
    for (size_t i = 0; i < start_count; i++)
        dataset->starts[i] = (size_t)starts[i];
    for (size_t i = 0; i < token_count; i++) {
        dataset->tokens[i] = (uint32_t)tokens[i];
        if (answers != NULL)
            dataset->is_answer[i] = (uint8_t)answers[i];
    }
    free(starts);
    free(tokens);
    free(answers);
}

void golden_dataset(struct sotto_dataset *dataset, const char *model)
{
    size_t count;
    float *pictures = find(model, "pictures", &count);
    float *labels = find(model, "labels", &count);

    if (pictures == NULL)
        open_texts(dataset, model);
    else
        *dataset = (struct sotto_dataset){.count = count,
                                          .channels = 3,
                                          .side = 12,
                                          .pixels = golden_pixels(model, &(size_t){0}),
                                          .labels = malloc(count * sizeof *dataset->labels)};
    for (size_t i = 0; labels != NULL && i < count; i++)
        dataset->labels[i] = (uint32_t)labels[i];
    free(pictures);
    free(labels);
}
