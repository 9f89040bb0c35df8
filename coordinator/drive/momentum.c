#include "coordinator/drive/momentum.h"

#include <stdlib.h>

#include "coordinator/ledger/moments.h"

static size_t count_of(const struct sotto_definition *definition, enum sotto_trained trained)
{
    if (!sotto_method_uses(definition->method, trained))
        return 0;
    return sotto_server_moment_count(definition->server,
                                     sotto_definition_lanes(definition, trained));
}

size_t sotto_momentum_first(const struct sotto_definition *definition, uint32_t trained)
{
    size_t first = 0;

    for (uint32_t part = 0; part < trained; part++)
        first += count_of(definition, (enum sotto_trained)part);
    return first;
}

static struct sotto_moments_key key_of(const struct sotto_momentum *momentum)
{
    return (struct sotto_moments_key){momentum->folder, momentum->definition->name, momentum->round,
                                      momentum->adapter};
}

static void start(float *values, const struct sotto_definition *definition)
{
    const struct sotto_server_rule rule = sotto_definition_server(definition);

    for (uint32_t part = 0; part < SOTTO_TRAINED_COUNT; part++) {
        if (count_of(definition, (enum sotto_trained)part) != 0)
            sotto_server_moments_start(
                values + sotto_momentum_first(definition, part), &rule,
                sotto_definition_lanes(definition, (enum sotto_trained)part));
    }
}

enum sotto_status sotto_momentum_read(float **values, const struct sotto_momentum *momentum,
                                      struct sotto_fault *fault)
{
    const struct sotto_moments_key key = key_of(momentum);
    size_t count = sotto_momentum_first(momentum->definition, SOTTO_TRAINED_COUNT);
    float *read = calloc(count + 1, sizeof *read);
    enum sotto_status status = SOTTO_OK;

    *values = NULL;
    if (read == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory for the moments");
    if (momentum->round == 0)
        start(read, momentum->definition);
    else if (count > 0)
        status = sotto_moments_read(read, count, &key, fault);
    if (status == SOTTO_OK)
        *values = read;
    else
        free(read);
    return status;
}

enum sotto_status sotto_momentum_store(const struct sotto_momentum *momentum, const float *values,
                                       struct sotto_fault *fault)
{
    const struct sotto_moments_key key = key_of(momentum);
    size_t count = sotto_momentum_first(momentum->definition, SOTTO_TRAINED_COUNT);

    return count == 0 ? SOTTO_OK : sotto_moments_store(&key, values, count, fault);
}

enum sotto_status sotto_momentum_renew(const struct sotto_momentum *momentum,
                                       struct sotto_fault *fault)
{
    const struct sotto_definition *definition = momentum->definition;
    size_t count = sotto_momentum_first(definition, SOTTO_TRAINED_COUNT);
    float *values = NULL;
    enum sotto_status status;

    if (count == 0)
        return sotto_fault_set(fault, SOTTO_UNEXPECTED,
                               "campaign %s has no moments: its server optimiser is %s",
                               definition->name, sotto_server_names[definition->server]);
    if (momentum->round == 0)
        return SOTTO_OK;
    values = calloc(count, sizeof *values);
    if (values == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory for the moments");
    start(values, definition);
    status = sotto_momentum_store(momentum, values, fault);
    free(values);
    return status;
}
