#include "tests/coordinator/hub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/ledger/shelf.h"
#include "coordinator/ledger/versions.h"
#include "coordinator/schedule/definition.h"
#include "core/base/file.h"
#include "crypto/primitives/hash.h"
#include "tests/support/cmocka.h"

static const char campaign_name[] = "wards";
static const uint64_t seed = 20;

static void folders_make(const char *folder)
{
    static const char *const names[] = {"items/roster", "items/layout", "items/adapter", "spool"};
    char path[FOLDER_PATH_MAX];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(sotto_path_join(path, sizeof path, folder, names[i]), SOTTO_OK);
        assert_int_equal(sotto_folder_make(path, NULL), SOTTO_OK);
    }
}

static void keys_make(const char *folder, const struct cohort *cohort)
{
    static const char *const names[] = {"127.0.0.1"};
    struct sotto_keys_setup setup = {.names = names,
                                     .name_count = 1,
                                     .url = "https://127.0.0.1:1",
                                     .now_s = 1700000000,
                                     .signing = &cohort->signing};

    assert_int_equal(sotto_keys_create(folder, &setup, NULL), SOTTO_OK);
}

static void item_make(const char *folder, enum sotto_shelf shelf, struct sotto_digest *digest,
                      struct sotto_view bytes)
{
    assert_int_equal(sotto_shelf_digest(digest, shelf, cohort_layout(), bytes, NULL), SOTTO_OK);
    assert_int_equal(sotto_shelf_store(folder, shelf, digest, bytes, NULL), SOTTO_OK);
}

static void campaign_make(struct sotto_ledger *ledger, const char *folder)
{
    float adapter[COHORT_ADAPTER] = {0};
    struct sotto_definition definition;
    struct sotto_campaign campaign = {.created_ms = 1};
    char *text;

    sotto_definition_init(&definition);
    snprintf(definition.name, sizeof definition.name, "%s", campaign_name);
    snprintf(definition.base_name, sizeof definition.base_name, "base");
    item_make(folder, SOTTO_SHELF_LAYOUT, &definition.layout, cohort_layout());
    item_make(folder, SOTTO_SHELF_ADAPTER, &definition.adapter, cohort_adapter(adapter));
    definition.lane_count = definition.lanes_a = definition.lanes_b = COHORT_VALUES;
    definition.method = SOTTO_METHOD_FEDIT;
    definition.server = SOTTO_SERVER_FEDADAM;
    definition.rounds = 1;
    definition.cohort_min = definition.survivors_min = HUB_SURVIVORS_MIN;
    definition.cohort_max = HUB_SITES;
    text = sotto_definition_encode(&definition);
    assert_non_null(text);
    snprintf(campaign.name, sizeof campaign.name, "%s", campaign_name);
    snprintf(campaign.definition, sizeof campaign.definition, "%s", text);
    free(text);
    assert_int_equal(sotto_campaigns_add(ledger, &campaign, NULL), SOTTO_OK);
}

void hub_make(const char *folder)
{
    struct cohort *cohort = cohort_open(HUB_SITES, HUB_SURVIVORS_MIN, seed);
    struct sotto_ledger ledger;

    folders_make(folder);
    keys_make(folder, cohort);
    assert_int_equal(sotto_ledger_create(folder, NULL), SOTTO_OK);
    assert_int_equal(sotto_ledger_open(&ledger, folder, NULL), SOTTO_OK);
    for (uint32_t place = 0; place < HUB_SITES; place++) {
        struct sotto_site site = {.enrolled_ms = 1,
                                  .certificate = cohort->entries[place].certificate};

        snprintf(site.name, sizeof site.name, "ward-%u", place + 1);
        memcpy(site.organisation, site.name, sizeof site.name);
        memcpy(site.identity, cohort->entries[place].identity.bytes, sizeof site.identity);
        assert_int_equal(sotto_sites_add(&ledger, &site, NULL), SOTTO_OK);
    }
    campaign_make(&ledger, folder);
    assert_int_equal(sotto_ledger_commit(&ledger, NULL), SOTTO_OK);
    sotto_ledger_close(&ledger);
    cohort_close(cohort);
}

