#include "crypto/secagg/terms.h"

#include "crypto/ring/lanes.h"

enum sotto_status sotto_terms_check(const struct sotto_terms *terms)
{
    bool has_lanes = terms->lane_count >= 1 && terms->lane_count <= SOTTO_LANES_MAX &&
                     terms->ring_bits >= 1 && terms->ring_bits <= 32;
    bool is_ordered =
        SOTTO_COHORT_MIN <= terms->survivors_min && terms->survivors_min <= terms->cohort_min &&
        terms->cohort_min <= terms->cohort_max && terms->cohort_max <= SOTTO_COHORT_MAX;
    /* Written so that NaN fails it. */
    bool is_fraction = terms->corrupt_fraction >= 0 && terms->corrupt_fraction < 1 &&
                       terms->dropout_fraction >= 0 && terms->dropout_fraction < 1;

    return has_lanes && is_ordered && is_fraction ? SOTTO_OK : SOTTO_MISMATCH;
}

const struct sotto_roster_entry *sotto_roster_find(const struct sotto_roster *roster, uint32_t id)
{
    size_t low = 0;
    size_t high = roster->entry_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (roster->entries[middle].id == id)
            return &roster->entries[middle];
        if (roster->entries[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
