/*
 * Starts one of a site's programs, which lie beside this one, with nothing inherited but its seats
 * and stderr.
 */
#ifndef SOTTO_PARTICIPANT_SUPERVISOR_SPAWN_H
#define SOTTO_PARTICIPANT_SUPERVISOR_SPAWN_H

#include <sys/types.h>

#include "core/base/status.h"

enum { SOTTO_SEATS_MAX = 3 };

/*
 * The path of `program` in the folder of the running executable; out[1024]. SOTTO_OVER_LIMIT,
 * SOTTO_NOT_FOUND.
 */
SOTTO_CHECKED enum sotto_status sotto_program_path(char out[1024], const char *program,
                                                   struct sotto_fault *fault);

/*
 * fork and exec. The child dies with its parent, leaves no core, and has seats[0 .. seat_count) as
 * descriptors 3, 4, 5; all other descriptors are closed.
 *
 * SOTTO_NOT_FOUND: no such program; SOTTO_NO_MEMORY: fork failed.
 */
SOTTO_CHECKED enum sotto_status sotto_spawn(pid_t *child, const char *program, const int *seats,
                                            size_t seat_count, struct sotto_fault *fault);

/*
 * Becomes the trainer's program, which alone opens models and examples, with a command. Returns
 * only if it cannot be started.
 *
 *   arguments  in  as main gets them, NULL after the last
 */
enum sotto_status sotto_trainer_become(char **arguments, struct sotto_fault *fault);

#endif
