/*
 * Enrolment tokens: only the digest of the secret is kept; each is good once and until it expires.
 */
#ifndef SOTTO_COORDINATOR_LEDGER_TOKENS_H
#define SOTTO_COORDINATOR_LEDGER_TOKENS_H

#include "coordinator/ledger/ledger.h"
#include "core/wire/enrolment.h"

/* Whom a token was issued for. */
struct sotto_invitation {
    char site[SOTTO_SITE_NAME_MAX + 1];
    char organisation[SOTTO_ORGANISATION_MAX + 1];
};

/* Keeps the digest of the token's secret. */
SOTTO_CHECKED enum sotto_status sotto_tokens_issue(struct sotto_ledger *ledger,
                                                   const struct sotto_token *token, uint64_t at_ms,
                                                   struct sotto_fault *fault);
/*
 * May this secret enrol a site at this time?
 *
 * SOTTO_REFUSED: unknown, used or expired, which the fault tells apart; invitation untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_tokens_check(struct sotto_ledger *ledger,
                                                   struct sotto_invitation *invitation,
                                                   const uint8_t secret[32], uint64_t at_ms,
                                                   struct sotto_fault *fault);
/* Uses up a token that sotto_tokens_check has accepted. */
SOTTO_CHECKED enum sotto_status sotto_tokens_use(struct sotto_ledger *ledger,
                                                 const uint8_t secret[32], uint64_t at_ms,
                                                 struct sotto_fault *fault);

#endif
