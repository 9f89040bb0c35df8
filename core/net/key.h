/*
 * Private keys of X.509 certificates: EC P-256 or Ed25519, as PKCS#8 PEM. Keys come from OpenSSL's
 * own generator: they are never told again from a seed, so a seeded source has no use here.
 */
#ifndef SOTTO_CORE_NET_KEY_H
#define SOTTO_CORE_NET_KEY_H

#include "core/base/bytes.h"

enum { SOTTO_KEY_PEM_MAX = 512 };

enum sotto_key_kind { SOTTO_KEY_P256, SOTTO_KEY_ED25519 };

/* PKCS#8 PEM, zero-terminated. Secret: passed by pointer, wiped by its owner with sotto_wipe. */
struct sotto_key {
    char pem[SOTTO_KEY_PEM_MAX];
};

struct evp_pkey_st; /* OpenSSL's EVP_PKEY */

/* A fresh key, or NULL: OpenSSL failed. The caller frees it with EVP_PKEY_free. */
struct evp_pkey_st *sotto_key_generate(enum sotto_key_kind kind);

/* SOTTO_IO: OpenSSL, or a key of a kind that does not fit; *out is zeroed. */
SOTTO_CHECKED enum sotto_status sotto_key_encode(struct sotto_key *out, struct evp_pkey_st *pkey);
/* NULL: not a private key in PEM. The caller frees it with EVP_PKEY_free. */
struct evp_pkey_st *sotto_key_decode(struct sotto_view pem);

/*
 * A PEM file. SOTTO_NOT_FOUND, SOTTO_MALFORMED (an encrypted key is one that a service cannot use),
 * SOTTO_OVER_LIMIT, SOTTO_IO: *out is NULL and the fault names the file.
 */
SOTTO_CHECKED enum sotto_status sotto_key_read(struct evp_pkey_st **out, const char *path,
                                               struct sotto_fault *fault);

/* P-256 or Ed25519: the only kinds that certificates are issued for. */
bool sotto_key_is_allowed(struct evp_pkey_st *pkey);

#endif
