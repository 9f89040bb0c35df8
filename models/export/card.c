#include "models/export/card.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/file.h"

enum { INPUT_BYTES_MAX = 256 * 1024 * 1024 };

static void set_labels(json_t *config, const struct sotto_adapter_choice *choice)
{
    json_t *names = json_object();
    json_t *indices = json_object();

    for (uint32_t label = 0; label < choice->label_count; label++) {
        char index[16];

        snprintf(index, sizeof index, "%u", label);
        json_object_set_new(names, index, json_string(choice->labels[label]));
        json_object_set_new(indices, choice->labels[label], json_integer(label));
    }
    json_object_set_new(config, "id2label", names);
    json_object_set_new(config, "label2id", indices);
    json_object_del(config, "num_labels");
    json_object_del(config, "problem_type");
}

char *sotto_card_config(struct sotto_view config, const struct sotto_layout *layout)
{
    static const char *const classifiers[SOTTO_FAMILY_COUNT] = {
        [SOTTO_FAMILY_VIT] = "ViTForImageClassification",
        [SOTTO_FAMILY_DEIT] = "DeiTForImageClassification",
        [SOTTO_FAMILY_BERT] = "BertForSequenceClassification",
    };
    json_t *object = json_loadb((const char *)config.at, config.length, 0, NULL);
    const char *classifier = classifiers[layout->base.family];
    char *text;

    if (layout->base.task != SOTTO_TASK_CAUSAL_LM && classifier != NULL) {
        json_object_set_new(object, "architectures", json_pack("[s]", classifier));
        set_labels(object, &layout->choice);
    }
    text = json_dumps(object, JSON_INDENT(2));
    json_decref(object);
    return text;
}

static enum sotto_status join(char path[PATH_MAX], const char *folder, const char *name,
                              struct sotto_fault *fault)
{
    if (sotto_path_join(path, PATH_MAX, folder, name) == SOTTO_OK)
        return SOTTO_OK;
    return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "%.300s: the path is too long", folder);
}

/* Nothing is done where the base model has no such file. */
static enum sotto_status copy_file(const char *folder, const char *base, const char *name,
                                   struct sotto_fault *fault)
{
    char from[PATH_MAX], to[PATH_MAX];
    uint8_t *bytes = NULL;
    size_t length = 0;
    enum sotto_status status = join(from, base, name, fault);

    if (status == SOTTO_OK)
        status = join(to, folder, name, fault);
    if (status != SOTTO_OK)
        return status;
    status = sotto_file_read(&bytes, &length, from, INPUT_BYTES_MAX, fault);
    if (status == SOTTO_NOT_FOUND)
        return SOTTO_OK;
    if (status == SOTTO_OK)
        status = sotto_file_replace(to, sotto_view_of(bytes, length), 0644, fault);
    free(bytes);
    return status;
}

enum sotto_status sotto_card_write(const char *folder, const char *base,
                                   const struct sotto_layout *layout, struct sotto_fault *fault)
{
    static const char *const inputs[] = {
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
        "vocab.txt",
        "vocab.json",
        "merges.txt",
        "tokenizer.model",
        "chat_template.jinja",
        "preprocessor_config.json",
        "generation_config.json",
    };
    char path[PATH_MAX], text[1024];
    enum sotto_status status = join(path, folder, "README.md", fault);

    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0] && status == SOTTO_OK; i++)
        status = copy_file(folder, base, inputs[i], fault);
    if (status != SOTTO_OK)
        return status;
    snprintf(text, sizeof text,
             "# Merged model\n\n"
             "The base model `%.400s` with %s in its weights. It loads like any other.\n",
             base,
             layout->choice.kind == SOTTO_ADAPTER_LORA ? "a low-rank adapter"
                                                       : "trained norms and biases");
    return sotto_file_replace(path, sotto_view_text(text), 0644, fault);
}
