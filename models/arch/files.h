/*
 * The files of a Hugging Face model directory: config.json, the weights, and what turns an example
 * into the model's input: preprocessor_config.json for pictures, tokenizer.json for texts. Opened
 * and believed here once, for whoever computes and for whoever only takes their digest.
 */
#ifndef SOTTO_MODELS_ARCH_FILES_H
#define SOTTO_MODELS_ARCH_FILES_H

#include "models/arch/arch.h"
#include "models/weights/checkpoint.h"

struct sotto_model_files {
    struct sotto_arch arch;
    struct sotto_checkpoint checkpoint;
    uint8_t *config;
    size_t config_length;
    uint8_t *input; /* preprocessor_config.json or tokenizer.json */
    size_t input_length;
};

/* "preprocessor_config.json" or "tokenizer.json". */
const char *sotto_model_input_name(const struct sotto_arch *arch);

/*
 * Whether the tensors are those that the architecture asks for is not looked at here.
 *
 * The statuses of sotto_arch_decode and sotto_checkpoint_open, and SOTTO_NOT_FOUND: nothing stays
 * open, the fault names the file.
 */
SOTTO_CHECKED enum sotto_status sotto_model_files_open(struct sotto_model_files *files,
                                                       const char *folder,
                                                       struct sotto_fault *fault);
void sotto_model_files_close(struct sotto_model_files *files); /* twice is harmless */

/*
 * The very bytes of all files, for sotto_hash_list("sotto/1 model"): config.json, the index if
 * there is one, the files of weights, the input's file; borrowed. Returns how many.
 */
enum { SOTTO_MODEL_PARTS_MAX = SOTTO_CHECKPOINT_PARTS_MAX + 2 };
size_t sotto_model_files_parts(const struct sotto_model_files *files,
                               struct sotto_view parts[SOTTO_MODEL_PARTS_MAX]);

#endif
