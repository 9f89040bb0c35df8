#include "models/adapter/peft.h"

#include <assert.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "models/adapter/manifest.h"
#include "models/adapter/naming.h"
#include "models/adapter/peft_config.h"
#include "models/adapter/peft_scope.h"
#include "models/arch/arch.h"
#include "models/weights/safetensors.h"
#include "models/weights/staging.h"

static const char config_name[] = "adapter_config.json";
static const char tensors_name[] = "adapter_model.safetensors";
static const char labels_name[] = "labels.json";
static const char base_key[] = "sotto.base_model"; /* in the metadata of the tensors' file */

/*
 * labels.json from malloc, or NULL: the label names in the order of the classifier's rows. A file
 * of its own, because releases of PEFT before 0.14 refuse a config with a key that they do not
 * know.
 */
static char *labels_to_store(const struct sotto_adapter_choice *choice)
{
    json_t *labels = json_array();
    char *text;

    for (uint32_t label = 0; label < choice->label_count; label++)
        json_array_append_new(labels, json_string(choice->labels[label]));
    text = json_dumps(labels, JSON_INDENT(2));
    json_decref(labels);
    return text;
}

static enum sotto_status write_text(const char *folder, const char *name, const char *text,
                                    struct sotto_fault *fault)
{
    char path[PATH_MAX];

