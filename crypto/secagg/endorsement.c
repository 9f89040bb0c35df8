#include "crypto/secagg/endorsement.h"

#include <string.h>

enum { STATEMENT_BYTES = 8 + SOTTO_DIGEST_BYTES };

static const char endorsement_label[] = "sotto/1 roster";

static void statement_write(uint8_t out[STATEMENT_BYTES], const struct sotto_endorsed *endorsed)
{
    sotto_store_u64(out, endorsed->epoch);
    memcpy(out + 8, endorsed->roster.bytes, sizeof endorsed->roster.bytes);
}

void sotto_endorsement_sign(struct sotto_signature *signature, const struct sotto_secret *authority,
                            const struct sotto_endorsed *endorsed)
{
    uint8_t statement[STATEMENT_BYTES];

    statement_write(statement, endorsed);
    sotto_sign(signature, authority, endorsement_label, sotto_view_of(statement, sizeof statement));
}

enum sotto_status sotto_endorsement_verify(const struct sotto_signature *signature,
                                           const struct sotto_ed25519_public *authority,
                                           const struct sotto_endorsed *endorsed)
{
    uint8_t statement[STATEMENT_BYTES];

    statement_write(statement, endorsed);
    return sotto_verify(signature, authority, endorsement_label,
                        sotto_view_of(statement, sizeof statement));
}
