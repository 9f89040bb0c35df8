#include "simulations/virtual_site.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/privacy/accountant.h"
#include "crypto/ring/lanes.h"
#include "participant/ledger/record.h"

static enum sotto_status turn_start(struct sotto_virtual_site *site)
{
    struct sotto_turn_setup setup = {.protocol = &sotto_secaggplus,
                                     .policy = site->setup.policy,
                                     .id = site->setup.id,
                                     .identity = &site->identity,
                                     .coordinator = site->setup.coordinator,
                                     .entropy = &site->entropy,
                                     .arena = &site->arena,
                                     .rest = &site->rest};

    return sotto_turn_open(&site->turn, &setup);
}

enum sotto_status sotto_virtual_site_open(struct sotto_virtual_site *site,
                                          const struct sotto_virtual_site_setup *setup)
{
    enum sotto_status status;

    *site = (struct sotto_virtual_site){.setup = *setup, .fate = SOTTO_ROUND_FINISHED};
    sotto_entropy_init_seeded(&site->entropy, setup->seed);
    sotto_entropy_fill(&site->entropy, site->identity.bytes, sizeof site->identity.bytes);
    site->packed_length = sotto_lanes_packed_bytes(setup->lane_count, 32);
    site->update = calloc(setup->lane_count, sizeof *site->update);
    site->plain = calloc(setup->lane_count, sizeof *site->plain);
    site->packed = calloc(site->packed_length, 1);
    if (site->update == NULL || site->plain == NULL || site->packed == NULL) {
        sotto_virtual_site_close(site);
        return SOTTO_NO_MEMORY;
    }
    status = sotto_virtual_site_start(site);
    if (status != SOTTO_OK)
        sotto_virtual_site_close(site);
    return status;
}

void sotto_virtual_site_close(struct sotto_virtual_site *site)
{
    sotto_virtual_site_kill(site);
    for (size_t i = 0; i < site->ledger_count; i++)
        free(site->ledger[i].bytes);
    free(site->ledger);
    free(site->update);
    free(site->plain);
    free(site->packed);
    sotto_dataset_close(&site->dataset);
    sotto_wipe(&site->identity, sizeof site->identity);
    *site = (struct sotto_virtual_site){0};
}

void sotto_virtual_site_kill(struct sotto_virtual_site *site)
{
    if (site->turn != NULL)
        sotto_turn_close(site->turn);
    sotto_arena_close(&site->arena);
    sotto_arena_close(&site->rest);
    site->turn = NULL;
    site->is_training = false;
    site->offered = SOTTO_MAIL_NONE;
    site->offered_round = 0;
}

enum sotto_status sotto_virtual_site_start(struct sotto_virtual_site *site)
{
    enum sotto_status status = sotto_arena_open(
        &site->arena, sotto_turn_bytes(site->setup.lane_count, site->setup.lane_count));

    if (status == SOTTO_OK)
        status = sotto_arena_open(&site->rest, sotto_turn_rest_bytes(site->setup.lane_count));
    if (status == SOTTO_OK)
        status = turn_start(site);
    for (size_t i = 0; i < site->ledger_count && status == SOTTO_OK; i++)
        status = sotto_turn_replay(site->turn,
                                   sotto_view_of(site->ledger[i].bytes, site->ledger[i].length));
    return status;
}

enum sotto_status sotto_virtual_site_store(struct sotto_virtual_site *site,
                                           struct sotto_view record)
{
    struct sotto_ledger_record *ledger =
        realloc(site->ledger, (site->ledger_count + 1) * sizeof *ledger);
    uint8_t *bytes = malloc(record.length ? record.length : 1);

    if (ledger != NULL)
        site->ledger = ledger;
    if (ledger == NULL || bytes == NULL) {
        free(bytes);
        return SOTTO_NO_MEMORY;
    }
    memcpy(bytes, record.at, record.length);
    site->ledger[site->ledger_count++] =
        (struct sotto_ledger_record){.bytes = bytes, .length = record.length};
    return SOTTO_OK;
}

enum sotto_status sotto_virtual_site_contribute(struct sotto_virtual_site *site,
                                                struct sotto_digest *digest,
                                                struct sotto_spans *spans)
{
    uint64_t start_ns = sotto_spans_now_ns();
    size_t lane_count = sotto_turn_plan(site->turn)->lane_count;
    uint32_t *lanes = malloc(lane_count * sizeof *lanes);
    struct sotto_buffer packed =
        sotto_buffer_of(site->packed, sotto_lanes_packed_bytes(lane_count, 32));
    enum sotto_status status =
        lanes != NULL ? sotto_turn_encode(site->turn, lanes) : SOTTO_NO_MEMORY;

    sotto_spans_add(spans, SOTTO_SPAN_ENCODING, start_ns);
    if (status == SOTTO_OK) {
        memcpy(site->plain, lanes, lane_count * sizeof *lanes);
        start_ns = sotto_spans_now_ns();
        status = sotto_turn_hide(site->turn, lanes, &packed, digest);
        sotto_spans_add(spans, SOTTO_SPAN_HIDING, start_ns);
        site->packed_length = packed.length;
    }
    free(lanes);
    return status;
}

double sotto_virtual_site_rho(const struct sotto_virtual_site *site)
{
    double rho = 0;

    for (size_t i = 0; i < site->ledger_count; i++) {
        struct sotto_record record;

        if (sotto_record_decode(&record, sotto_view_of(site->ledger[i].bytes,
                                                       site->ledger[i].length)) == SOTTO_OK &&
            record.charge > 0)
            rho = sotto_accountant_add(rho, record.charge);
    }
    return rho;
}