    if (text == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory to write %s/%s", folder, name);
    if (sotto_path_join(path, sizeof path, folder, name) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "%.300s: the path is too long", folder);
    return sotto_file_replace(path, sotto_view_text(text), 0644, fault);
}

/* How the folder is loaded in Python, by the base model's task. */
static enum sotto_status write_readme(const char *folder, const struct sotto_layout *layout,
                                      const char *base_name, struct sotto_fault *fault)
{
    static const char *const loaders[] = {
        [SOTTO_TASK_PICTURE_CLASS] = "AutoModelForImageClassification",
        [SOTTO_TASK_TEXT_CLASS] = "AutoModelForSequenceClassification",
        [SOTTO_TASK_CAUSAL_LM] = "AutoModelForCausalLM"};
    const char *loader = loaders[layout->base.task];
    char labels[160] = "";
    char argument[32] = "";
    char text[2048];

    if (layout->choice.label_count > 0) {
        snprintf(labels, sizeof labels,
                 "Its classifier has %u labels, which are in `%s` in the order of its rows.\n",
                 layout->choice.label_count, labels_name);
        snprintf(argument, sizeof argument, ", num_labels=%u", layout->choice.label_count);
    }
    snprintf(text, sizeof text,
             "---\nlibrary_name: peft\n---\n\n"
             "# Adapter\n\n"
             "%s for the base model `%.400s`. %s\n"
             "    from transformers import %s\n"
             "    from peft import PeftModel\n"
             "    base = %s.from_pretrained(BASE%s)\n"
             "    model = PeftModel.from_pretrained(base, THIS_FOLDER)\n",
             layout->choice.kind == SOTTO_ADAPTER_LORA ? "A low-rank adapter" : "Norms and biases",
             base_name, labels, loader, loader, argument);
    return write_text(folder, "README.md", text, fault);
}

/* Tensors of a file being assembled, and the memory of their names. */
struct storing {
    struct sotto_tensor_to_store *tensors;
    char (*names)[SOTTO_TENSOR_TEXT_MAX + 1];
    size_t count;
};

static void storing_add(struct storing *storing, const float *lanes,
                        const struct sotto_layout *layout, size_t i, enum sotto_naming naming)
{
    const struct sotto_layout_tensor *tensor = &layout->tensors[i];
    bool is_matrix = tensor->role == SOTTO_ROLE_LORA_A || tensor->role == SOTTO_ROLE_LORA_B ||
                     tensor->role == SOTTO_ROLE_HEAD;
    char *name = storing->names[storing->count];

    sotto_naming_tensor(name, layout, i, naming);
    storing->tensors[storing->count++] = (struct sotto_tensor_to_store){
        .name = name,
        .values = lanes + tensor->first,
        .rank = is_matrix ? 2 : 1,
        .shape = {tensor->rows, tensor->columns},
        .dtype = SOTTO_DTYPE_F32,
    };
}

/* A head has one name in either naming. */
static bool is_renamed(const struct sotto_layout *layout, size_t i)
{
    enum sotto_tensor_role role = layout->tensors[i].role;

    return sotto_naming_is_double(layout->base.family) && role != SOTTO_ROLE_HEAD &&
           role != SOTTO_ROLE_HEAD_BIAS;
}

/* Texts alone: the reference reader takes nothing else. */
static void metadata_write(char *out, size_t capacity, const struct sotto_digest *base)
{
    char hex[SOTTO_DIGEST_HEX];

    if (base == NULL) {
        snprintf(out, capacity, "{\"format\": \"pt\"}");
        return;
    }
    sotto_digest_hex(hex, base);
    snprintf(out, capacity, "{\"format\": \"pt\", \"%s\": \"%s\"}", base_key, hex);
}

/* Where transformers 5 has names of its own, the tensors are there under both. */
static enum sotto_status write_tensors(const char *folder, const float *lanes,
                                       const struct sotto_layout *layout,
                                       const struct sotto_digest *base, struct sotto_fault *fault)
{
    char metadata[128];
    size_t most = layout->tensor_count * SOTTO_NAMING_COUNT;
    struct storing storing = {.tensors = calloc(most, sizeof *storing.tensors),
                              .names = calloc(most, sizeof *storing.names)};
    char path[PATH_MAX];
    enum sotto_status status = SOTTO_NO_MEMORY;

    if (storing.tensors == NULL || storing.names == NULL ||
        sotto_path_join(path, sizeof path, folder, tensors_name) != SOTTO_OK)
        sotto_fault_set(fault, status, "%.400s: no memory to write it", folder);
    else {
        for (size_t i = 0; i < layout->tensor_count; i++)
            storing_add(&storing, lanes, layout, i, SOTTO_NAMING_4);
        for (size_t i = 0; i < layout->tensor_count; i++)
            if (is_renamed(layout, i))
                storing_add(&storing, lanes, layout, i, SOTTO_NAMING_5);
        metadata_write(metadata, sizeof metadata, base);
        status = sotto_safetensors_write(path, storing.tensors, storing.count, metadata, fault);
    }
    free(storing.tensors);
    free(storing.names);
    return status;
}

static enum sotto_status write_files(const char *folder, const float *lanes,
                                     const struct sotto_layout *layout,
                                     const struct sotto_peft_base *base, struct sotto_fault *fault)
{
    char *config = sotto_peft_config_encode(layout, base->name);
    char *labels = labels_to_store(&layout->choice);
    enum sotto_status status = write_text(folder, config_name, config, fault);

    if (status == SOTTO_OK && layout->choice.label_count > 0)
        status = write_text(folder, labels_name, labels, fault);
    free(config);
    free(labels);
    if (status == SOTTO_OK)
        status = write_tensors(folder, lanes, layout, base->digest, fault);
    if (status == SOTTO_OK)
        status = write_readme(folder, layout, base->name, fault);
    return status;
}

enum sotto_status sotto_peft_check(const char *folder, struct sotto_fault *fault)
{
    return sotto_staging_check(folder, config_name, fault);
}

enum sotto_status sotto_peft_write(const char *folder, const float *lanes,
                                   const struct sotto_layout *layout,
                                   const struct sotto_peft_base *base, struct sotto_fault *fault)
{
    struct sotto_staging staging;
    struct sotto_fault cause;
    enum sotto_status status;

    status = sotto_manifest_check_lanes(lanes, layout, &cause);
    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status,
                               "%s: %s, and it is not written; lower the learning "
                               "rate",
                               folder, cause.text);
    status = sotto_staging_open(&staging, folder, fault);
    if (status != SOTTO_OK)
        return status;
    status = write_files(staging.partial, lanes, layout, base, fault);
    if (status != SOTTO_OK) {
        sotto_staging_discard(&staging);
        return status;
    }
    return sotto_staging_publish(&staging, config_name, fault);
}

