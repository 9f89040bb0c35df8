#include "models/export/weights.h"

#include <assert.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "models/adapter/origin.h"
#include "models/arch/family.h"

static const char single_name[] = "model.safetensors";
static const char index_name[] = "model.safetensors.index.json";

enum { NONE = SOTTO_LAYOUT_TENSORS_MAX };

/* What becomes of a tensor of the base model. */
struct change {
    uint32_t a, b;  /* of the layout: W + s B A; NONE: no such */
    uint32_t value; /* of the layout, instead of the base model's; NONE: no such */
};

struct writing {
    const struct sotto_adapted *adapted;
    const char *folder;
    struct sotto_fault *fault;
    struct change *changes; /* [tensor count of the checkpoint] */
    const char *prefix;     /* to be put before every name, or "" */
    const char *head;       /* module of the classifier; NULL: none is trained */
};

/* A file being assembled: its tensors with their names, and the new elements of changed ones. */
struct shard {
    struct sotto_tensor_to_store *tensors;
    char (*names)[SOTTO_TENSOR_NAME_MAX + 1];
    uint8_t **owned; /* [count] NULL: the base model's own bytes */
    size_t count;
};

static enum sotto_status refuse(const struct writing *writing, enum sotto_status status,
                                const char *name, const char *why)
{
    return sotto_fault_set(writing->fault, status, "tensor %.160s of the base model %s", name, why);
}

/* Notes what tensor i of the layout does to the base model. */
static enum sotto_status plan_tensor(struct writing *writing, uint32_t i)
{
    const struct sotto_layout *layout = writing->adapted->layout;
    const struct sotto_layout_tensor *tensor = &layout->tensors[i];
    char name[SOTTO_TENSOR_TEXT_MAX + 1];
    size_t found;

    if (tensor->role == SOTTO_ROLE_HEAD || tensor->role == SOTTO_ROLE_HEAD_BIAS)
        return SOTTO_OK;
    found = sotto_origin_find(writing->adapted->checkpoint, tensor, layout->base.family);
    if (found == sotto_checkpoint_tensor_count(writing->adapted->checkpoint)) {
        sotto_layout_tensor_name(name, layout, i);
        return sotto_fault_set(writing->fault, SOTTO_MISMATCH,
                               "the base model has no layer for the adapter's tensor %s: give the "
                               "model that it was made for",
                               name);
    }
    if (tensor->role == SOTTO_ROLE_LORA_A)
        writing->changes[found].a = i;
    else if (tensor->role == SOTTO_ROLE_LORA_B)
        writing->changes[found].b = i;
    else
        writing->changes[found].value = i;
    return SOTTO_OK;
}

/* Models without a head have none of the family's prefix. */
static bool is_bare(const struct sotto_checkpoint *checkpoint, const char *prefix)
{
    for (size_t i = 0; i < sotto_checkpoint_tensor_count(checkpoint); i++) {
        if (strncmp(sotto_checkpoint_tensor(checkpoint, i)->name, prefix, strlen(prefix)) == 0)
            return false;
    }
    return true;
}

static enum sotto_status plan(struct writing *writing)
{
    const struct sotto_adapted *adapted = writing->adapted;
    const struct sotto_family_names *names = sotto_family_names(adapted->layout->base.family);
    enum sotto_status status = SOTTO_OK;

    for (size_t i = 0; i < sotto_checkpoint_tensor_count(adapted->checkpoint); i++)
        writing->changes[i] = (struct change){NONE, NONE, NONE};
    writing->prefix = is_bare(adapted->checkpoint, names->prefix) ? names->prefix : "";
    if (adapted->layout->base.task != SOTTO_TASK_CAUSAL_LM)
        writing->head = sotto_family_head(adapted->layout->base.family);
    for (uint32_t i = 0; i < adapted->layout->tensor_count && status == SOTTO_OK; i++)
        status = plan_tensor(writing, i);
    return status;
}

/* row += s b A, with b one row of B: in double, since it is rounded to the base model's type. */
static void add_row(double *row, const struct sotto_adapted *adapted, const struct change *change,
                    size_t index)
{
    const struct sotto_layout_tensor *a = &adapted->layout->tensors[change->a];
    const struct sotto_layout_tensor *b = &adapted->layout->tensors[change->b];
    double scale = sotto_layout_scale(adapted->layout, b->target);

    for (uint32_t k = 0; k < a->rows; k++) {
        double factor = scale * adapted->lanes[b->first + index * b->columns + k];
        const float *direction = adapted->lanes + a->first + (size_t)k * a->columns;

        for (uint32_t column = 0; column < a->columns; column++)
            row[column] += factor * direction[column];
    }
}