static void on_mail(void *context)
{
    (void)context;
}

static void on_broken(void *context)
{
    struct hub *hub = context;

    hub->is_broken = true;
}

void hub_open(struct hub *hub, const char *folder)
{
    struct sotto_drive_setup setup = {.loop = &hub->loop,
                                      .folder = folder,
                                      .ledger = &hub->ledger,
                                      .keys = &hub->keys,
                                      .protocol = &sotto_secaggplus,
                                      .clock = &hub->clock,
                                      .entropy = &hub->entropy,
                                      .log = &hub->log,
                                      .range_count = 2,
                                      .on_mail = on_mail,
                                      .on_broken = on_broken,
                                      .context = hub};
    struct sotto_fault fault = {0};

    *hub = (struct hub){.folder = folder};
    sotto_log_init(&hub->log, stderr, "test");
    hub->log.level_max = SOTTO_LOG_ERROR;
    sotto_clock_init_system(&hub->clock);
    sotto_entropy_init_seeded(&hub->entropy, seed);
    if (sotto_ledger_open(&hub->ledger, folder, &fault) != SOTTO_OK ||
        sotto_keys_read(&hub->keys, folder, &fault) != SOTTO_OK)
        fail_msg("%s", fault.text);
    uv_loop_init(&hub->loop);
    if (sotto_drive_open(&hub->drive, &setup, &fault) != SOTTO_OK)
        fail_msg("%s", fault.text);
    assert_int_equal(sotto_drive_settle(hub->drive), SOTTO_OK);
}

static void on_closed(void *context)
{
    struct hub *hub = context;

    hub->drive = NULL;
}

void hub_close(struct hub *hub)
{
    sotto_drive_close(hub->drive, on_closed, hub);
    uv_run(&hub->loop, UV_RUN_DEFAULT);
    assert_null(hub->drive);
    assert_int_equal(uv_loop_close(&hub->loop), 0);
    sotto_keys_wipe(&hub->keys);
    sotto_ledger_close(&hub->ledger);
}

void hub_start(struct hub *hub)
{
    struct sotto_campaign campaign;

    assert_int_equal(sotto_campaigns_find(&hub->ledger, campaign_name, &campaign), SOTTO_OK);
    if (campaign.state != SOTTO_CAMPAIGN_CREATED)
        return;
    assert_int_equal(sotto_drive_start(hub->drive, campaign_name, false, NULL), SOTTO_OK);
    assert_int_equal(sotto_drive_settle(hub->drive), SOTTO_OK);
}

/*
 * UV_RUN_ONCE would wait for the next timer even if one has just brought the phase that is wanted.
 */
static void loop_turn(struct hub *hub)
{
    uv_run(&hub->loop, UV_RUN_NOWAIT);
}

bool hub_reach(struct hub *hub, enum sotto_round_phase phase)
{
    for (;;) {
        struct sotto_live *live = sotto_drive_live(hub->drive);

        assert_false(hub->is_broken);
        if (live == NULL)
            return false;
        if (sotto_round_phase(live->round) >= phase)
            return true;
        loop_turn(hub);
    }
}

void hub_finish(struct hub *hub)
{
    while (sotto_drive_live(hub->drive) != NULL)
        loop_turn(hub);
}

enum sotto_round_phase hub_phase_of(const struct hub_line *line)
{
    return (enum sotto_round_phase)(line->kind - SOTTO_ROUND_ADVERT + SOTTO_ROUND_GATHERING);
}

static void receipt_done(struct sotto_receipt *receipt)
{
    struct hub *hub = receipt->context;

    hub->is_answered = true;
    if (hub->on_answer != NULL && receipt->verdict == SOTTO_OK)
        hub->on_answer(hub->context);
}

