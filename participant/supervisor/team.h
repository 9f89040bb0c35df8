/*
 * A site's three confined processes. They live and die together: a round cannot go on with one of
 * them new, and a fresh team takes part in the next.
 */
#ifndef SOTTO_PARTICIPANT_SUPERVISOR_TEAM_H
#define SOTTO_PARTICIPANT_SUPERVISOR_TEAM_H

#include <stdbool.h>
#include <sys/types.h>

#include "participant/channel/channel.h"
#include "participant/supervisor/folder.h"
#include "participant/supervisor/site.h"

enum { SOTTO_TEAM_SIZE = 3 };

struct sotto_worker {
    enum sotto_peer role;
    pid_t child; /* 0: none */
    struct sotto_channel channel;
};

struct sotto_team {
    struct sotto_worker workers[SOTTO_TEAM_SIZE]; /* trainer, sealer, courier */
};

/* Three roles, nobody started. */
void sotto_team_init(struct sotto_team *team);

/* "trainer" and the like. */
const char *sotto_worker_name(const struct sotto_worker *worker);

/*
 * Spawns all three and sends each its START. After a failure none is left.
 *
 * SOTTO_NOT_FOUND, SOTTO_MALFORMED (identity, coordinator key), SOTTO_IO, SOTTO_NO_MEMORY: the
 * fault names the file.
 */
SOTTO_CHECKED enum sotto_status sotto_team_start(struct sotto_team *team,
                                                 const struct sotto_state_folder *folder,
                                                 const struct sotto_site_config *site,
                                                 struct sotto_fault *fault);

/* Whether any of them has not been reaped yet. */
bool sotto_team_is_alive(const struct sotto_team *team);

/*
 * Sends all of them `signal_number`, waits until they are gone and closes the channels; SIGKILL
 * after a second.
 */
void sotto_team_stop(struct sotto_team *team, int signal_number);

#endif
