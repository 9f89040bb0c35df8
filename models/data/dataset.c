#include "models/data/dataset.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/data/idx.h"
#include "models/data/listing.h"

static size_t picture_bytes(const struct sotto_dataset *dataset)
{
    return (size_t)dataset->channels * dataset->side * dataset->side;
}

/* Memory for `count` examples of a form. */
static enum sotto_status take_memory(struct sotto_dataset *dataset, struct sotto_picture_form form,
                                     size_t count)
{
    *dataset = (struct sotto_dataset){.kind = SOTTO_DATASET_PICTURES,
                                      .channels = form.channels,
                                      .side = form.side,
                                      .count = count};
    dataset->pixels = calloc(count + 1, picture_bytes(dataset));
    dataset->labels = calloc(count + 1, sizeof *dataset->labels);
    if (dataset->pixels != NULL && dataset->labels != NULL)
        return SOTTO_OK;
    sotto_dataset_close(dataset);
    return SOTTO_NO_MEMORY;
}

static enum sotto_status read_listed(struct sotto_dataset *dataset,
                                     const struct sotto_listing *listing,
                                     struct sotto_picture_form form, const char *folder,
                                     struct sotto_fault *fault)
{
    enum sotto_status status = take_memory(dataset, form, listing->count);

    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "%s: no memory for %zu pictures", folder,
                               listing->count);
    for (size_t i = 0; i < listing->count && status == SOTTO_OK; i++) {
        dataset->labels[i] = listing->entries[i].label;
        status = sotto_picture_read(dataset->pixels + i * picture_bytes(dataset), form,
                                    listing->entries[i].path, fault);
    }
    if (status != SOTTO_OK)
        sotto_dataset_close(dataset);
    return status;
}

enum sotto_status sotto_dataset_open_folder(struct sotto_dataset *dataset, const char *folder,
                                            struct sotto_picture_form form,
                                            const struct sotto_label_names *labels,
                                            struct sotto_fault *fault)
{
    struct sotto_listing listing;
    enum sotto_status status = sotto_listing_open(&listing, folder, labels, fault);

    *dataset = (struct sotto_dataset){0};
    if (status != SOTTO_OK)
        return status;
    status = read_listed(dataset, &listing, form, folder, fault);
    sotto_listing_close(&listing);
    return status;
}

/* The labels of a slice, or SOTTO_LABEL_NONE throughout. */
static enum sotto_status read_labels(struct sotto_dataset *dataset, size_t picture_count,
                                     const struct sotto_idx_slice *slice, struct sotto_fault *fault)
{
    struct sotto_idx labels;
    enum sotto_status status;

    if (slice->labels_path == NULL) {
        for (size_t i = 0; i < dataset->count; i++)
            dataset->labels[i] = SOTTO_LABEL_NONE;
        return SOTTO_OK;
    }
    status = sotto_idx_open(&labels, slice->labels_path, SOTTO_IDX_LABELS,
                            (struct sotto_idx_range){0}, fault);
    if (status != SOTTO_OK)
        return status;
    if (labels.file_count != picture_count)
        status = sotto_fault_set(fault, SOTTO_MISMATCH,
                                 "%s has %zu pictures, %s has %zu labels: give files that belong "
                                 "together",
                                 slice->images_path, picture_count, slice->labels_path,
                                 labels.file_count);
    for (size_t i = 0; i < dataset->count && status == SOTTO_OK; i++)
        dataset->labels[i] = labels.items[slice->first + i];
    sotto_idx_close(&labels);
    return status;
}

enum sotto_status sotto_dataset_open_idx(struct sotto_dataset *dataset,
                                         const struct sotto_idx_slice *slice,
                                         struct sotto_fault *fault)
{
    struct sotto_idx pictures;
    enum sotto_status status =
        sotto_idx_open(&pictures, slice->images_path, SOTTO_IDX_PICTURES,
                       (struct sotto_idx_range){slice->first, slice->count}, fault);

    *dataset = (struct sotto_dataset){0};
    if (status != SOTTO_OK)
        return status;
    if (pictures.rows != pictures.columns)
        status = sotto_fault_set(fault, SOTTO_UNSUPPORTED,
                                 "%s: pictures of %u x %u pixels: give square ones",
                                 slice->images_path, pictures.columns, pictures.rows);
    if (status == SOTTO_OK && take_memory(dataset, (struct sotto_picture_form){1, pictures.rows},
                                          pictures.count) != SOTTO_OK)
        status = sotto_fault_set(fault, SOTTO_NO_MEMORY, "%s: no memory for %zu pictures",
                                 slice->images_path, pictures.count);
    if (status == SOTTO_OK) {
        memcpy(dataset->pixels, pictures.items, pictures.count * picture_bytes(dataset));
        status = read_labels(dataset, pictures.file_count, slice, fault);
    }
    sotto_idx_close(&pictures);
    if (status != SOTTO_OK)
        sotto_dataset_close(dataset);
    return status;
}

