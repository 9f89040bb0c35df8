#include "coordinator/drive/opening.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/enrol/endorsing.h"
#include "coordinator/ledger/shelf.h"

static enum sotto_status plan_sign(struct sotto_round_row *row, const struct sotto_plan *plan,
                                   const struct sotto_secret *signing, struct sotto_fault *fault)
{
    struct sotto_buffer out = sotto_buffer_of(row->plan, sizeof row->plan);
    struct sotto_signature signature;
    enum sotto_status status = sotto_plan_encode(&out, plan);

    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "the plan of a round cannot be written");
    row->plan_length = out.length;
    sotto_sign(&signature, signing, "sotto/1 plan", sotto_view_buffer(&out));
    memcpy(row->signature, signature.bytes, sizeof row->signature);
    return SOTTO_OK;
}

enum sotto_status sotto_opening_make(struct sotto_round_row *row,
                                     const struct sotto_opening *opening,
                                     const struct sotto_definition *definition,
                                     const struct sotto_progress *progress,
                                     struct sotto_fault *fault)
{
    struct sotto_census *census = calloc(1, sizeof *census);
    struct sotto_endorsement endorsement;
    uint8_t nonce[32];
    struct sotto_plan plan;
    enum sotto_status status = SOTTO_NO_MEMORY;

    if (census == NULL)
        return sotto_fault_set(fault, status, "no memory for a roster");
    *row = (struct sotto_round_row){.round = progress->round_newest + 1,
                                    .opened_ms = opening->now_ms,
                                    .is_last = sotto_timetable_is_last(definition, progress)};
    status = sotto_endorsing_choose(census, &endorsement, opening->ledger, opening->folder, fault);
    if (status == SOTTO_OK)
        status = sotto_shelf_store(opening->folder, SOTTO_SHELF_ROSTER, &census->digest,
                                   sotto_view_of(census->bytes, census->length), fault);
    if (status == SOTTO_OK) {
        sotto_entropy_fill(opening->entropy, nonce, sizeof nonce);
        sotto_timetable_plan(
            &plan, definition, progress,
            &(struct sotto_round_terms){.roster = &census->digest,
                                        .roster_epoch = census->roster.epoch,
                                        .roster_signature = endorsement.signature.bytes,
                                        .nonce = nonce});
        status = plan_sign(row, &plan, opening->signing, fault);
    }
    free(census);
    return status;
}
