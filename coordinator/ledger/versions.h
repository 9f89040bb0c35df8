/*
 * Adapter versions: which round made which, signed by the coordinator. The lanes are in
 * items/adapter/<digest>.
 */
#ifndef SOTTO_COORDINATOR_LEDGER_VERSIONS_H
#define SOTTO_COORDINATOR_LEDGER_VERSIONS_H

#include "coordinator/ledger/ledger.h"
#include "crypto/primitives/ed25519.h"

struct sotto_version {
    const char *campaign;
    uint32_t round;
    struct sotto_digest adapter;
    struct sotto_digest layout;
    uint64_t weight_sum;
    double mean_norm;
};

/* Label "sotto/1 version" over SHA-256(campaign) || round || adapter || layout. */
void sotto_version_sign(struct sotto_signature *signature, const struct sotto_version *version,
                        const struct sotto_secret *signing);
SOTTO_CHECKED enum sotto_status sotto_version_verify(const struct sotto_signature *signature,
                                                     const struct sotto_version *version,
                                                     const struct sotto_ed25519_public *signer);

SOTTO_CHECKED enum sotto_status sotto_versions_add(struct sotto_ledger *ledger,
                                                   const struct sotto_version *version,
                                                   const struct sotto_signature *signature,
                                                   struct sotto_fault *fault);
/*
 * The newest version of a campaign; version->campaign is as given. SOTTO_NOT_FOUND: no round has
 * finished.
 */
SOTTO_CHECKED enum sotto_status sotto_versions_newest(struct sotto_ledger *ledger,
                                                      const char *campaign,
                                                      struct sotto_version *version,
                                                      struct sotto_signature *signature);

#endif
