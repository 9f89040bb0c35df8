#include "tests/chaos/tally.h"

#include <inttypes.h>
#include <stdio.h>

void tally_add(struct tally *sum, const struct tally *tally)
{
    uint64_t *to = (uint64_t *)(void *)sum;
    const uint64_t *from = (const uint64_t *)(const void *)tally;

    for (size_t i = 0; i < sizeof *sum / sizeof *to; i++)
        to[i] += from[i];
}

bool tally_is_deep(const struct tally *tally)
{
    static const enum sotto_refusal refusals[] = {
        SOTTO_REFUSAL_ROUND_NOT_NEW, SOTTO_REFUSAL_POLICY_COHORT,  SOTTO_REFUSAL_DIFFERENCING,
        SOTTO_REFUSAL_BUDGET,        SOTTO_REFUSAL_SECOND_MESSAGE, SOTTO_REFUSAL_AFTER_REVEAL,
        SOTTO_REFUSAL_POLICY_NOISE,  SOTTO_REFUSAL_UPDATE,         SOTTO_REFUSAL_TOO_FEW_SURVIVORS,
        SOTTO_REFUSAL_COHORT_SIZE,
    };
    bool is_deep = tally->finished > 0 && tally->abandoned > 0 && tally->spent > 0 &&
                   tally->requests_lost > 0 && tally->replies_lost > 0 &&
                   tally->requests_repeated > 0 && tally->mails_repeated > 0 &&
                   tally->torn_records > 0 && tally->lies_again > 0 && tally->lies_branched > 0;

    for (size_t phase = 0; phase <= SOTTO_ROUND_APPLYING; phase++)
        is_deep = is_deep && tally->hub_crashes[phase] > 0;
    for (size_t phase = 0; phase < SOTTO_PHASE_COUNT; phase++)
        is_deep = is_deep && tally->site_crashes[phase] > 0;
    for (size_t stage = 0; stage <= SOTTO_STAGE_FAILED; stage++)
        is_deep = is_deep && tally->stories[stage] > 0;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        is_deep = is_deep && tally->refusals[refusals[i]] > 0;
    return is_deep;
}

void tally_print(const struct tally *tally)
{
    static const char *const turn_phases[SOTTO_PHASE_COUNT] = {
        "idle",    "fetching",  "loading",   "working", "masking",
        "closing", "returning", "reloading", "adopting"};

    printf(
        "rounds in the storm: %" PRIu64 " finished, %" PRIu64 " abandoned; fresh: %" PRIu64
        " finished, %" PRIu64 " without budget; sums compared: %" PRIu64 "; reveals: %" PRIu64 "\n",
        tally->finished, tally->abandoned, tally->fresh, tally->spent, tally->sums, tally->reveals);
    printf("lies: %" PRIu64 " seeds, %" PRIu64 " mails of old, %" PRIu64
           " stories with two ends; stories came to",
           tally->lying_seeds, tally->lies_again, tally->lies_branched);
    for (size_t stage = 0; stage <= SOTTO_STAGE_FAILED; stage++)
        printf(" %s %" PRIu64, sotto_stage_name((enum sotto_stage)stage), tally->stories[stage]);
    printf("\n");
    printf("network: %" PRIu64 " requests lost, %" PRIu64 " replies lost, %" PRIu64
           " requests repeated, %" PRIu64 " mails repeated\n",
           tally->requests_lost, tally->replies_lost, tally->requests_repeated,
           tally->mails_repeated);
    printf("hub crashes:");
    for (size_t phase = 0; phase < SOTTO_ROUND_PHASE_COUNT; phase++)
        printf(" %s %" PRIu64, sotto_round_phase_name((enum sotto_round_phase)phase),
               tally->hub_crashes[phase]);
    printf("\nsite crashes:");
    for (size_t phase = 0; phase < SOTTO_PHASE_COUNT; phase++)
        printf(" %s %" PRIu64, turn_phases[phase], tally->site_crashes[phase]);
    printf("; torn records %" PRIu64 "\nrefusals:", tally->torn_records);
    for (size_t refusal = 0; refusal < SOTTO_REFUSAL_COUNT; refusal++)
        if (tally->refusals[refusal] > 0)
            printf(" %s %" PRIu64, sotto_refusal_name((enum sotto_refusal)refusal),
                   tally->refusals[refusal]);
    printf("\n");
}
