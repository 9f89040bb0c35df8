#include "coordinator/drive/advance.h"

#include <stdlib.h>

#include "coordinator/ledger/moments.h"
#include "coordinator/ledger/shelf.h"

/* What one version is: its lanes, and the moments of every part that the method trains. */
struct version {
    float *lanes;
    size_t length; /* bytes of the lanes */
    float *moments;
    size_t moment_count;
};

static size_t moment_count_of(const struct sotto_definition *definition, enum sotto_trained trained)
{
    if (!sotto_method_uses(definition->method, trained))
        return 0;
    return sotto_server_moment_count(definition->server,
                                     sotto_definition_lanes(definition, trained));
}

/* Where a part's moments lie among those of all; for SOTTO_TRAINED_COUNT, how many there are. */
static size_t moments_first(const struct sotto_definition *definition, uint32_t trained)
{
    size_t first = 0;

    for (uint32_t part = 0; part < trained; part++)
        first += moment_count_of(definition, (enum sotto_trained)part);
    return first;
}

static struct sotto_moments_key key_of(const struct sotto_advance *advance,
                                       const struct sotto_digest *adapter)
{
    return (struct sotto_moments_key){advance->folder, advance->plan->campaign, adapter};
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

/* The first round of a campaign has none to read. */
static enum sotto_status moments_read(struct version *version, const struct sotto_advance *advance,
                                      struct sotto_fault *fault)
{
    const struct sotto_definition *definition = advance->definition;
    const struct sotto_server_rule rule = sotto_definition_server(definition);
    const struct sotto_moments_key key = key_of(advance, &advance->plan->adapter);

    version->moment_count = moments_first(definition, SOTTO_TRAINED_COUNT);
    version->moments = calloc(version->moment_count + 1, sizeof *version->moments);
    if (version->moments == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory for the moments");
    if (version->moment_count == 0)
        return SOTTO_OK;
    if (!sotto_digest_equal(&advance->plan->adapter, &definition->adapter))
        return sotto_moments_read(version->moments, version->moment_count, &key, fault);
    for (uint32_t part = 0; part < SOTTO_TRAINED_COUNT; part++) {
        if (moment_count_of(definition, (enum sotto_trained)part) != 0)
            sotto_server_moments_start(
                version->moments + moments_first(definition, part), &rule,
                sotto_definition_lanes(definition, (enum sotto_trained)part));
    }
    return SOTTO_OK;
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
        version->lanes, version->moments + moments_first(definition, advance->plan->trained),
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
    const struct sotto_moments_key key = key_of(advance, adapter);
    enum sotto_status status = SOTTO_OK;

    if (version->moment_count > 0)
        status = sotto_moments_store(&key, version->moments, version->moment_count, fault);
    if (status == SOTTO_OK)
        status = sotto_shelf_store(advance->folder, SOTTO_SHELF_ADAPTER, adapter,
                                   sotto_view_of(version->lanes, version->length), fault);
    if (status == SOTTO_OK && version->moment_count > 0)
        sotto_moments_sweep(&key, &advance->plan->adapter);
    return status;
}

enum sotto_status sotto_advance_run(const struct sotto_advance *advance,
                                    struct sotto_applied *applied, const uint32_t *sum,
                                    struct sotto_fault *fault)
{
    struct version version = {.lanes = NULL};
    enum sotto_status status = lanes_read(&version, advance, fault);

    if (status == SOTTO_OK)
        status = moments_read(&version, advance, fault);
    if (status == SOTTO_OK)
        status = step(&version, advance, applied, sum, fault);
    if (status == SOTTO_OK)
        status = store(&version, advance, &applied->adapter, fault);
    free(version.lanes);
    free(version.moments);
    return status;
}
