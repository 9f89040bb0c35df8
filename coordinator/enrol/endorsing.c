#include "coordinator/enrol/endorsing.h"

#include <inttypes.h>
#include <stdlib.h>

#include "coordinator/ledger/shelf.h"

static enum sotto_status endorsement_check(const struct sotto_endorsement *endorsement,
                                           const struct sotto_census *census,
                                           struct sotto_fault *fault)
{
    const struct sotto_endorsed *endorsed = &endorsement->endorsed;

    if (endorsed->epoch != census->roster.epoch)
        return sotto_fault_set(fault, SOTTO_MISMATCH,
                               "the roster that was signed is of epoch %" PRIu64
                               ", that of now of epoch %" PRIu64
                               ": sites came or went since; export and sign it again",
                               endorsed->epoch, census->roster.epoch);
    if (!sotto_digest_equal(&endorsed->roster, &census->digest))
        return sotto_fault_set(fault, SOTTO_MISMATCH,
                               "another roster of epoch %" PRIu64
                               " was signed than this coordinator has: export it here and sign it "
                               "again",
                               endorsed->epoch);
    if (sotto_endorsement_verify(&endorsement->signature, &endorsement->authority, endorsed) !=
        SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_FORGED,
                               "the signature is not that authority's over this roster");
    return SOTTO_OK;
}

enum sotto_status sotto_endorsing_keep(struct sotto_ledger *ledger, const char *folder,
                                       const struct sotto_endorsement *endorsement,
                                       struct sotto_fault *fault)
{
    struct sotto_census *census = calloc(1, sizeof *census);
    enum sotto_status status = SOTTO_NO_MEMORY;

    if (census == NULL)
        return sotto_fault_set(fault, status, "no memory for a roster");
    status = sotto_census_take(census, ledger, fault);
    if (status == SOTTO_OK)
        status = endorsement_check(endorsement, census, fault);
    if (status == SOTTO_OK)
        status = sotto_shelf_store(folder, SOTTO_SHELF_ROSTER, &census->digest,
                                   sotto_view_of(census->bytes, census->length), fault);
    if (status == SOTTO_OK)
        status = sotto_endorsements_keep(ledger, endorsement, fault);
    free(census);
    return status;
}

static enum sotto_status endorsed_read(struct sotto_census *census,
                                       const struct sotto_endorsed *endorsed, const char *folder,
                                       struct sotto_fault *fault)
{
    uint8_t *bytes = NULL;
    size_t length = 0;
    enum sotto_status status =
        sotto_shelf_read(folder, SOTTO_SHELF_ROSTER, &endorsed->roster, &bytes, &length, fault);

    if (status != SOTTO_OK)
        return status;
    status = sotto_census_read(census, sotto_view_of(bytes, length));
    free(bytes);
    if (status == SOTTO_OK && !sotto_digest_equal(&census->digest, &endorsed->roster))
        status = SOTTO_MALFORMED;
    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status,
                               "the signed roster of epoch %" PRIu64
                               " is damaged in items/roster: restore it from a backup",
                               endorsed->epoch);
    return SOTTO_OK;
}

enum sotto_status sotto_endorsing_choose(struct sotto_census *census,
                                         struct sotto_endorsement *endorsement,
                                         struct sotto_ledger *ledger, const char *folder,
                                         struct sotto_fault *fault)
{
    enum sotto_status status;

    *endorsement = (struct sotto_endorsement){0};
    status = sotto_endorsements_newest(ledger, endorsement);
    if (status == SOTTO_NOT_FOUND)
        return sotto_census_take(census, ledger, fault);
    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "the signed roster cannot be read");
    return endorsed_read(census, &endorsement->endorsed, folder, fault);
}
