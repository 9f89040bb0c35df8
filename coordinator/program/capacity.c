#include "coordinator/program/capacity.h"

#include <sys/resource.h>

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void sotto_capacity_plan(struct sotto_capacity *out, uint32_t connections,
                         uint32_t connections_per_address, uint64_t sites, uint64_t descriptors)
{
    uint64_t room = descriptors < SOTTO_DESCRIPTORS_OWN
                        ? 0
                        : (descriptors - SOTTO_DESCRIPTORS_OWN) / SOTTO_DESCRIPTORS_EACH;
    uint64_t most = connections != 0 ? connections : SOTTO_CONNECTIONS_DEFAULT;
    uint64_t wanted = connections != 0
                          ? connections
                          : lesser(SOTTO_CONNECTIONS_DEFAULT, 2 * sites + SOTTO_CONNECTIONS_MIN);

    if (room < SOTTO_CONNECTIONS_MIN)
        room = SOTTO_CONNECTIONS_MIN;
    *out = (struct sotto_capacity){.connections = (uint32_t)lesser(most, room),
                                   .connections_per_address =
                                       connections_per_address != 0
                                           ? connections_per_address
                                           : SOTTO_CONNECTIONS_PER_ADDRESS_DEFAULT,
                                   .is_short = room < wanted,
                                   .connections_wanted = (uint32_t)wanted};
}

uint64_t sotto_capacity_raise(void)
{
    struct rlimit limit;
    struct rlimit raised;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    raised = limit;
    raised.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}
