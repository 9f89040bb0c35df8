/* What every command of sotto-admin looks like: its own options, one session, one status. */
#ifndef SOTTO_COORDINATOR_ADMIN_COMMAND_H
#define SOTTO_COORDINATOR_ADMIN_COMMAND_H

#include "coordinator/admin/session.h"

/* argv[0] is the command's full name, for its --help; the rest are its own arguments. */
struct sotto_command_line {
    int argc;
    char **argv;
};

/*
 * Parses one operand, called `what` in the help, and --json if `json` is not NULL. Usage errors end
 * the process.
 */
void sotto_command_parse(const struct sotto_command_line *line, const char *what,
                         const char **operand, bool *json, const char *doc);

/* Prints JSON in a readable form on stdout. */
void sotto_command_print(const json_t *value);

/*
 * "/v1/admin/<collection>/<name><rest>" into out; the name's letters are checked by the
 * coordinator.
 */
SOTTO_CHECKED enum sotto_status sotto_command_path(char out[256], const char *collection,
                                                   const char *name, const char *rest,
                                                   struct sotto_fault *fault);

#endif
