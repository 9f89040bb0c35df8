/* A Hugging Face directory of any family with random weights, for tests and benchmarks. */
#ifndef SOTTO_TESTS_SUPPORT_MODEL_FOLDER_H
#define SOTTO_TESTS_SUPPORT_MODEL_FOLDER_H

#include "models/arch/arch.h"

enum { MODEL_FOLDER_PATH_MAX = 256 };

struct model_folder {
    char path[MODEL_FOLDER_PATH_MAX];
};

/*
 * 8 x 8 grey pixels, patches of 4, width 16, 2 blocks of 2 heads: small enough for finite
 * differences.
 */
struct sotto_arch model_folder_tiny(void);

/*
 * The same of any family: texts of up to 24 of 13 words; Llama with one key head for both query
 * heads, heads of 6, a gate, and an epsilon that keeps the norms of small rows smooth.
 */
struct sotto_arch model_folder_tiny_of(enum sotto_family family);

/*
 * [sotto_base_weight_count] from malloc: matrices N(0, 1 / columns), gains near 1, the rest near 0.
 */
float *model_folder_weights(const struct sotto_arch *arch, uint64_t seed);

/*
 * A fresh temporary folder with its three files; aborts if it cannot be written. Of a text family
 * tokenizer.json knows one token.
 */
void model_folder_open(struct model_folder *folder, const struct sotto_arch *arch,
                       const float *weights);
/* Removes the folder and the three files. */
void model_folder_close(struct model_folder *folder);

/* One more file in the folder, or another content for one of the three. */
void model_folder_write(const struct model_folder *folder, const char *name, const char *text);

/* The config.json of another shape. */
void model_folder_write_config(const struct model_folder *folder, const struct sotto_arch *arch);

/* A file that is in the folder. */
void model_folder_remove(const struct model_folder *folder, const char *name);

#endif
