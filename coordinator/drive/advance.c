#include "coordinator/drive/advance.h"

#include <stdlib.h>

#include "coordinator/drive/momentum.h"
#include "coordinator/ledger/moments.h"
#include "coordinator/ledger/shelf.h"

/* What one version is: its adapter, and the moments of every part that the method trains. */
struct version {
    uint8_t *adapter; /* lanes and manifest */
    size_t length;
    float *moments;
};

/* Of the version that the round started from. */
static struct sotto_momentum momentum_of(const struct sotto_advance *advance)
{
    return (struct sotto_momentum){advance->folder, advance->definition, advance->start_round,
                                   &advance->plan->adapter};
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
    enum sotto_status status =
        sotto_apply_sum((float *)(void *)version->adapter,
                        version->moments + sotto_momentum_first(definition, advance->plan->trained),
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
                                   sotto_view_of(version->adapter, version->length), fault);
    if (status == SOTTO_OK)
        sotto_moments_sweep(&key, advance->start_round);
    return status;
}

enum sotto_status sotto_advance_run(const struct sotto_advance *advance,
                                    struct sotto_applied *applied, const uint32_t *sum,
                                    struct sotto_fault *fault)
{
    const struct sotto_momentum momentum = momentum_of(advance);
    struct version version = {.adapter = NULL};
    enum sotto_status status =
        sotto_shelf_read_adapter(advance->folder, &advance->plan->adapter, advance->layout,
                                 &version.adapter, &version.length, fault);

    if (status == SOTTO_OK)
        status = sotto_momentum_read(&version.moments, &momentum, fault);
    if (status == SOTTO_OK)
        status = step(&version, advance, applied, sum, fault);
    if (status == SOTTO_OK)
        status = store(&version, advance, &applied->adapter, fault);
    free(version.adapter);
    free(version.moments);
    return status;
}