/* The array in labels.json, or NULL if there is no such file. */
static enum sotto_status open_labels(json_t **labels, const struct sotto_peft_source *source)
{
    char path[PATH_MAX];
    uint8_t *bytes;
    size_t length;
    enum sotto_status status;

    *labels = NULL;
    if (sotto_path_join(path, sizeof path, source->folder, labels_name) != SOTTO_OK)
        return sotto_fault_set(source->fault, SOTTO_OVER_LIMIT, "%.300s: the path is too long",
                               source->folder);
    status = sotto_file_read(&bytes, &length, path, SOTTO_PEFT_CONFIG_BYTES_MAX, source->fault);
    if (status == SOTTO_NOT_FOUND)
        return SOTTO_OK;
    if (status != SOTTO_OK)
        return status;
    *labels = json_loadb((const char *)bytes, length, JSON_REJECT_DUPLICATES, NULL);
    free(bytes);
    if (json_is_array(*labels))
        return SOTTO_OK;
    json_decref(*labels);
    *labels = NULL;
    return sotto_fault_set(source->fault, SOTTO_MALFORMED,
                           "%s: no JSON array of label names: get the adapter anew", path);
}

/* Copies the names; without any, "0", "1", ... */
static enum sotto_status name_labels(struct sotto_adapter_choice *choice, const json_t *labels,
                                     const struct sotto_peft_source *source)
{
    if (labels != NULL && json_array_size(labels) != choice->label_count)
        return sotto_fault_set(source->fault, SOTTO_MISMATCH,
                               "%s/%s: %zu labels for a classifier of %u rows", source->folder,
                               labels_name, json_array_size(labels), choice->label_count);
    for (uint32_t label = 0; label < choice->label_count; label++) {
        const char *text = json_string_value(json_array_get(labels, label));

        if (labels == NULL)
            snprintf(choice->labels[label], sizeof choice->labels[label], "%u", label);
        else if (text != NULL && strlen(text) <= SOTTO_LABEL_TEXT_MAX)
            memcpy(choice->labels[label], text, strlen(text) + 1);
    }
    return SOTTO_OK;
}

/* As many labels as the classifier has rows; a language model has neither. */
static enum sotto_status read_labels(struct sotto_adapter_choice *choice,
                                     const struct sotto_peft_source *source)
{
    const struct sotto_stored_tensor *head =
        sotto_safetensors_find(&source->file, "base_model.model.classifier.weight");
    json_t *labels = NULL;
    enum sotto_status status;

    if (source->arch->task == SOTTO_TASK_CAUSAL_LM)
        return SOTTO_OK;
    if (head == NULL || head->rank != 2)
        return sotto_fault_set(
            source->fault, SOTTO_UNSUPPORTED,
            "%s/%s: no classifier: save it with modules_to_save=[\"classifier\"]", source->folder,
            tensors_name);
    if (head->shape[0] > SOTTO_LABELS_MAX)
        return sotto_fault_set(source->fault, SOTTO_OVER_LIMIT, "%s/%s: more than %d labels",
                               source->folder, tensors_name, SOTTO_LABELS_MAX);
    choice->label_count = (uint32_t)head->shape[0];
    status = open_labels(&labels, source);
    if (status == SOTTO_OK)
        status = name_labels(choice, labels, source);
    json_decref(labels);
    return status;
}

/* The layout that the directory was written with. */
static enum sotto_status read_layout(struct sotto_layout *layout,
                                     const struct sotto_peft_source *source)
{
    struct sotto_adapter_choice choice = {.rank = 0};
    enum sotto_status status = read_labels(&choice, source);

    if (status == SOTTO_OK)
        status = sotto_peft_survey(&choice, source);
    if (status == SOTTO_OK)
        status = sotto_layout_derive(layout, source->arch, &choice, source->fault);
    return status;
}

