/*
 * What adapter_config.json says is adapted, held against what the tensors adapt: of a file that
 * says one thing and holds another nobody knows which is meant.
 */
#ifndef SOTTO_MODELS_ADAPTER_PEFT_SCOPE_H
#define SOTTO_MODELS_ADAPTER_PEFT_SCOPE_H

#include "models/adapter/peft_tensors.h"

/*
 * target_modules and exclude_modules as lists of names, or the words that PEFT has for all linear
 * layers and for none; layers_to_transform, layers_pattern, task_type. Under the names of either
 * transformers. An expression in target_modules is not run: the tensors tell what it found. A key
 * that is absent or null says nothing.
 *
 *   source  in  with its config open
 *   layout  in  of the tensors, none of which is missing
 *
 * SOTTO_MALFORMED: a value of another kind; SOTTO_OVER_LIMIT: too many names; SOTTO_UNSUPPORTED: an
 * expression in exclude_modules; SOTTO_MISMATCH: it is not what the tensors are. The fault names
 * the key.
 */
SOTTO_CHECKED enum sotto_status sotto_peft_scope_check(const struct sotto_peft_source *source,
                                                       const struct sotto_layout *layout);

#endif
