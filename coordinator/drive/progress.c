#include "coordinator/drive/progress.h"

#include <string.h>

#include "coordinator/ledger/campaigns.h"
#include "coordinator/ledger/rounds.h"
#include "coordinator/ledger/versions.h"

struct progress_walk {
    struct sotto_progress *progress;
    uint64_t started_ms; /* abandoned rounds before a start by hand do not count */
};

static void round_count(void *context, const struct sotto_round_row *row)
{
    struct progress_walk *walk = context;
    struct sotto_progress *progress = walk->progress;

    progress->round_newest = row->round;
    if (strcmp(row->outcome, "finished") == 0) {
        progress->finished++;
        progress->abandoned_in_a_row = 0;
    }
    if (strcmp(row->outcome, "abandoned") == 0 && row->opened_ms >= walk->started_ms)
        progress->abandoned_in_a_row++;
}

enum sotto_status sotto_progress_read(struct sotto_progress *progress, struct sotto_ledger *ledger,
                                      const struct sotto_definition *definition,
                                      const struct sotto_ed25519_public *signer,
                                      struct sotto_fault *fault)
{
    struct sotto_progress read = {.adapter = definition->adapter};
    struct progress_walk walk = {.progress = &read};
    struct sotto_version version;
    struct sotto_signature signature;
    enum sotto_status status =
        sotto_campaigns_started_ms(ledger, definition->name, &walk.started_ms);

    if (status == SOTTO_OK)
        status = sotto_rounds_walk(ledger, definition->name, round_count, &walk);
    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "the rounds of %s cannot be read", definition->name);
    status = sotto_versions_newest(ledger, definition->name, &version, &signature);
    if (status == SOTTO_OK && sotto_version_verify(&signature, &version, signer) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_FORGED,
                               "the newest version of %s is not signed by this coordinator",
                               definition->name);
    if (status == SOTTO_OK) {
        read.adapter = version.adapter;
        read.adapter_round = version.round;
    } else if (status != SOTTO_NOT_FOUND)
        return sotto_fault_set(fault, status, "the versions of %s cannot be read",
                               definition->name);
    *progress = read;
    return SOTTO_OK;
}
