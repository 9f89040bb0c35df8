/* A site's short messages: from the last part of a route and a body to an event of the round. */
#ifndef SOTTO_COORDINATOR_GATE_MESSAGE_H
#define SOTTO_COORDINATOR_GATE_MESSAGE_H

#include "coordinator/round/round.h"

/*
 * Longest body of this message: "advert", "shares", "inclusion", "reveal", "leave"; 0: there is no
 * such message.
 */
size_t sotto_gate_message_max(const char *name);

/*
 * event->site, at_ms and bytes (borrowed from `body`) are set, and the reason of a leave.
 *
 * SOTTO_NOT_FOUND: no such message; SOTTO_MALFORMED: an empty body, or a leave without a known
 * refusal;
 * SOTTO_OVER_LIMIT. The event is as before.
 */
SOTTO_CHECKED enum sotto_status sotto_gate_message(struct sotto_round_event *event,
                                                   const char *name, uint32_t site,
                                                   struct sotto_view body, uint64_t at_ms);

#endif