/* The rows of a changed tensor, one after another through `row` and `narrow`, [columns] each. */
static enum sotto_status change_rows(uint8_t *bytes, double *row, float *narrow,
                                     const struct writing *writing,
                                     const struct sotto_stored_tensor *stored,
                                     const struct change *change)
{
    size_t columns = stored->rank == 2 ? stored->shape[1] : 1;
    size_t row_bytes = columns * stored->element_bytes;
    const struct sotto_layout *layout = writing->adapted->layout;

    for (size_t index = 0; index < stored->shape[0]; index++) {
        sotto_dtype_load(narrow, stored->bytes.at + index * row_bytes, columns, stored->dtype);
        for (size_t column = 0; column < columns; column++)
            row[column] = narrow[column];
        if (change->value != NONE)
            row[0] = writing->adapted->lanes[layout->tensors[change->value].first + index];
        else
            add_row(row, writing->adapted, change, index);
        for (size_t column = 0; column < columns; column++)
            narrow[column] = (float)row[column];
        sotto_dtype_store(bytes + index * row_bytes, narrow, columns, stored->dtype);
        sotto_dtype_load(narrow, bytes + index * row_bytes, columns, stored->dtype);
        for (size_t column = 0; column < columns; column++) {
            if (!isfinite(narrow[column]))
                return refuse(writing, SOTTO_MALFORMED, stored->name,
                              "is beyond its type with the adapter added: convert the model to "
                              "BF16 or F32 first");
        }
    }
    return SOTTO_OK;
}

/* Whether the base model's tensor has the sides that the layout asks for. */
static bool shape_fits(const struct sotto_stored_tensor *stored, const struct sotto_layout *layout,
                       const struct change *change)
{
    if (!stored->is_readable)
        return false;
    if (change->value != NONE)
        return stored->rank == 1 && stored->shape[0] == layout->tensors[change->value].rows;
    return stored->rank == 2 && stored->shape[0] == layout->tensors[change->b].rows &&
           stored->shape[1] == layout->tensors[change->a].columns;
}

static enum sotto_status change_tensor(uint8_t **bytes, const struct writing *writing,
                                       const struct sotto_stored_tensor *stored,
                                       const struct change *change)
{
    size_t columns = stored->rank == 2 ? stored->shape[1] : 1;
    double *row;
    float *narrow;
    enum sotto_status status = SOTTO_NO_MEMORY;

    if (!shape_fits(stored, writing->adapted->layout, change))
        return refuse(writing, SOTTO_MISMATCH, stored->name,
                      "has other sides than the adapter's: give the model that it was made for");
    row = malloc(columns * sizeof *row);
    narrow = malloc(columns * sizeof *narrow);
    *bytes = malloc(stored->bytes.length + 1);
    if (row == NULL || narrow == NULL || *bytes == NULL)
        refuse(writing, status, stored->name, "does not fit into memory");
    else
        status = change_rows(*bytes, row, narrow, writing, stored, change);
    free(row);
    free(narrow);
    return status;
}

static void shard_close(struct shard *shard)
{
    for (size_t i = 0; i < shard->count; i++)
        free(shard->owned[i]);
    free(shard->owned);
    free(shard->names);
    free(shard->tensors);
}

/* Whether the trained classifier takes the place of this tensor. */
static bool is_head(const struct writing *writing, const char *name)
{
    return writing->head != NULL && strncmp(name, writing->head, strlen(writing->head)) == 0 &&
           name[strlen(writing->head)] == '.';
}

/* Tensors of types that nothing reads are buffers, which a model makes anew. */
static enum sotto_status shard_add(struct shard *shard, const struct writing *writing,
                                   const struct sotto_stored_tensor *stored,
                                   const struct change *change)
{
    struct sotto_tensor_to_store *tensor = &shard->tensors[shard->count];
    char *name = shard->names[shard->count];
    bool is_changed = change->a != NONE || change->b != NONE || change->value != NONE;
    enum sotto_status status = SOTTO_OK;

    if (!stored->is_readable || is_head(writing, stored->name))
        return SOTTO_OK;
    if (snprintf(name, sizeof shard->names[0], "%s%s", writing->prefix, stored->name) >
        SOTTO_TENSOR_NAME_MAX)
        return refuse(writing, SOTTO_UNSUPPORTED, stored->name, "has too long a name");
    shard->owned[shard->count] = NULL;
    if (is_changed)
        status = change_tensor(&shard->owned[shard->count], writing, stored, change);
    *tensor = (struct sotto_tensor_to_store){.name = name,
                                             .bytes = is_changed ? shard->owned[shard->count]
                                                                 : stored->bytes.at,
                                             .rank = stored->rank,
                                             .dtype = stored->dtype};
    memcpy(tensor->shape, stored->shape, sizeof tensor->shape);
    shard->count++;
    return status;
}

/* The classifier's weight and bias, where one is trained. */
static void shard_add_head(struct shard *shard, const struct writing *writing)
{
    const struct sotto_layout *layout = writing->adapted->layout;

    for (size_t i = 0; i < layout->tensor_count && writing->head != NULL; i++) {
        const struct sotto_layout_tensor *tensor = &layout->tensors[i];
        bool is_bias = tensor->role == SOTTO_ROLE_HEAD_BIAS;
        char *name = shard->names[shard->count];

        if (tensor->role != SOTTO_ROLE_HEAD && !is_bias)
            continue;
        snprintf(name, sizeof shard->names[0], "%s.%s", writing->head, is_bias ? "bias" : "weight");
        shard->owned[shard->count] = NULL;
        shard->tensors[shard->count++] =
            (struct sotto_tensor_to_store){.name = name,
                                           .values = writing->adapted->lanes + tensor->first,
                                           .rank = is_bias ? 1 : 2,
                                           .shape = {tensor->rows, tensor->columns},
                                           .dtype = SOTTO_DTYPE_F32};
    }
}

