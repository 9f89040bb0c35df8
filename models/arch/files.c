#include "models/arch/files.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/file.h"

enum { CONFIG_BYTES_MAX = 1024 * 1024, INPUT_BYTES_MAX = 128 * 1024 * 1024 };

const char *sotto_model_input_name(const struct sotto_arch *arch)
{
    return arch->task == SOTTO_TASK_PICTURE_CLASS ? "preprocessor_config.json" : "tokenizer.json";
}

static enum sotto_status join(char path[PATH_MAX], const char *folder, const char *name,
                              struct sotto_fault *fault)
{
    enum sotto_status status = sotto_path_join(path, PATH_MAX, folder, name);

    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "the path %.200s is too long", folder);
    return SOTTO_OK;
}

/* An adapter's folder is a common slip; its base model is another. */
static enum sotto_status refuse_folder(const char *folder, struct sotto_fault *fault)
{
    char path[PATH_MAX];

    if (sotto_path_join(path, sizeof path, folder, "adapter_config.json") == SOTTO_OK &&
        access(path, F_OK) == 0)
        return sotto_fault_set(
            fault, SOTTO_NOT_FOUND,
            "%s holds an adapter and no model: name the folder of its base model", folder);
    return sotto_fault_set(fault, SOTTO_NOT_FOUND,
                           "%s/config.json is missing: name a Hugging Face model directory",
                           folder);
}

static enum sotto_status read_config(struct sotto_model_files *files, const char *folder,
                                     struct sotto_fault *fault)
{
    char path[PATH_MAX];
    enum sotto_status status = join(path, folder, "config.json", fault);

    if (status == SOTTO_OK)
        status =
            sotto_file_read(&files->config, &files->config_length, path, CONFIG_BYTES_MAX, fault);
    if (status == SOTTO_NOT_FOUND && !sotto_path_is_link(path))
        status = refuse_folder(folder, fault);
    if (status == SOTTO_OK)
        status = sotto_arch_decode(&files->arch, sotto_view_of(files->config, files->config_length),
                                   path, fault);
    return status;
}

static enum sotto_status read_input(struct sotto_model_files *files, const char *folder,
                                    struct sotto_fault *fault)
{
    char path[PATH_MAX];
    enum sotto_status status = join(path, folder, sotto_model_input_name(&files->arch), fault);

    if (status == SOTTO_OK)
        status = sotto_file_read(&files->input, &files->input_length, path, INPUT_BYTES_MAX, fault);
    if (status == SOTTO_NOT_FOUND && !sotto_path_is_link(path))
        return sotto_fault_set(
            fault, status,
            files->arch.task == SOTTO_TASK_PICTURE_CLASS
                ? "%s is missing: a model for pictures needs it, get it with the model or write it "
                  "with transformers' AutoImageProcessor and save_pretrained"
                : "%s is missing: a model for texts needs it, get it with the model or write it "
                  "with transformers' AutoTokenizer (use_fast=True) and save_pretrained",
            path);
    return status;
}

enum sotto_status sotto_model_files_open(struct sotto_model_files *files, const char *folder,
                                         struct sotto_fault *fault)
{
    enum sotto_status status;

    *files = (struct sotto_model_files){0};
    status = read_config(files, folder, fault);
    if (status == SOTTO_OK)
        status = read_input(files, folder, fault);
    if (status == SOTTO_OK)
        status = sotto_checkpoint_open(&files->checkpoint, folder, fault);
    if (status != SOTTO_OK)
        sotto_model_files_close(files);
    return status;
}

void sotto_model_files_close(struct sotto_model_files *files)
{
    sotto_checkpoint_close(&files->checkpoint);
    free(files->config);
    free(files->input);
    *files = (struct sotto_model_files){0};
}

size_t sotto_model_files_parts(const struct sotto_model_files *files,
                               struct sotto_view parts[SOTTO_MODEL_PARTS_MAX])
{
    size_t count = 0;

    parts[count++] = sotto_view_of(files->config, files->config_length);
    count += sotto_checkpoint_parts(&files->checkpoint, parts + count);
    parts[count++] = sotto_view_of(files->input, files->input_length);
    return count;
}