enum sotto_status sotto_dataset_open_texts(struct sotto_dataset *dataset,
                                           struct sotto_text_shape shape)
{
    *dataset = (struct sotto_dataset){.kind = SOTTO_DATASET_TEXTS, .count = shape.count};
    dataset->labels = calloc(shape.count + 1, sizeof *dataset->labels);
    dataset->starts = calloc(shape.count + 1, sizeof *dataset->starts);
    dataset->tokens = calloc(shape.token_count + 1, sizeof *dataset->tokens);
    if (shape.is_answered)
        dataset->is_answer = calloc(shape.token_count + 1, sizeof *dataset->is_answer);
    if (dataset->labels == NULL || dataset->starts == NULL || dataset->tokens == NULL ||
        (shape.is_answered && dataset->is_answer == NULL)) {
        sotto_dataset_close(dataset);
        return SOTTO_NO_MEMORY;
    }
    for (size_t i = 0; i < shape.count; i++)
        dataset->labels[i] = SOTTO_LABEL_NONE;
    return SOTTO_OK;
}

static enum sotto_status copy_pictures(struct sotto_dataset *dataset,
                                       const struct sotto_dataset *source, const uint32_t *indices,
                                       size_t count)
{
    size_t length = picture_bytes(source);
    enum sotto_status status =
        take_memory(dataset, (struct sotto_picture_form){source->channels, source->side}, count);

    for (size_t i = 0; i < count && status == SOTTO_OK; i++)
        memcpy(dataset->pixels + i * length, source->pixels + indices[i] * length, length);
    return status;
}

static size_t token_count(const struct sotto_dataset *dataset, size_t example)
{
    return dataset->starts[example + 1] - dataset->starts[example];
}

static enum sotto_status copy_texts(struct sotto_dataset *dataset,
                                    const struct sotto_dataset *source, const uint32_t *indices,
                                    size_t count)
{
    struct sotto_text_shape shape = {.count = count, .is_answered = source->is_answer != NULL};
    enum sotto_status status;

    for (size_t i = 0; i < count; i++)
        shape.token_count += token_count(source, indices[i]);
    status = sotto_dataset_open_texts(dataset, shape);
    for (size_t i = 0; i < count && status == SOTTO_OK; i++) {
        size_t length = token_count(source, indices[i]);
        size_t from = source->starts[indices[i]];
        size_t to = dataset->starts[i];

        memcpy(dataset->tokens + to, source->tokens + from, length * sizeof *source->tokens);
        if (shape.is_answered)
            memcpy(dataset->is_answer + to, source->is_answer + from, length);
        dataset->starts[i + 1] = to + length;
    }
    return status;
}

enum sotto_status sotto_dataset_open_subset(struct sotto_dataset *dataset,
                                            const struct sotto_dataset *source,
                                            const uint32_t *indices, size_t count)
{
    enum sotto_status status = SOTTO_OK;

    for (size_t i = 0; i < count; i++)
        assert(indices[i] < source->count);
    switch (source->kind) {
    case SOTTO_DATASET_PICTURES: status = copy_pictures(dataset, source, indices, count); break;
    case SOTTO_DATASET_TEXTS: status = copy_texts(dataset, source, indices, count); break;
    }
    for (size_t i = 0; i < count && status == SOTTO_OK; i++)
        dataset->labels[i] = source->labels[indices[i]];
    return status;
}

void sotto_dataset_close(struct sotto_dataset *dataset)
{
    free(dataset->pixels);
    free(dataset->labels);
    free(dataset->starts);
    free(dataset->tokens);
    free(dataset->is_answer);
    *dataset = (struct sotto_dataset){0};
}

void sotto_dataset_log_shares(float *log_shares, const struct sotto_dataset *dataset,
                              uint32_t label_count)
{
    double total = (double)dataset->count + 0.5 * label_count;

    memset(log_shares, 0, label_count * sizeof *log_shares);
    if (dataset->is_answer != NULL)
        return;
    for (size_t i = 0; i < dataset->count; i++) {
        assert(dataset->labels[i] < label_count);
        log_shares[dataset->labels[i]] += 1.0f;
    }
    for (uint32_t label = 0; label < label_count; label++)
        log_shares[label] = (float)log((log_shares[label] + 0.5) / total);
}
