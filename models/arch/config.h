/*
 * The keys of a config.json, by model_type: which are read into which field, with which limits and
 * which value where they are absent, and which may only be there with the one value that is
 * computed here. The rows follow the configuration classes of transformers 4 and 5.
 */
#ifndef SOTTO_MODELS_ARCH_CONFIG_H
#define SOTTO_MODELS_ARCH_CONFIG_H

#include "models/arch/arch.h"
#include "models/arch/reading.h"

/* arch: all zero before; unspecified after a failure. Statuses as sotto_arch_decode has them. */
SOTTO_CHECKED enum sotto_status sotto_arch_config_decode(struct sotto_arch *arch,
                                                         const struct sotto_reading *reading);

#endif
