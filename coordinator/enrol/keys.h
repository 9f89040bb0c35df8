/*
 * The key material of a coordinator's state folder:
 * pki/{ca.pem,ca.key,server.pem,server.key,signing.key} and, for its administrator,
 * admin/{admin.pem,admin.key,ca.pem,admin.yaml}. Key files have mode 0600.
 */
#ifndef SOTTO_COORDINATOR_ENROL_KEYS_H
#define SOTTO_COORDINATOR_ENROL_KEYS_H

#include "core/net/authority.h"
#include "crypto/primitives/ed25519.h"

/* Holds secrets: sotto_keys_wipe. */
struct sotto_keys {
    struct sotto_authority authority;
    struct sotto_digest authority_digest;
    struct sotto_secret signing; /* Ed25519 seed: plans, cohorts, outcomes, versions */
    struct sotto_ed25519_public signer;
};

struct sotto_keys_setup {
    const char *const *names; /* host names and addresses that sites may call the server by */
    size_t name_count;
    const char *url; /* for admin.yaml: https://host:port */
    uint64_t now_s;
    const struct sotto_secret *signing; /* fresh randomness */
};

/* Makes all of the files in an existing `folder`. */
SOTTO_CHECKED enum sotto_status sotto_keys_create(const char *folder,
                                                  const struct sotto_keys_setup *setup,
                                                  struct sotto_fault *fault);
/* SOTTO_NOT_FOUND, SOTTO_MALFORMED, SOTTO_MISMATCH: the fault names the file; keys are wiped. */
SOTTO_CHECKED enum sotto_status sotto_keys_read(struct sotto_keys *keys, const char *folder,
                                                struct sotto_fault *fault);
void sotto_keys_wipe(struct sotto_keys *keys);

#endif
