#include "models/adapter/peft.h"

#include <assert.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "models/arch/arch.h"
#include "models/weights/safetensors.h"
#include "models/weights/staging.h"

enum { CONFIG_BYTES_MAX = 1024 * 1024 };

static const char config_name[] = "adapter_config.json";
static const char tensors_name[] = "adapter_model.safetensors";
static const char labels_name[] = "labels.json";

/* What PEFT takes as "no module at all", for an adapter that is a classifier head alone. */
static const char no_targets[] = "dummy-target-modules";

/* A target's module in a block, as transformers 5 names it. */
static const char *const names_of_5[SOTTO_TARGET_COUNT] = {
    [SOTTO_TARGET_QUERY] = "attention.q_proj", [SOTTO_TARGET_KEY] = "attention.k_proj",
    [SOTTO_TARGET_VALUE] = "attention.v_proj", [SOTTO_TARGET_ATTENTION_OUT] = "attention.o_proj",
    [SOTTO_TARGET_MLP_IN] = "mlp.fc1",         [SOTTO_TARGET_MLP_OUT] = "mlp.fc2",
};

/*
 * PEFT takes a module whose name ends in a target. "output.dense" alone would also hit
 * attention.output.dense, so where only the MLP's is meant it is named block by block.
 */
static json_t *targets_to_store(const struct sotto_layout *layout)
{
    uint32_t set = layout->choice.target_set;
    bool is_ambiguous = (set & 1u << SOTTO_TARGET_ATTENTION_OUT) == 0;
    json_t *targets = json_array();

    for (uint32_t target = 0; target < SOTTO_TARGET_COUNT; target++) {
        const char *name = sotto_target_name(layout->base.family, (enum sotto_target)target);

        if ((set & 1u << target) == 0)
            continue;
        if (target != SOTTO_TARGET_MLP_OUT || !is_ambiguous) {
            json_array_append_new(targets, json_string(name));
            continue;
        }
        for (uint32_t block = 0; block < layout->base.block_count; block++)
            json_array_append_new(targets, json_sprintf("layer.%u.%s", block, name));
    }
    return targets;
}

static json_t *alpha_to_store(double alpha)
{
    if (alpha == floor(alpha) && alpha < 1e9)
        return json_integer((json_int_t)alpha);
    return json_real(alpha);
}

/*
 * adapter_config.json from malloc, or NULL. PEFT has no rank 0: a head alone is rank 1 on no
 * module.
 */
static char *config_to_store(const struct sotto_layout *layout, const char *base_name)
{
    const struct sotto_adapter_choice *choice = &layout->choice;
    bool has_lora = choice->rank > 0;
    json_t *config;
    char *text;

    config = json_pack(
        "{s:s, s:n, s:s, s:i, s:o, s:f, s:s, s:o, s:[s], s:b, s:b}", "peft_type", "LORA",
        "task_type", "base_model_name_or_path", base_name, "r", has_lora ? (int)choice->rank : 1,
        "lora_alpha", alpha_to_store(has_lora ? choice->alpha : 1.0), "lora_dropout", 0.0, "bias",
        "none", "target_modules", has_lora ? targets_to_store(layout) : json_string(no_targets),
        "modules_to_save", "classifier", "fan_in_fan_out", 0, "inference_mode", 1);
    text = json_dumps(config, JSON_INDENT(2));
    json_decref(config);
    return text;
}

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

static enum sotto_status write_readme(const char *folder, const struct sotto_layout *layout,
                                      const char *base_name, struct sotto_fault *fault)
{
    char text[2048];

    snprintf(
        text, sizeof text,
        "---\nlibrary_name: peft\n---\n\n"
        "# Adapter\n\n"
        "A low-rank adapter and a classifier of %u labels for the base model `%.400s`. The labels"
        "\nare in `%s`, in the order of the classifier's rows.\n\n"
        "    from transformers import ViTForImageClassification\n"
        "    from peft import PeftModel\n"
        "    base = ViTForImageClassification.from_pretrained(BASE, num_labels=%u)\n"
        "    model = PeftModel.from_pretrained(base, THIS_FOLDER)\n",
        layout->choice.label_count, base_name, labels_name, layout->choice.label_count);
    return write_text(folder, "README.md", text, fault);
}

