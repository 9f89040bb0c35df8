/* How many connections a coordinator takes, from its settings, its sites and its descriptors. */
#ifndef SOTTO_COORDINATOR_PROGRAM_CAPACITY_H
#define SOTTO_COORDINATOR_PROGRAM_CAPACITY_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SOTTO_CONNECTIONS_MIN = 16,
    SOTTO_CONNECTIONS_MAX = 65535,
    SOTTO_CONNECTIONS_DEFAULT = 20000, /* a full roster, each site with two */
    SOTTO_CONNECTIONS_PER_ADDRESS_DEFAULT = 256,
    SOTTO_DESCRIPTORS_OWN = 64, /* journal, loop, log and whatever else is no connection's */
    SOTTO_DESCRIPTORS_EACH = 2, /* a socket, and the part of an upload that comes through it */
};

struct sotto_capacity {
    uint32_t connections;
    uint32_t connections_per_address;
    bool is_short;               /* fewer than were asked for, or than two for each site */
    uint32_t connections_wanted; /* if so */
};

/*
 *   connections              in  the setting; 0: what the descriptors allow, at most the default
 *   connections_per_address  in  the setting; 0: the default
 *   sites                    in  that are enrolled
 *   descriptors              in  that the process may have
 */
void sotto_capacity_plan(struct sotto_capacity *out, uint32_t connections,
                         uint32_t connections_per_address, uint64_t sites, uint64_t descriptors);

/* Raises this process's limit of open files to what it may be; what it is then. */
uint64_t sotto_capacity_raise(void);

#endif
