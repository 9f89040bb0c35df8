/*
 * A site's way in: a token is issued by the administrator and used once by the site, for a
 * certificate.
 */
#ifndef SOTTO_COORDINATOR_ENROL_ENROLMENT_H
#define SOTTO_COORDINATOR_ENROL_ENROLMENT_H

#include "coordinator/enrol/keys.h"
#include "coordinator/ledger/sites.h"
#include "core/base/entropy.h"

struct sotto_token_wish {
    const char *site;
    const char *organisation; /* NULL: the site is its own */
    const char *url;          /* where the site will reach the coordinator */
    uint64_t ttl_s;           /* 1 .. 30 days */
    uint64_t now_ms;
};

/*
 * SOTTO_MALFORMED: site name, organisation or ttl_s; SOTTO_MISMATCH: the site is enrolled already.
 * The token is not good before the ledger has committed.
 */
SOTTO_CHECKED enum sotto_status sotto_enrolment_invite(
    struct sotto_ledger *ledger, char text[SOTTO_TOKEN_TEXT_MAX], const struct sotto_keys *keys,
    const struct sotto_token_wish *wish, struct sotto_entropy *entropy, struct sotto_fault *fault);

/*
 * Checks the request, issues the certificate, adds the site and uses the token up, all in the open
 * transaction, and writes the response to `out` (SOTTO_ENROL_BYTES_MAX). Not to be sent before the
 * ledger has committed.
 *
 * SOTTO_MALFORMED, SOTTO_FORGED (a signature in the request), SOTTO_REFUSED (token, or an identity
 * that an active site has), SOTTO_MISMATCH (name in use), SOTTO_OVER_LIMIT: nothing was changed.
 */
SOTTO_CHECKED enum sotto_status sotto_enrolment_admit(struct sotto_ledger *ledger,
                                                      struct sotto_buffer *out,
                                                      const struct sotto_keys *keys,
                                                      struct sotto_view request, uint64_t now_ms,
                                                      struct sotto_fault *fault);

#endif
