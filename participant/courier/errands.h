/*
 * What the sealer sends the courier for: fetch an item, post an answer, upload masked lanes, say
 * that the site leaves. Each errand is tried until the coordinator has answered; a coordinator that
 * restarts is waited for.
 */
#ifndef SOTTO_PARTICIPANT_COURIER_ERRANDS_H
#define SOTTO_PARTICIPANT_COURIER_ERRANDS_H

#include "core/base/clock.h"
#include "core/base/entropy.h"
#include "core/net/client.h"
#include "participant/channel/channel.h"
#include "participant/courier/patience.h"
#include "participant/courier/traffic.h"

enum { SOTTO_UPLOAD_CHUNK_BYTES = 1024 * 1024 };

struct sotto_errands {
    struct sotto_client *client;
    const struct sotto_channel *sealer;
    const struct sotto_channel *supervisor;
    struct sotto_entropy entropy;
    struct sotto_clock clock;
    struct sotto_patience patience;
    struct sotto_traffic traffic;
};

/*
 * Runs one errand to its end. SOTTO_MALFORMED, SOTTO_UNEXPECTED: no letter of this kind; SOTTO_IO:
 * the sealer is gone. An answer that the coordinator did not want (too late, forged, malformed) is
 * told to the supervisor and otherwise done.
 */
SOTTO_CHECKED enum sotto_status sotto_errands_run(struct sotto_errands *errands,
                                                  const struct sotto_letter *letter);

#endif
