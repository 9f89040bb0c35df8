/* What stands beside the weights of a merged model: config.json, README.md, files of the input. */
#ifndef SOTTO_MODELS_EXPORT_CARD_H
#define SOTTO_MODELS_EXPORT_CARD_H

#include "models/adapter/layout.h"

/*
 * The base model's config.json with the architecture and the labels of the trained classifier; of a
 * language model as it is. From malloc, NULL: no memory.
 *
 *   config  in  text that sotto_arch_decode took
 */
char *sotto_card_config(struct sotto_view config, const struct sotto_layout *layout);

/*
 * Copies the files of the input that are there (tokenizer, chat template, preprocessor), and writes
 * README.md. SOTTO_IO, SOTTO_OVER_LIMIT, SOTTO_NO_MEMORY: the fault names the file.
 */
SOTTO_CHECKED enum sotto_status sotto_card_write(const char *folder, const char *base,
                                                 const struct sotto_layout *layout,
                                                 struct sotto_fault *fault);

#endif
