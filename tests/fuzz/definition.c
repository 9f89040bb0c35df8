/* The JSON of a campaign, from an administrator: what is accepted passes its own check again. */
#include <stdint.h>
#include <stdlib.h>

#include "coordinator/schedule/timetable.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const struct sotto_digest roster;
    static const uint8_t nonce[32];
    struct sotto_definition definition;
    struct sotto_progress progress = {0};
    struct sotto_plan plan;
    uint8_t plan_bytes[SOTTO_PLAN_BYTES_MAX];
    struct sotto_buffer out = sotto_buffer_of(plan_bytes, sizeof plan_bytes);

    if (sotto_definition_decode(&definition, sotto_view_of(bytes, length), NULL) != SOTTO_OK)
        return 0;
    sotto_timetable_plan(&plan, &definition, &progress,
                         &(struct sotto_round_terms){.roster = &roster, .nonce = nonce});
    if (sotto_plan_encode(&out, &plan) != SOTTO_OK ||
        sotto_plan_decode(&plan, sotto_view_buffer(&out)) != SOTTO_OK)
        abort();
    return 0;
}
