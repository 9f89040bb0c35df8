#include "participant/trainer/examples.h"

#include <stdio.h>
#include <sys/stat.h>

/* Tokens of a text where nobody says how many; most models take more than memory would. */
enum { TEXT_LENGTH = 1024 };

static enum sotto_status check(const struct sotto_dataset *dataset, const char *path,
                               const struct sotto_adapter_choice *choice,
                               struct sotto_picture_form form, struct sotto_fault *fault)
{
    if (dataset->side != form.side || dataset->channels != form.channels)
        return sotto_fault_set(fault, SOTTO_MISMATCH,
                               "pictures in %s are %u x %u with %u channels, the model's are "
                               "%u x %u with %u: use a folder of pictures, which are converted",
                               path, dataset->side, dataset->side, dataset->channels, form.side,
                               form.side, form.channels);
    for (size_t index = 0; index < dataset->count; index++)
        if (dataset->labels[index] >= choice->label_count)
            return sotto_fault_set(fault, SOTTO_MISMATCH,
                                   "example %zu of %s has label %u, the adapter knows %u labels",
                                   index, path, dataset->labels[index], choice->label_count);
    return SOTTO_OK;
}

static enum sotto_status open_idx(struct sotto_dataset *dataset,
                                  const struct sotto_examples_place *place,
                                  const struct sotto_adapter_choice *choice,
                                  struct sotto_picture_form form, struct sotto_fault *fault)
{
    struct sotto_idx_slice slice = {
        .images_path = place->images, .labels_path = place->labels, .count = place->count};
    enum sotto_status status = sotto_dataset_open_idx(dataset, &slice, fault);

    if (status != SOTTO_OK)
        return status;
    status = check(dataset, place->images, choice, form, fault);
    if (status != SOTTO_OK)
        sotto_dataset_close(dataset);
    return status;
}

enum sotto_status sotto_examples_form(struct sotto_text_form *form,
                                      struct sotto_label_names *labels,
                                      const struct sotto_examples_place *place,
                                      const struct sotto_adapter_choice *choice,
                                      const struct sotto_model *model, struct sotto_fault *fault)
{
    const struct sotto_arch *arch = sotto_model_arch(model);
    uint32_t length = place->text_length == 0 ? TEXT_LENGTH : place->text_length;

    *labels = (struct sotto_label_names){choice->labels, choice->label_count};
    *form = (struct sotto_text_form){
        .tokeniser = sotto_model_tokeniser(model),
        .length_max = length < arch->position_count ? length : arch->position_count,
        .labels = arch->task == SOTTO_TASK_CAUSAL_LM ? NULL : labels,
    };
    return sotto_chat_parse(&form->chat, place->chat == NULL ? "" : place->chat, fault);
}

static bool is_folder(const char *path)
{
    struct stat found;

    return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

static enum sotto_status open_texts(struct sotto_examples *examples,
                                    const struct sotto_examples_place *place,
                                    const struct sotto_adapter_choice *choice,
                                    const struct sotto_model *model, struct sotto_fault *fault)
{
    struct sotto_text_form form;
    struct sotto_label_names labels;
    struct sotto_text_report report;
    enum sotto_status status = sotto_examples_form(&form, &labels, place, choice, model, fault);

    if (status == SOTTO_OK && is_folder(place->folder))
        status = sotto_fault_set(fault, SOTTO_MISMATCH,
                                 "the model is for texts and %s is a folder: name a file of texts "
                                 "as the examples",
                                 place->folder);
    if (status == SOTTO_OK)
        status =
            sotto_dataset_open_text_file(&examples->dataset, &report, place->folder, &form, fault);
    if (status == SOTTO_OK && report.cut_count + report.dropped_count > 0)
        snprintf(examples->note, sizeof examples->note,
                 "%zu of %zu texts are too long and lost their end, %zu more their whole answer",
                 report.cut_count, examples->dataset.count, report.dropped_count);
    return status;
}

/* What is said of texts has to have a meaning for the model. */
static enum sotto_status check_place(const struct sotto_examples_place *place,
                                     const struct sotto_model *model, struct sotto_fault *fault)
{
    bool has_chat = place->chat != NULL && place->chat[0] != '\0';
    enum sotto_task task = sotto_model_arch(model)->task;

    if (task == SOTTO_TASK_PICTURE_CLASS && (has_chat || place->text_length != 0))
        return sotto_fault_set(
            fault, SOTTO_MISMATCH,
            "the model is for pictures: leave out --chat and --text-length (chat "
            "and text_length in site.yaml), which are for texts");
    if (task == SOTTO_TASK_TEXT_CLASS && has_chat)
        return sotto_fault_set(fault, SOTTO_MISMATCH,
                               "the model names classes of texts: leave out --chat (chat in "
                               "site.yaml), which is for conversations of a language model");
    return SOTTO_OK;
}

enum sotto_status sotto_examples_open(struct sotto_examples *examples,
                                      const struct sotto_examples_place *place,
                                      const struct sotto_adapter_choice *choice,
                                      const struct sotto_model *model, struct sotto_fault *fault)
{
    struct sotto_label_names labels = {.names = choice->labels, .count = choice->label_count};
    struct sotto_picture_form form = sotto_model_picture_form(model);
    bool is_named = place->folder[0] != '\0';
    enum sotto_status status = check_place(place, model, fault);

    *examples = (struct sotto_examples){0};
    if (status != SOTTO_OK)
        return status;
    if (sotto_model_tokeniser(model) != NULL && !is_named)
        return sotto_fault_set(fault, SOTTO_MISMATCH,
                               "the model is for texts and %s is a file of pictures: name a file "
                               "of texts as the examples",
                               place->images);
    if (sotto_model_tokeniser(model) != NULL)
        return open_texts(examples, place, choice, model, fault);
    if (is_named)
        return sotto_dataset_open_folder(&examples->dataset, place->folder, form, &labels, fault);
    return open_idx(&examples->dataset, place, choice, form, fault);
}

void sotto_examples_close(struct sotto_examples *examples)
{
    sotto_dataset_close(&examples->dataset);
}
