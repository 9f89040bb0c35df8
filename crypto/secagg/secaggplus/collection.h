/*
 * What the participants of one round have sent to the coordinator, by seat. While adverts come in,
 * a seat is a line of the roster; then the cohort is fixed and seats are counted anew, in order of
 * id.
 */
#ifndef SOTTO_CRYPTO_SECAGG_SECAGGPLUS_COLLECTION_H
#define SOTTO_CRYPTO_SECAGG_SECAGGPLUS_COLLECTION_H

#include "crypto/secagg/protocol.h"
#include "crypto/secagg/secaggplus/graph/table.h"
#include "crypto/secagg/secaggplus/messages/advert.h"
#include "crypto/secagg/secaggplus/messages/inclusion.h"
#include "crypto/secagg/secaggplus/messages/receipt.h"
#include "crypto/secagg/secaggplus/messages/shares.h"
#include "crypto/secagg/secaggplus/messages/survivors.h"
#include "crypto/secagg/secaggplus/quota.h"

enum { SOTTO_SEAT_NONE = SOTTO_COHORT_MAX, SOTTO_HEARD_STAGES = SOTTO_STAGE_REVEALING + 1 };

/* Receipts are heard beside the uploads. */
enum { SOTTO_HEARD_RECEIPTS = SOTTO_HEARD_STAGES, SOTTO_HEARD_COUNT };

/* Who has answered in one stage, and with what: to tell a repeat from a second answer. */
struct sotto_heard {
    struct sotto_seats who;
    struct sotto_digest *answers; /* [capacity] */
};

struct sotto_collection {
    uint32_t capacity;
    uint32_t count; /* seats taken; n once gathering is over */
    const struct sotto_roster *roster;
    struct sotto_quota quota;
    struct sotto_heard
        heard[SOTTO_HEARD_COUNT]; /* the first of as many answers as the roster has */

    /* [lines of the roster] */
    uint32_t *seats;     /* by line; SOTTO_SEAT_NONE: has none */
    bool *twins;         /* by line: another line has its identity or its certificate */
    uint32_t *key_table; /* [key_capacity] keys seen, by hash */
    size_t key_capacity; /* a power of two */
    const struct sotto_roster_entry **entries; /* by seat, as the next */
    struct sotto_advert *adverts;

    /* [capacity] by seat, after gathering */
    uint8_t *ids; /* u32 */
    struct sotto_digest *leaves;
    struct sotto_digest *commitments; /* SHA-256(beta), after sharing */
    uint8_t *receipts;                /* [SOTTO_RECEIPT_BYTES] each, in a ring */

    struct sotto_parameters parameters; /* after gathering, as the next four */
    struct sotto_digest context;
    struct sotto_signature signature;
    struct sotto_ring ring;
    struct sotto_table table;
    struct sotto_seats sharers;       /* after sharing: those for whom masks are made */
    struct sotto_survivors survivors; /* after uploading */
    struct sotto_seats confirmers;    /* after including: those that may reveal */

    uint8_t *sealed; /* [cells of the table, row: from][SOTTO_SEALED_BYTES], until uploads are in */
    /* From then on, in the same room, which is the most of what a large cohort needs: */
    uint8_t *macs;      /* [cells of the table, row: from][SOTTO_INCLUSION_MAC_BYTES] */
    uint8_t *shares;    /* [cells of the table, row: holder][SOTTO_SHARE_BYTES] */
    uint8_t *late_room; /* [late_bytes] for what is derived in the end; aligned as u32 */
    size_t late_bytes;
};

/* SOTTO_NO_MEMORY: everything was asked for, so that a counting arena adds it up. */
SOTTO_CHECKED enum sotto_status sotto_collection_init(struct sotto_collection *collection,
                                                      struct sotto_arena *arena,
                                                      const struct sotto_extent *extent,
                                                      const struct sotto_collector_setup *setup);
void sotto_collection_wipe(struct sotto_collection *collection);

/* SOTTO_SEAT_NONE: has none. */
uint32_t sotto_collection_seat(const struct sotto_collection *collection, uint32_t id);
/* Is there a seat with the identity or the certificate of this entry, under whatever id? */
bool sotto_collection_has(const struct sotto_collection *collection,
                          const struct sotto_roster_entry *entry);
/* Was this key in any advert that was seated, even if its sender has left? */
bool sotto_collection_has_key(const struct sotto_collection *collection,
                              const struct sotto_x25519_public *key);
/* Seats a participant; `count` is below `capacity` and the entry has no seat. */
void sotto_collection_seat_take(struct sotto_collection *collection,
                                const struct sotto_roster_entry *entry,
                                const struct sotto_advert *advert,
                                const struct sotto_digest *answer);
void sotto_collection_seat_leave(struct sotto_collection *collection, uint32_t seat);

/*
 * Ends gathering: seats in order of id, leaves, ctx1, the graph. `parameters` are set and `plan` is
 * ctx0. SOTTO_OVER_LIMIT: the graph has more cells than were reckoned with.
 */
SOTTO_CHECKED enum sotto_status sotto_collection_settle(struct sotto_collection *collection,
                                                        const struct sotto_digest *plan);

/* One cell of the three tables; the two seats are neighbours. */
uint8_t *sotto_collection_sealed(const struct sotto_collection *collection, uint32_t from,
                                 uint32_t to);
uint8_t *sotto_collection_mac(const struct sotto_collection *collection, uint32_t from,
                              uint32_t to);
uint8_t *sotto_collection_share(const struct sotto_collection *collection, uint32_t holder,
                                uint32_t owner);

#endif
