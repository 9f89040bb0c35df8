/*
 * Inclusion: every survivor tells its neighbours which survivor set it was given, on the way to the
 * coordinator (inclusion) and from there to them (inclusions).
 *
 *     inclusion of seat i:
 *     0           signature  64           Ed25519 over "sotto/1 inclusion" || ctx1 || SHA-256(set)
 *     64          macs       16 each      by seat, for its neighbours that survived
 *
 *     inclusions for seat j:
 *     0           senders    ceil(n/8)    neighbours of j only
 *     ceil(n/8)   macs       16 each      by seat
 *
 *     mac = the first 16 bytes of HMAC-SHA-256(A_ij, "incl" || ctx1 || SHA-256(set))
 *
 * Without this step a coordinator could tell some holders that a participant is dead and others
 * that it is alive. Source: the consistency check of Bonawitz et al., CCS 2017, Fig. 4, Round 3,
 * made pairwise.
 */
#ifndef SOTTO_CRYPTO_SECAGG_SECAGGPLUS_MESSAGES_INCLUSION_H
#define SOTTO_CRYPTO_SECAGG_SECAGGPLUS_MESSAGES_INCLUSION_H

#include "crypto/secagg/secaggplus/messages/seats.h"

enum { SOTTO_INCLUSION_MAC_BYTES = 16 };

/* The set that is confirmed, by its digest, in one context. */
struct sotto_inclusion_claim {
    const struct sotto_digest *context;   /* ctx1 */
    const struct sotto_digest *survivors; /* sotto_seats_digest */
};

void sotto_inclusion_mac(uint8_t out[SOTTO_INCLUSION_MAC_BYTES], const struct sotto_secret *key,
                         const struct sotto_inclusion_claim *claim);
/* Constant time. SOTTO_FORGED: confirmed with another key, context or set. */
SOTTO_CHECKED enum sotto_status sotto_inclusion_check(const uint8_t mac[SOTTO_INCLUSION_MAC_BYTES],
                                                      const struct sotto_secret *key,
                                                      const struct sotto_inclusion_claim *claim);

void sotto_inclusion_sign(struct sotto_signature *signature, const struct sotto_secret *identity,
                          const struct sotto_inclusion_claim *claim);
SOTTO_CHECKED enum sotto_status sotto_inclusion_verify(const struct sotto_signature *signature,
                                                       const struct sotto_ed25519_public *identity,
                                                       const struct sotto_inclusion_claim *claim);

struct sotto_inclusion {
    struct sotto_signature signature;
    struct sotto_view macs; /* borrowed */
};

/* SOTTO_MALFORMED: other than so many MACs; inclusion untouched. */
SOTTO_CHECKED enum sotto_status sotto_inclusion_decode(struct sotto_inclusion *inclusion,
                                                       struct sotto_view bytes, uint32_t mac_count);

struct sotto_inclusions {
    struct sotto_seats senders;
    struct sotto_view macs; /* borrowed; one for each sender, by seat */
};

/*
 * SOTTO_MALFORMED: wrong length, a bit beyond the cohort, or a sender that is no neighbour of the
 * receiver; inclusions untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_inclusions_decode(struct sotto_inclusions *inclusions,
                                                        struct sotto_view bytes,
                                                        const struct sotto_circle *receiver);

#endif
