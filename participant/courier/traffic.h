/* Tells the supervisor how many bytes went over one connection since it was last told. */
#ifndef SOTTO_PARTICIPANT_COURIER_TRAFFIC_H
#define SOTTO_PARTICIPANT_COURIER_TRAFFIC_H

#include "core/net/client.h"
#include "participant/channel/channel.h"

struct sotto_traffic {
    uint64_t bytes_up;
    uint64_t bytes_down;
};

/*
 *   told  inout  what the supervisor knows of
 */
void sotto_traffic_tell(struct sotto_traffic *told, const struct sotto_client *client,
                        const struct sotto_channel *supervisor);

#endif