static enum sotto_status write_tensors(const char *folder, const float *lanes,
                                       const struct sotto_layout *layout, struct sotto_fault *fault)
{
    struct sotto_tensor_to_store *tensors = calloc(layout->tensor_count, sizeof *tensors);
    char(*names)[SOTTO_TENSOR_TEXT_MAX + 1] = calloc(layout->tensor_count, sizeof *names);
    char path[PATH_MAX];
    enum sotto_status status = SOTTO_NO_MEMORY;

    if (tensors == NULL || names == NULL ||
        sotto_path_join(path, sizeof path, folder, tensors_name) != SOTTO_OK)
        sotto_fault_set(fault, status, "%.400s: no memory to write it", folder);
    else {
        for (size_t i = 0; i < layout->tensor_count; i++) {
            const struct sotto_layout_tensor *tensor = &layout->tensors[i];

            sotto_layout_tensor_name(names[i], layout, i);
            tensors[i] = (struct sotto_tensor_to_store){
                .name = names[i],
                .values = lanes + tensor->first,
                .rank = tensor->role == SOTTO_ROLE_HEAD_BIAS ? 1 : 2,
                .shape = {tensor->rows, tensor->columns},
                .dtype = SOTTO_DTYPE_F32,
            };
        }
        status = sotto_safetensors_write(path, tensors, layout->tensor_count,
                                         "{\"format\": \"pt\"}", fault);
    }
    free(tensors);
    free(names);
    return status;
}

static enum sotto_status write_files(const char *folder, const float *lanes,
                                     const struct sotto_layout *layout, const char *base_name,
                                     struct sotto_fault *fault)
{
    char *config = config_to_store(layout, base_name);
    char *labels = labels_to_store(&layout->choice);
    enum sotto_status status = write_text(folder, config_name, config, fault);

    if (status == SOTTO_OK)
        status = write_text(folder, labels_name, labels, fault);
    free(config);
    free(labels);
    if (status == SOTTO_OK)
        status = write_tensors(folder, lanes, layout, fault);
    if (status == SOTTO_OK)
        status = write_readme(folder, layout, base_name, fault);
    return status;
}

enum sotto_status sotto_peft_write(const char *folder, const float *lanes,
                                   const struct sotto_layout *layout, const char *base_name,
                                   struct sotto_fault *fault)
{
    struct sotto_staging staging;
    enum sotto_status status;

    for (size_t lane = 0; lane < layout->lane_count; lane++) {
        if (!isfinite(lanes[lane]))
            return sotto_fault_set(fault, SOTTO_MALFORMED,
                                   "%s: the adapter holds NaN or an infinity and is not written; "
                                   "lower the learning rate",
                                   folder);
    }
    status = sotto_staging_open(&staging, folder, fault);
    if (status != SOTTO_OK)
        return status;
    status = write_files(staging.partial, lanes, layout, base_name, fault);
    if (status != SOTTO_OK) {
        sotto_staging_discard(&staging);
        return status;
    }
    return sotto_staging_publish(&staging, config_name, fault);
}

/* A directory being read. */
struct reading {
    const char *folder;
    struct sotto_fault *fault;
    struct sotto_safetensors file;
};

/* SOTTO_UNSUPPORTED where adapter_config.json asks for more than plain LoRA. */
static enum sotto_status check_kind(const json_t *config, const struct reading *reading)
{
    static const char *const unknown[] = {"use_dora", "use_rslora", "use_qalora", "fan_in_fan_out"};
    const char *kind = json_string_value(json_object_get(config, "peft_type"));
    const char *bias = json_string_value(json_object_get(config, "bias"));

    if (kind == NULL || strcmp(kind, "LORA") != 0)
        return sotto_fault_set(reading->fault, SOTTO_UNSUPPORTED,
                               "%s/%s: peft_type is not LORA: give a LoRA adapter", reading->folder,
                               config_name);
    if (bias != NULL && strcmp(bias, "none") != 0)
        return sotto_fault_set(reading->fault, SOTTO_UNSUPPORTED,
                               "%s/%s: bias is not none: give an adapter without trained biases",
                               reading->folder, config_name);
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        if (json_is_true(json_object_get(config, unknown[i])))
            return sotto_fault_set(reading->fault, SOTTO_UNSUPPORTED,
                                   "%s/%s: %s is set: give a plain LoRA adapter", reading->folder,
                                   config_name, unknown[i]);
    }
    if (json_object_size(json_object_get(config, "rank_pattern")) != 0 ||
        json_object_size(json_object_get(config, "alpha_pattern")) != 0)
        return sotto_fault_set(
            reading->fault, SOTTO_UNSUPPORTED,
            "%s/%s: rank_pattern or alpha_pattern is set: give an adapter of one "
            "rank",
            reading->folder, config_name);
    return SOTTO_OK;
}

static enum sotto_status read_scale(struct sotto_adapter_choice *choice, const json_t *config,
                                    const struct reading *reading)
{
    const json_t *rank = json_object_get(config, "r");
    const json_t *alpha = json_object_get(config, "lora_alpha");

    if (!json_is_integer(rank) || json_integer_value(rank) < 1 ||
        json_integer_value(rank) > SOTTO_RANK_MAX || !json_is_number(alpha))
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED,
                               "%s/%s: r must be 1 to %d and lora_alpha a number", reading->folder,
                               config_name, SOTTO_RANK_MAX);
    choice->rank = (uint32_t)json_integer_value(rank);
    choice->alpha = json_number_value(alpha);
    return SOTTO_OK;
}

