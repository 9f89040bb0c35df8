/*
 * What the participants of one round have sent to the coordinator, by seat. Seats are in order of
 * id from the first advert on; they move only while adverts come in.
 */
#ifndef SOTTO_CRYPTO_SECAGG_SECAGGPLUS_COLLECTION_H
#define SOTTO_CRYPTO_SECAGG_SECAGGPLUS_COLLECTION_H

#include "crypto/secagg/protocol.h"
#include "crypto/secagg/secaggplus/messages/advert.h"
#include "crypto/secagg/secaggplus/messages/inclusion.h"
#include "crypto/secagg/secaggplus/messages/shares.h"
#include "crypto/secagg/secaggplus/messages/survivors.h"
#include "crypto/secagg/secaggplus/parameters.h"
#include "crypto/secagg/secaggplus/quota.h"

enum { SOTTO_SEAT_NONE = SOTTO_COHORT_MAX, SOTTO_HEARD_STAGES = SOTTO_STAGE_REVEALING + 1 };

/* Who has answered in one stage, and with what: to tell a repeat from a second answer. */
struct sotto_heard {
    struct sotto_seats who;
    struct sotto_digest *answers; /* [capacity] */
};

struct sotto_collection {
    uint32_t capacity;
    uint32_t count; /* seats taken; n once gathering is over */
    struct sotto_quota quota;
    struct sotto_heard heard[SOTTO_HEARD_STAGES];

    const struct sotto_roster_entry **entries; /* [capacity], as the next three */
    struct sotto_advert *adverts;
    struct sotto_digest *leaves;      /* after gathering */
    struct sotto_digest *commitments; /* SHA-256(beta), after sharing */

    struct sotto_parameters parameters; /* after gathering, as the next two */
    struct sotto_digest context;
    struct sotto_signature signature;
    struct sotto_survivors survivors; /* after uploading */

    uint8_t *sealed; /* [capacity from][capacity to][SOTTO_SEALED_BYTES] */
    uint8_t *macs;   /* [capacity from][capacity to][SOTTO_INCLUSION_MAC_BYTES] */
    uint8_t *shares; /* [capacity holder][capacity owner][SOTTO_SHARE_BYTES] */
};

/* SOTTO_NO_MEMORY: everything was asked for, so that a counting arena adds it up. */
SOTTO_CHECKED enum sotto_status sotto_collection_init(struct sotto_collection *collection,
                                                      struct sotto_arena *arena, uint32_t capacity,
                                                      const struct sotto_collector_setup *setup);
void sotto_collection_wipe(struct sotto_collection *collection);

/* SOTTO_SEAT_NONE: has none. */
uint32_t sotto_collection_seat(const struct sotto_collection *collection, uint32_t id);
/* Is there a seat with the identity or the certificate of this entry, under whatever id? */
bool sotto_collection_has(const struct sotto_collection *collection,
                          const struct sotto_roster_entry *entry);
/* Seats a participant by its id; `count` is below `capacity` and the id has no seat. */
void sotto_collection_seat_take(struct sotto_collection *collection,
                                const struct sotto_roster_entry *entry,
                                const struct sotto_advert *advert,
                                const struct sotto_digest *answer);
void sotto_collection_seat_leave(struct sotto_collection *collection, uint32_t seat);

/* One cell of the three tables. */
uint8_t *sotto_collection_sealed(const struct sotto_collection *collection, uint32_t from,
                                 uint32_t to);
uint8_t *sotto_collection_mac(const struct sotto_collection *collection, uint32_t from,
                              uint32_t to);
uint8_t *sotto_collection_share(const struct sotto_collection *collection, uint32_t holder,
                                uint32_t owner);

#endif