static enum sotto_status read_adapter(float **lanes, struct sotto_layout *layout,
                                      const struct sotto_peft_source *source)
{
    struct sotto_layout derived;
    float *values;
    enum sotto_status status = read_layout(&derived, source);

    if (status != SOTTO_OK)
        return status;
    values = malloc(derived.lane_count * sizeof *values);
    if (values == NULL)
        return sotto_fault_set(source->fault, SOTTO_NO_MEMORY, "%s: no memory for %zu lanes",
                               source->folder, derived.lane_count);
    status = sotto_peft_load(values, &derived, source);
    if (status == SOTTO_OK)
        status = sotto_peft_scope_check(source, &derived);
    if (status != SOTTO_OK) {
        free(values);
        return status;
    }
    *lanes = values;
    *layout = derived;
    return SOTTO_OK;
}

static enum sotto_status open_config(struct sotto_peft_source *source)
{
    char path[PATH_MAX];
    uint8_t *bytes;
    size_t length;
    enum sotto_status status;

    if (sotto_path_join(path, sizeof path, source->folder, config_name) != SOTTO_OK)
        return sotto_fault_set(source->fault, SOTTO_OVER_LIMIT, "%.300s: the path is too long",
                               source->folder);
    status = sotto_file_read(&bytes, &length, path, SOTTO_PEFT_CONFIG_BYTES_MAX, source->fault);
    if (status != SOTTO_OK)
        return status;
    status = sotto_peft_config_decode(&source->config, sotto_view_of(bytes, length), path,
                                      source->fault);
    free(bytes);
    return status;
}

static enum sotto_status open_tensors(struct sotto_peft_source *source)
{
    char path[PATH_MAX];
    enum sotto_status status;

    if (sotto_path_join(path, sizeof path, source->folder, tensors_name) != SOTTO_OK)
        return sotto_fault_set(source->fault, SOTTO_OVER_LIMIT, "%.300s: the path is too long",
                               source->folder);
    status = sotto_safetensors_open(&source->file, path, source->fault);
    if (status == SOTTO_NOT_FOUND &&
        sotto_path_join(path, sizeof path, source->folder, "adapter_model.bin") == SOTTO_OK &&
        access(path, F_OK) == 0)
        return sotto_fault_set(
            source->fault, SOTTO_UNSUPPORTED,
            "%s is not read, and %s is missing: load the adapter with PEFT and "
            "write it anew with save_pretrained(FOLDER, safe_serialization=True)",
            path, tensors_name);
    return status;
}

enum sotto_status sotto_peft_read(float **lanes, struct sotto_layout *layout, const char *folder,
                                  const struct sotto_arch *arch, struct sotto_fault *fault)
{
    struct sotto_peft_source source = {
        .folder = folder, .file_name = tensors_name, .arch = arch, .fault = fault};
    enum sotto_status status;

    *lanes = NULL;
    status = open_config(&source);
    if (status == SOTTO_OK)
        status = open_tensors(&source);
    if (status == SOTTO_OK)
        status = read_adapter(lanes, layout, &source);
    sotto_safetensors_close(&source.file);
    sotto_peft_config_close(&source.config);
    return status;
}

enum sotto_status sotto_peft_base_read(struct sotto_digest *base, const char *folder,
                                       struct sotto_fault *fault)
{
    struct sotto_peft_source source = {.folder = folder, .file_name = tensors_name, .fault = fault};
    char hex[SOTTO_DIGEST_HEX];
    enum sotto_status status = open_tensors(&source);

    if (status != SOTTO_OK)
        return status;
    status = sotto_safetensors_note(hex, sizeof hex, &source.file, base_key);
    if (status == SOTTO_OK)
        status = sotto_hex_decode(base->bytes, sizeof base->bytes, hex);
    sotto_safetensors_close(&source.file);
    if (status == SOTTO_MALFORMED)
        return sotto_fault_set(fault, status,
                               "%s/%s: %s in its metadata is no digest of a base model: get the "
                               "adapter anew",
                               folder, tensors_name, base_key);
    if (status == SOTTO_NOT_FOUND)
        return sotto_fault_set(fault, status, "%s/%s: its metadata tells no base model", folder,
                               tensors_name);
    return status;
}
