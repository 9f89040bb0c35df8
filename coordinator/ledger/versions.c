#include "coordinator/ledger/versions.h"

#include <string.h>

#include "crypto/primitives/hash.h"

static const char version_label[] = "sotto/1 version";

enum { VERSION_BYTES = 32 + 4 + 32 + 32 };

static void version_bytes(uint8_t out[VERSION_BYTES], const struct sotto_version *version)
{
    struct sotto_view name = sotto_view_text(version->campaign);
    struct sotto_digest campaign;

    sotto_hash(&campaign, &name, 1);
    memcpy(out, campaign.bytes, 32);
    sotto_store_u32(out + 32, version->round);
    memcpy(out + 36, version->adapter.bytes, 32);
    memcpy(out + 68, version->layout.bytes, 32);
}

void sotto_version_sign(struct sotto_signature *signature, const struct sotto_version *version,
                        const struct sotto_secret *signing)
{
    uint8_t bytes[VERSION_BYTES];

    version_bytes(bytes, version);
    sotto_sign(signature, signing, version_label, sotto_view_of(bytes, sizeof bytes));
}

enum sotto_status sotto_version_verify(const struct sotto_signature *signature,
                                       const struct sotto_version *version,
                                       const struct sotto_ed25519_public *signer)
{
    uint8_t bytes[VERSION_BYTES];

    version_bytes(bytes, version);
    return sotto_verify(signature, signer, version_label, sotto_view_of(bytes, sizeof bytes));
}

enum sotto_status sotto_versions_add(struct sotto_ledger *ledger,
                                     const struct sotto_version *version,
                                     const struct sotto_signature *signature,
                                     struct sotto_fault *fault)
{
    return sotto_database_change(
        &ledger->database, "INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?, ?)",
        (struct sotto_bind[]){
            sotto_bind_text(version->campaign), sotto_bind_number(version->round),
            sotto_bind_digest(&version->adapter), sotto_bind_digest(&version->layout),
            sotto_bind_number(version->weight_sum), sotto_bind_real(version->mean_norm),
            sotto_bind_bytes(sotto_view_of(signature->bytes, sizeof signature->bytes))},
        7, fault);
}

enum sotto_status sotto_versions_newest(struct sotto_ledger *ledger, const char *campaign,
                                        struct sotto_version *version,
                                        struct sotto_signature *signature)
{
    struct sotto_bind binds[] = {sotto_bind_text(campaign)};
    struct sotto_rows rows;
    enum sotto_status status = sotto_rows_open(
        &rows, &ledger->database,
        "SELECT round, adapter, layout, weight_sum, mean_norm, signature FROM versions "
        "WHERE campaign = ? ORDER BY round DESC LIMIT 1",
        binds, 1, NULL);

    if (status == SOTTO_OK)
        status = sotto_rows_step(&rows, NULL);
    if (status == SOTTO_OK) {
        *version = (struct sotto_version){.campaign = campaign,
                                          .round = (uint32_t)sotto_rows_number(&rows, 0),
                                          .weight_sum = sotto_rows_number(&rows, 3),
                                          .mean_norm = sotto_rows_real(&rows, 4)};
        sotto_rows_exact(&rows, 1, version->adapter.bytes, sizeof version->adapter.bytes);
        sotto_rows_exact(&rows, 2, version->layout.bytes, sizeof version->layout.bytes);
        sotto_rows_exact(&rows, 5, signature->bytes, sizeof signature->bytes);
    }
    sotto_rows_close(&rows);
    return status;
}
