/* Where the hub meets the network: requests come in, receipts and mail go out. */
#ifndef TESTS_CHAOS_DESK_H
#define TESTS_CHAOS_DESK_H

#include "tests/chaos/hub.h"

/* Replies to everybody whose event is durable by now. */
void desk_answer(struct play *play, struct hub *hub);
/* Replies to polls for which there is mail. */
void desk_wake(struct play *play, struct hub *hub);
/* A poll has waited long enough. */
void desk_expire(struct play *play, struct hub *hub, const struct parcel *poll);

/* What is on the shelf, whoever asks. */
void desk_fetch(struct play *play, const struct hub *hub, const struct parcel *fetch);

#endif
