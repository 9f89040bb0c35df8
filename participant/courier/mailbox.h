/*
 * The long poll: asks the coordinator for what comes next and hands it to the sealer. Runs in a
 * thread of its own, with its own connection, so that an upload never waits for a mail that is not
 * there yet.
 */
#ifndef SOTTO_PARTICIPANT_COURIER_MAILBOX_H
#define SOTTO_PARTICIPANT_COURIER_MAILBOX_H

#include "core/base/entropy.h"
#include "core/net/client.h"
#include "core/wire/mail.h"
#include "participant/channel/channel.h"
#include "participant/courier/patience.h"
#include "participant/courier/traffic.h"

struct sotto_mailbox {
    struct sotto_client *client;
    const struct sotto_channel *sealer;
    const struct sotto_channel *supervisor;
    struct sotto_entropy entropy;
    struct sotto_patience patience;
    char campaign[SOTTO_CAMPAIGN_NAME_MAX + 1]; /* of the last mail, "" before the first */
    uint32_t round;
    enum sotto_mail_kind seen;
    int trouble; /* a status, or HTTP's; SOTTO_OK: none. Each kind is told once until it is over */
    struct sotto_traffic traffic;
};

/*
 * Asks once. SOTTO_OK: go on; SOTTO_IO: the sealer is gone. Waits by itself where the coordinator
 * cannot be had.
 */
SOTTO_CHECKED enum sotto_status sotto_mailbox_ask(struct sotto_mailbox *mailbox);

#endif
