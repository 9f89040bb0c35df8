/*
 * The command line of sotto-pretrain.
 */
#ifndef SOTTO_MODELS_PRETRAIN_OPTIONS_H
#define SOTTO_MODELS_PRETRAIN_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "models/weights/dtype.h"

struct sotto_pretrain_options {
    const char *images;
    const char *out;
    size_t first;
    size_t count; /* 0: all from first on */
    uint32_t width;
    uint32_t blocks;
    uint32_t heads;
    uint32_t patch;
    uint32_t decoder_width;
    uint32_t decoder_blocks;
    uint32_t epochs;
    uint32_t batch;
    uint32_t shift;
    uint32_t threads;
    uint64_t seed;
    double mask_ratio;
    double learning_rate;
    double weight_decay;
    enum sotto_dtype dtype;
};

/* Parses, or prints what is wrong or was asked for and exits: 2 after an error, 0 after --help. */
void sotto_pretrain_options_parse(struct sotto_pretrain_options *options, int argc, char **argv);

#endif
