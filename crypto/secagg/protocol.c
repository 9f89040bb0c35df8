#include "crypto/secagg/protocol.h"

#include "crypto/secagg/secaggplus/collector.h"
#include "crypto/secagg/secaggplus/member.h"

const char *sotto_stage_name(enum sotto_stage stage)
{
    switch (stage) {
    case SOTTO_STAGE_GATHERING: return "gathering";
    case SOTTO_STAGE_SHARING: return "sharing";
    case SOTTO_STAGE_UPLOADING: return "uploading";
    case SOTTO_STAGE_INCLUDING: return "including";
    case SOTTO_STAGE_REVEALING: return "revealing";
    case SOTTO_STAGE_UNMASKED: return "unmasked";
    case SOTTO_STAGE_FAILED: return "failed";
    }
    return "unknown";
}

const struct sotto_protocol sotto_secaggplus = {
    .name = "secaggplus",
    .member_open = sotto_member_open,
    .member_step = sotto_member_step,
    .member_mask = sotto_member_mask,
    .member_cohort = sotto_member_cohort,
    .member_survivors = sotto_member_survivors,
    .member_sum_min = sotto_member_sum_min,
    .member_wipe = sotto_member_wipe,
    .collector_open = sotto_collector_open,
    .collector_step = sotto_collector_step,
    .collector_stage = sotto_collector_stage,
    .collector_message = sotto_collector_message,
    .collector_expects = sotto_collector_expects,
    .collector_has_answered = sotto_collector_has_answered,
    .collector_survived = sotto_collector_survived,
    .collector_cohort_count = sotto_collector_cohort_count,
    .collector_unmask = sotto_collector_unmask,
    .collector_wipe = sotto_collector_wipe,
};