/* The array in labels.json, or NULL if there is no such file. */
static enum sotto_status open_labels(json_t **labels, const struct reading *reading)
{
    char path[PATH_MAX];
    uint8_t *bytes;
    size_t length;
    enum sotto_status status;

    *labels = NULL;
    if (sotto_path_join(path, sizeof path, reading->folder, labels_name) != SOTTO_OK)
        return sotto_fault_set(reading->fault, SOTTO_OVER_LIMIT, "%.300s: the path is too long",
                               reading->folder);
    status = sotto_file_read(&bytes, &length, path, CONFIG_BYTES_MAX, reading->fault);
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
    return sotto_fault_set(reading->fault, SOTTO_MALFORMED,
                           "%s: no JSON array of label names: get the adapter anew", path);
}

/* Copies the names; without any, "0", "1", ... */
static enum sotto_status name_labels(struct sotto_adapter_choice *choice, const json_t *labels,
                                     const struct reading *reading)
{
    if (labels != NULL && json_array_size(labels) != choice->label_count)
        return sotto_fault_set(reading->fault, SOTTO_MISMATCH,
                               "%s/%s: %zu labels for a classifier of %u rows", reading->folder,
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

/* As many labels as the classifier has rows. */
static enum sotto_status read_labels(struct sotto_adapter_choice *choice,
                                     const struct reading *reading)
{
    const struct sotto_stored_tensor *head =
        sotto_safetensors_find(&reading->file, "base_model.model.classifier.weight");
    json_t *labels = NULL;
    enum sotto_status status;

    if (head == NULL || head->rank != 2)
        return sotto_fault_set(
            reading->fault, SOTTO_UNSUPPORTED,
            "%s/%s: no classifier: save it with modules_to_save=[\"classifier\"]", reading->folder,
            tensors_name);
    if (head->shape[0] > SOTTO_LABELS_MAX)
        return sotto_fault_set(reading->fault, SOTTO_OVER_LIMIT, "%s/%s: more than %d labels",
                               reading->folder, tensors_name, SOTTO_LABELS_MAX);
    choice->label_count = (uint32_t)head->shape[0];
    status = open_labels(&labels, reading);
    if (status == SOTTO_OK)
        status = name_labels(choice, labels, reading);
    json_decref(labels);
    return status;
}

static void name_of_5(char out[SOTTO_TENSOR_TEXT_MAX + 1], const struct sotto_layout_tensor *tensor)
{
    snprintf(out, SOTTO_TENSOR_TEXT_MAX + 1, "base_model.model.vit.layers.%u.%s.lora_%c.weight",
             tensor->block, names_of_5[tensor->target],
             tensor->role == SOTTO_ROLE_LORA_A ? 'A' : 'B');
}

/* The stored tensor under the name of either major version of transformers, or NULL. */
static const struct sotto_stored_tensor *find_tensor(const struct sotto_safetensors *file,
                                                     const struct sotto_layout *layout, size_t i)
{
    const struct sotto_layout_tensor *tensor = &layout->tensors[i];
    const struct sotto_stored_tensor *found;
    char name[SOTTO_TENSOR_TEXT_MAX + 1];

    sotto_layout_tensor_name(name, layout, i);
    found = sotto_safetensors_find(file, name);
    if (found == NULL && (tensor->role == SOTTO_ROLE_LORA_A || tensor->role == SOTTO_ROLE_LORA_B)) {
        name_of_5(name, tensor);
        found = sotto_safetensors_find(file, name);
    }
    return found;
}

/* The targets that the file has tensors of, by its lora_A tensors; rank 0 if there are none. */
static enum sotto_status find_targets(struct sotto_adapter_choice *choice,
                                      const struct sotto_arch *arch, const struct reading *reading)
{
    struct sotto_layout probe;
    uint32_t found = 0;
    enum sotto_status status = SOTTO_OK;

    for (uint32_t target = 0; target < SOTTO_TARGET_COUNT && status == SOTTO_OK; target++) {
        if ((sotto_family_targets(arch->family) & 1u << target) == 0)
            continue;
        choice->target_set = 1u << target;
        status = sotto_layout_derive(&probe, arch, choice, reading->fault);
        for (size_t i = 0; status == SOTTO_OK && i < probe.tensor_count; i++) {
            if (probe.tensors[i].role == SOTTO_ROLE_LORA_A &&
                find_tensor(&reading->file, &probe, i) != NULL)
                found |= 1u << target;
        }
    }
    choice->target_set = found;
    if (found == 0)
        choice->rank = 0;
    return status;
}

static enum sotto_status read_tensor(float *lanes, const struct sotto_layout *layout, size_t i,
                                     const struct reading *reading)
{
    const struct sotto_layout_tensor *tensor = &layout->tensors[i];
    const struct sotto_stored_tensor *stored = find_tensor(&reading->file, layout, i);
    uint64_t shape[2] = {tensor->rows, tensor->columns};
    size_t rank = tensor->role == SOTTO_ROLE_HEAD_BIAS ? 1 : 2;
    struct sotto_fault cause = {0};
    char name[SOTTO_TENSOR_TEXT_MAX + 1];
    enum sotto_status status;

    if (stored == NULL) {
        sotto_layout_tensor_name(name, layout, i);
        return sotto_fault_set(reading->fault, SOTTO_MISMATCH,
                               "%s/%s: tensor %s is missing: give an adapter of this base model",
                               reading->folder, tensors_name, name);
    }
    status = sotto_stored_tensor_read(lanes + tensor->first, stored, shape, rank, &cause);
    if (status != SOTTO_OK)
        return sotto_fault_set(reading->fault, status, "%s/%s: %s", reading->folder, tensors_name,
                               cause.text);
    return SOTTO_OK;
}

static enum sotto_status read_lanes(float *lanes, const struct sotto_layout *layout,
                                    const struct reading *reading)
{
    enum sotto_status status = SOTTO_OK;

    if (reading->file.tensor_count != layout->tensor_count)
        return sotto_fault_set(reading->fault, SOTTO_MISMATCH,
                               "%s/%s: %zu tensors where an adapter of this base model has %zu",
                               reading->folder, tensors_name, reading->file.tensor_count,
                               layout->tensor_count);
    for (size_t i = 0; i < layout->tensor_count && status == SOTTO_OK; i++)
        status = read_tensor(lanes, layout, i, reading);
    return status;
}

static enum sotto_status read_adapter(float **lanes, struct sotto_layout *layout,
                                      const json_t *config, const struct sotto_arch *arch,
                                      const struct reading *reading)
{
    struct sotto_adapter_choice choice = {0};
    struct sotto_layout derived;
    float *values;
    enum sotto_status status = check_kind(config, reading);

    if (status == SOTTO_OK)
        status = read_scale(&choice, config, reading);
    if (status == SOTTO_OK)
        status = read_labels(&choice, reading);
    if (status == SOTTO_OK)
        status = find_targets(&choice, arch, reading);
    if (status == SOTTO_OK)
        status = sotto_layout_derive(&derived, arch, &choice, reading->fault);
    if (status != SOTTO_OK)
        return status;
    values = malloc(derived.lane_count * sizeof *values);
    if (values == NULL)
        return sotto_fault_set(reading->fault, SOTTO_NO_MEMORY, "%s: no memory for %zu lanes",
                               reading->folder, derived.lane_count);
    status = read_lanes(values, &derived, reading);
    if (status != SOTTO_OK) {
        free(values);
        return status;
    }
    *lanes = values;
    *layout = derived;
    return SOTTO_OK;
}

static enum sotto_status read_config(json_t **config, const char *folder, struct sotto_fault *fault)
{
    char path[PATH_MAX];
    uint8_t *bytes;
    size_t length;
    enum sotto_status status;

    if (sotto_path_join(path, sizeof path, folder, config_name) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "%.300s: the path is too long", folder);
    status = sotto_file_read(&bytes, &length, path, CONFIG_BYTES_MAX, fault);
    if (status != SOTTO_OK)
        return status;
    *config = json_loadb((const char *)bytes, length, JSON_REJECT_DUPLICATES, NULL);
    free(bytes);
    if (!json_is_object(*config)) {
        json_decref(*config);
        return sotto_fault_set(fault, SOTTO_MALFORMED, "%s: no JSON object: get the adapter anew",
                               path);
    }
    return SOTTO_OK;
}

enum sotto_status sotto_peft_read(float **lanes, struct sotto_layout *layout, const char *folder,
                                  const struct sotto_arch *arch, struct sotto_fault *fault)
{
    struct reading reading = {.folder = folder, .fault = fault};
    char path[PATH_MAX];
    json_t *config = NULL;
    enum sotto_status status;

    *lanes = NULL;
    status = read_config(&config, folder, fault);
    if (status != SOTTO_OK)
        return status;
    if (sotto_path_join(path, sizeof path, folder, tensors_name) != SOTTO_OK)
        status = sotto_fault_set(fault, SOTTO_OVER_LIMIT, "%.300s: the path is too long", folder);
    else
        status = sotto_safetensors_open(&reading.file, path, fault);
    if (status == SOTTO_OK)
        status = read_adapter(lanes, layout, config, arch, &reading);
    sotto_safetensors_close(&reading.file);
    json_decref(config);
    return status;
}
