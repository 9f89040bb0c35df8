#include "coordinator/drive/advance.h"

#include <stdlib.h>

#include "coordinator/drive/momentum.h"
#include "coordinator/ledger/moments.h"
#include "coordinator/ledger/shelf.h"

/* What one version is: its lanes, and the moments of every part that the method trains. */
struct version {
    float *lanes;
    size_t length; /* bytes of the lanes */
    float *moments;
};

/* Of the version that the round started from. */
static struct sotto_momentum momentum_of(const struct sotto_advance *advance)
{
    return (struct sotto_momentum){advance->folder, advance->definition, advance->start_round,
                                   &advance->plan->adapter};
}

static enum sotto_status lanes_read(struct version *version, const struct sotto_advance *advance,
                                    struct sotto_fault *fault)
{
    const struct sotto_plan *plan = advance->plan;
    struct sotto_digest digest;
    uint8_t *bytes;
    enum sotto_status status = sotto_shelf_read(advance->folder, SOTTO_SHELF_ADAPTER,
                                                &plan->adapter, &bytes, &version->length, fault);

    if (status != SOTTO_OK)
        return status;
    version->lanes = (float *)(void *)bytes;
    sotto_shelf_digest(&digest, SOTTO_SHELF_ADAPTER, advance->layout,
                       sotto_view_of(bytes, version->length));
    if (version->length == advance->definition->lane_count * sizeof(float) &&
        sotto_digest_equal(&digest, &plan->adapter))
        return SOTTO_OK;
    return sotto_fault_set(fault, SOTTO_FORGED,
                           "the adapter that the round started from is damaged on disk");
}

static enum sotto_status step(struct version *version, const struct sotto_advance *advance,
                              struct sotto_applied *applied, const uint32_t *sum,
                              struct sotto_fault *fault)
{
    const struct sotto_definition *definition = advance->definition;
    const struct sotto_apply_terms terms = {.plan = advance->plan,
                                            .layout = advance->layout,
                                            .survivors = advance->survivors,
                                            .server = sotto_definition_server(definition),
                                            .is_rebased =
                                                definition->method == SOTTO_METHOD_FFA_SVD};
    enum sotto_status status = sotto_apply_sum(
        version->lanes, version->moments + sotto_momentum_first(definition, advance->plan->trained),
        applied, sum, &terms);

    if (status == SOTTO_MALFORMED)
        return sotto_fault_set(fault, status,
                               "the sum is no sum of honest uploads: some site sent what it should "
                               "not");
    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "the next adapter could not be worked out: %s",
                               sotto_status_name(status));
    return SOTTO_OK;
}

/* The moments first: a version that is there has its own. */
static enum sotto_status store(const struct version *version, const struct sotto_advance *advance,
                               const struct sotto_digest *adapter, struct sotto_fault *fault)
{
    const struct sotto_plan *plan = advance->plan;
    const struct sotto_momentum momentum = {advance->folder, advance->definition, plan->round,
                                            adapter};
    const struct sotto_moments_key key = {advance->folder, plan->campaign, plan->round, adapter};
    enum sotto_status status = sotto_momentum_store(&momentum, version->moments, fault);

    if (status == SOTTO_OK)
        status = sotto_shelf_store(advance->folder, SOTTO_SHELF_ADAPTER, adapter,
                                   sotto_view_of(version->lanes, version->length), fault);
    if (status == SOTTO_OK)
        sotto_moments_sweep(&key, advance->start_round);
    return status;
}

enum sotto_status sotto_advance_run(const struct sotto_advance *advance,
                                    struct sotto_applied *applied, const uint32_t *sum,
                                    struct sotto_fault *fault)
{
    const struct sotto_momentum momentum = momentum_of(advance);
    struct version version = {.lanes = NULL};
    enum sotto_status status = lanes_read(&version, advance, fault);

    if (status == SOTTO_OK)
        status = sotto_momentum_read(&version.moments, &momentum, fault);
    if (status == SOTTO_OK)
        status = step(&version, advance, applied, sum, fault);
    if (status == SOTTO_OK)
        status = store(&version, advance, &applied->adapter, fault);
    free(version.lanes);
    free(version.moments);
    return status;
}