static void shard_name(char out[SOTTO_SHARD_NAME_MAX + 1], size_t shard, size_t shard_count)
{
    if (shard_count == 1)
        snprintf(out, SOTTO_SHARD_NAME_MAX + 1, "%s", single_name);
    else
        snprintf(out, SOTTO_SHARD_NAME_MAX + 1, "model-%05zu-of-%05zu.safetensors", shard + 1,
                 shard_count);
}

/* Writes one file and notes its tensors in the map of the index. */
static enum sotto_status shard_write(const struct shard *shard, json_t *map,
                                     const struct writing *writing, const char *name)
{
    char path[PATH_MAX];

    for (size_t i = 0; i < shard->count; i++) {
        if (json_object_set_new(map, shard->tensors[i].name, json_string(name)) != 0)
            return refuse(writing, SOTTO_NO_MEMORY, shard->tensors[i].name,
                          "does not fit into memory");
    }
    if (sotto_path_join(path, sizeof path, writing->folder, name) != SOTTO_OK)
        return sotto_fault_set(writing->fault, SOTTO_OVER_LIMIT, "%.300s: the path is too long",
                               writing->folder);
    return sotto_safetensors_write(path, shard->tensors, shard->count, "{\"format\": \"pt\"}",
                                   writing->fault);
}

/* `next` is the number of the file's first tensor in the checkpoint. */
static enum sotto_status write_shard(json_t *map, const struct writing *writing, size_t index,
                                     size_t next)
{
    const struct sotto_checkpoint *checkpoint = writing->adapted->checkpoint;
    const struct sotto_safetensors *file = &checkpoint->shards[index];
    size_t most = file->tensor_count + 2; /* with the classifier */
    struct shard shard = {.tensors = calloc(most, sizeof *shard.tensors),
                          .names = calloc(most, sizeof *shard.names),
                          .owned = calloc(most, sizeof *shard.owned)};
    char name[SOTTO_SHARD_NAME_MAX + 1];
    enum sotto_status status = SOTTO_OK;

    if (shard.tensors == NULL || shard.names == NULL || shard.owned == NULL)
        status = sotto_fault_set(writing->fault, SOTTO_NO_MEMORY, "no memory to write %.300s",
                                 writing->folder);
    for (size_t i = 0; i < file->tensor_count && status == SOTTO_OK; i++)
        status = shard_add(&shard, writing, &file->tensors[i], &writing->changes[next + i]);
    if (status == SOTTO_OK && index + 1 == checkpoint->shard_count)
        shard_add_head(&shard, writing);
    shard_name(name, index, checkpoint->shard_count);
    if (status == SOTTO_OK)
        status = shard_write(&shard, map, writing, name);
    shard_close(&shard);
    return status;
}

static enum sotto_status write_index(const struct writing *writing, json_t *map)
{
    size_t bytes = sotto_checkpoint_bytes(writing->adapted->checkpoint);
    json_t *index =
        json_pack("{s:{s:I}, s:O}", "metadata", "total_size", (json_int_t)bytes, "weight_map", map);
    char *text = json_dumps(index, JSON_INDENT(2));
    char path[PATH_MAX];
    enum sotto_status status = SOTTO_NO_MEMORY;

    if (text == NULL || sotto_path_join(path, sizeof path, writing->folder, index_name) != SOTTO_OK)
        sotto_fault_set(writing->fault, status, "no memory to write %.300s", writing->folder);
    else
        status = sotto_file_replace(path, sotto_view_text(text), 0644, writing->fault);
    free(text);
    json_decref(index);
    return status;
}

static enum sotto_status write_all(struct writing *writing)
{
    const struct sotto_checkpoint *checkpoint = writing->adapted->checkpoint;
    json_t *map = json_object();
    size_t next = 0;
    enum sotto_status status = plan(writing);

    for (size_t i = 0; i < checkpoint->shard_count && status == SOTTO_OK; i++) {
        status = write_shard(map, writing, i, next);
        next += checkpoint->shards[i].tensor_count;
    }
    if (status == SOTTO_OK && checkpoint->shard_count > 1)
        status = write_index(writing, map);
    json_decref(map);
    return status;
}

enum sotto_status sotto_adapted_write(const char *folder, const struct sotto_adapted *adapted,
                                      struct sotto_fault *fault)
{
    size_t count = sotto_checkpoint_tensor_count(adapted->checkpoint);
    struct writing writing = {.adapted = adapted, .folder = folder, .fault = fault};
    enum sotto_status status;

    writing.changes = malloc((count + 1) * sizeof *writing.changes);
    if (writing.changes == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory to write %.300s", folder);
    status = write_all(&writing);
    free(writing.changes);
    return status;
}