static void upload_spool(struct hub *hub, const struct hub_line *line)
{
    struct sotto_live *live = sotto_drive_live(hub->drive);
    struct sotto_chunk chunk = {.offset = sotto_spool_received(&live->spool, line->site),
                                .total = line->length,
                                .upload_digest = line->digest};
    const struct sotto_upload *upload;

    if (chunk.offset == line->length)
        return;
    chunk.bytes = sotto_view_of(line->bytes + chunk.offset, line->length - chunk.offset);
    sotto_hash(&chunk.digest, &chunk.bytes, 1);
    assert_int_equal(sotto_spool_take(&live->spool, line->site, &chunk, &upload, NULL), SOTTO_OK);
    assert_int_equal(upload->state, SOTTO_UPLOAD_WHOLE);
}

enum sotto_status hub_deliver(struct hub *hub, const struct hub_line *line)
{
    struct sotto_receipt receipt = {.done = receipt_done, .context = hub};
    struct sotto_round_event event = {
        .kind = line->kind, .at_ms = sotto_clock_wall_ms(&hub->clock), .site = line->site};

    hub->is_answered = false;
    if (line->kind == SOTTO_ROUND_UPLOAD) {
        upload_spool(hub, line);
        event.digest = line->digest;
    } else {
        event.bytes = sotto_view_of(line->bytes, line->length);
    }
    sotto_drive_submit(hub->drive, campaign_name, 1, &event, &receipt);
    assert_int_equal(sotto_drive_settle(hub->drive), SOTTO_OK);
    assert_true(hub->is_answered);
    return receipt.verdict;
}

struct sotto_digest hub_adapter(struct hub *hub)
{
    struct sotto_version version = {0};
    struct sotto_signature signature;

    if (sotto_versions_newest(&hub->ledger, campaign_name, &version, &signature) != SOTTO_OK)
        return (struct sotto_digest){0};
    return version.adapter;
}

/* The sites of the hub's round, under its plan. */
static struct cohort *sites_open(struct hub *hub)
{
    struct cohort *cohort = cohort_open(HUB_SITES, HUB_SURVIVORS_MIN, seed);
    struct sotto_live *live = sotto_drive_live(hub->drive);

    memcpy(cohort->plan_bytes, live->row.plan, live->row.plan_length);
    cohort->plan_length = live->row.plan_length;
    cohort->roster.epoch = live->census.roster.epoch;
    cohort_reopen(cohort);
    return cohort;
}

static void line_write(struct hub_line *line, const struct cohort *cohort, uint32_t place,
                       const struct sotto_round_event *event)
{
    *line = (struct hub_line){.kind = event->kind, .site = place + 1, .digest = event->digest};
    if (event->kind == SOTTO_ROUND_UPLOAD) {
        line->length = COHORT_PACKED_BYTES;
        memcpy(line->bytes, cohort->packed[place], line->length);
        return;
    }
    line->length = event->bytes.length;
    assert_in_range(line->length, 1, HUB_SCRIPT_BYTES);
    memcpy(line->bytes, event->bytes.at, line->length);
}

void hub_script_record(struct hub_script *script, const char *folder)
{
    struct hub hub;
    struct cohort *cohort;

    script->count = 0;
    hub_make(folder);
    hub_open(&hub, folder);
    hub_start(&hub);
    cohort = sites_open(&hub);
    for (int phase = SOTTO_ROUND_GATHERING; phase < SOTTO_ROUND_UNMASKING; phase++) {
        assert_true(hub_reach(&hub, (enum sotto_round_phase)phase));
        for (uint32_t place = 0; place < HUB_SITES; place++) {
            struct hub_line *line = &script->lines[script->count++];
            struct sotto_round_event event;

            assert_true(cohort_answer(cohort, place, sotto_drive_live(hub.drive)->round, &event));
            line_write(line, cohort, place, &event);
            assert_int_equal(hub_deliver(&hub, line), SOTTO_OK);
        }
    }
    hub_finish(&hub);
    script->adapter = hub_adapter(&hub);
    cohort_close(cohort);
    hub_close(&hub);
}
