/*
 * The options of `campaign create`: what an administrator wishes for, before the model was looked
 * at.
 */
#ifndef SOTTO_COORDINATOR_ADMIN_WISH_H
#define SOTTO_COORDINATOR_ADMIN_WISH_H

#include "coordinator/admin/command.h"
#include "coordinator/schedule/definition.h"
#include "models/adapter/layout.h"

struct sotto_wish {
    struct sotto_definition definition; /* its digests and lane_count are still empty */
    struct sotto_adapter_choice choice;
    const char *targets; /* as they were given, to be held against the model */
    const char *rank_pattern;
    const char *lora_only; /* the last option that was given and only a LoRA has; NULL: none */
    const char *model;     /* folder */
    bool has_method;       /* else it follows from the rest */
};

/* Usage errors end the process with exit code 2. */
void sotto_wish_parse(struct sotto_wish *wish, const struct sotto_command_line *line);

#endif
