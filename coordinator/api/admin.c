#include "coordinator/api/admin.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/api/api.h"
#include "coordinator/api/report.h"
#include "coordinator/enrol/enrolment.h"
#include "coordinator/ledger/shelf.h"
#include "coordinator/schedule/definition.h"
#include "models/adapter/layout.h"

static uint64_t now_ms(const struct sotto_call *call)
{
    return sotto_clock_wall_ms(call->api->setup.clock);
}

/* Makes durable what was changed, then answers; nothing is answered if that fails. */
static void settled_answer(struct sotto_call *call, json_t *json)
{
    if (sotto_drive_settle(call->api->setup.drive) == SOTTO_OK)
        sotto_call_answer_json_take(call, 200, json);
    else
        json_decref(json);
}

void sotto_admin_token(struct sotto_call *call)
{
    struct sotto_api_setup *setup = &call->api->setup;
    json_t *body = json_loadb((const char *)call->body, call->length, JSON_REJECT_DUPLICATES, NULL);
    const char *site = NULL, *organisation = NULL;
    json_int_t ttl_s = 0;
    char text[SOTTO_TOKEN_TEXT_MAX];
    struct sotto_fault fault;
    enum sotto_status status;

    if (json_unpack(body, "{s:s, s:I, s?s}", "site", &site, "ttl_s", &ttl_s, "organisation",
                    &organisation) != 0) {
        sotto_call_refuse(call, SOTTO_MALFORMED,
                          "wanted: {\"site\": text, \"ttl_s\": number} and perhaps "
                          "\"organisation\": text");
        json_decref(body);
        return;
    }
    status =
        sotto_enrolment_invite(setup->ledger, text, setup->keys,
                               &(struct sotto_token_wish){.site = site,
                                                          .organisation = organisation,
                                                          .url = setup->url,
                                                          .ttl_s = ttl_s < 0 ? 0 : (uint64_t)ttl_s,
                                                          .now_ms = now_ms(call)},
                               setup->entropy, &fault);
    json_decref(body);
    if (status != SOTTO_OK)
        sotto_call_refuse(call, status, fault.text);
    else
        settled_answer(call, json_pack("{s:s}", "token", text));
    sotto_wipe(text, sizeof text);
}

void sotto_admin_sites(struct sotto_call *call)
{
    sotto_call_answer_json_take(call, 200, sotto_report_sites(call->api->setup.ledger));
}

void sotto_admin_revoke(struct sotto_call *call)
{
    struct sotto_api_setup *setup = &call->api->setup;
    struct sotto_site site;
    struct sotto_fault fault;
    enum sotto_status status =
        sotto_sites_revoke(setup->ledger, call->words[0], now_ms(call), &site, &fault);

    if (status != SOTTO_OK) {
        sotto_call_refuse(call, status, fault.text);
        return;
    }
    sotto_log_write(setup->log, SOTTO_LOG_WARNING, "site %s is revoked", site.name);
    sotto_drive_revoke(setup->drive, site.id);
    settled_answer(call, json_pack("{s:s, s:i}", "revoked", site.name, "id", (int)site.id));
}

/* The layout that an adapter is for; from malloc. */
static enum sotto_status layout_read(struct sotto_call *call, const char *hex, uint8_t **bytes,
                                     size_t *length)
{
    struct sotto_digest digest;

    *bytes = NULL;
    if (hex == NULL || sotto_hex_decode(digest.bytes, sizeof digest.bytes, hex) != SOTTO_OK)
        return SOTTO_MALFORMED;
    return sotto_shelf_read(call->api->setup.folder, SOTTO_SHELF_LAYOUT, &digest, bytes, length,
                            NULL);
}

static void item_store(struct sotto_call *call, enum sotto_shelf shelf, struct sotto_view layout)
{
    struct sotto_digest named;
    struct sotto_fault fault;
    enum sotto_status status = sotto_hex_decode(named.bytes, sizeof named.bytes, call->words[1]);

    if (status != SOTTO_OK)
        sotto_fault_set(&fault, status, "an item is named by its digest, 64 hex digits");
    else
        status = sotto_shelf_check(&named, shelf, layout, sotto_call_body(call), &fault);
    if (status == SOTTO_OK)
        status = sotto_shelf_store(call->api->setup.folder, shelf, &named, sotto_call_body(call),
                                   &fault);
    if (status == SOTTO_OK)
        sotto_call_answer_empty(call, 204);
    else
        sotto_call_refuse(call, status, fault.text);
}

void sotto_admin_item(struct sotto_call *call)
{
    enum sotto_shelf shelf;
    uint8_t *layout = NULL;
    size_t length = 0;

    if (sotto_shelf_parse(&shelf, call->words[0]) != SOTTO_OK || shelf == SOTTO_SHELF_ROSTER) {
        sotto_call_refuse(call, SOTTO_NOT_FOUND, "only layouts and adapters can be put");
        return;
    }
    if (shelf == SOTTO_SHELF_ADAPTER &&
        layout_read(call, sotto_request_query(call->request, "layout"), &layout, &length) !=
            SOTTO_OK) {
        sotto_call_refuse(call, SOTTO_MALFORMED,
                          "an adapter names its layout, which has to be put first");
        return;
    }
    item_store(call, shelf, sotto_view_of(layout, length));
    free(layout);
}

/* Whether a definition and a layout are of one shape. */
static enum sotto_status shapes_check(const struct sotto_definition *definition,
                                      struct sotto_view layout_bytes, struct sotto_fault *fault)
{
    struct sotto_layout *layout = calloc(1, sizeof *layout);
    enum sotto_status status = SOTTO_NO_MEMORY;

    if (layout != NULL)
        status = sotto_layout_decode(layout, layout_bytes);
    if (status == SOTTO_OK)
        status = sotto_definition_lanes_check(definition, layout, fault);
    else
        sotto_fault_set(fault, status, "the layout does not parse");
    free(layout);
    return status;
}

/* Layout and adapter are there, whole, and of one shape. */
static enum sotto_status items_check(const char *folder, const struct sotto_definition *definition,
                                     struct sotto_fault *fault)
{
    uint8_t *layout = NULL, *adapter = NULL;
    size_t layout_length = 0, adapter_length = 0;
    enum sotto_status status = sotto_shelf_read(folder, SOTTO_SHELF_LAYOUT, &definition->layout,
                                                &layout, &layout_length, fault);

    if (status == SOTTO_OK)
        status = sotto_shelf_read(folder, SOTTO_SHELF_ADAPTER, &definition->adapter, &adapter,
                                  &adapter_length, fault);
    if (status == SOTTO_OK)
        status = shapes_check(definition, sotto_view_of(layout, layout_length), fault);
    if (status == SOTTO_OK)
        status = sotto_shelf_check(&definition->adapter, SOTTO_SHELF_ADAPTER,
                                   sotto_view_of(layout, layout_length),
                                   sotto_view_of(adapter, adapter_length), fault);
    free(layout);
    free(adapter);
    return status;
}

void sotto_admin_campaign_create(struct sotto_call *call)
{
    struct sotto_api_setup *setup = &call->api->setup;
    struct sotto_campaign campaign = {.created_ms = now_ms(call)};
    struct sotto_definition definition;
    struct sotto_fault fault;
    enum sotto_status status = sotto_definition_decode(&definition, sotto_call_body(call), &fault);

    if (status == SOTTO_OK)
        status = items_check(setup->folder, &definition, &fault);
    if (status == SOTTO_OK) {
        memcpy(campaign.name, definition.name, sizeof campaign.name);
        memcpy(campaign.definition, call->body, call->length);
        status = sotto_campaigns_add(setup->ledger, &campaign, &fault);
    }
    if (status != SOTTO_OK)
        sotto_call_refuse(call, status == SOTTO_NOT_FOUND ? SOTTO_MALFORMED : status, fault.text);
    else
        settled_answer(call, json_pack("{s:s, s:s}", "name", campaign.name, "state", "created"));
}

void sotto_admin_campaign_show(struct sotto_call *call)
{
    json_t *report =
        sotto_report_campaign(call->api->setup.ledger, sotto_drive_live(call->api->setup.drive),
                              call->words[0], now_ms(call));

    if (report == NULL)
        sotto_call_refuse(call, SOTTO_NOT_FOUND,
                          "there is no campaign of this name: look at sotto-admin status");
    else
        sotto_call_answer_json_take(call, 200, report);
}

/* A campaign that cannot go on pauses at once: whoever starts it hears why. */
static void start_answer(struct sotto_call *call)
{
    struct sotto_api_setup *setup = &call->api->setup;
    struct sotto_campaign campaign;

    if (sotto_drive_settle(setup->drive) != SOTTO_OK)
        return;
    if (sotto_campaigns_find(setup->ledger, call->words[0], &campaign) == SOTTO_OK &&
        campaign.state == SOTTO_CAMPAIGN_PAUSED)
        sotto_call_refuse(call, SOTTO_UNEXPECTED, campaign.reason);
    else
        sotto_call_answer_json_take(call, 200, json_pack("{s:s}", "name", call->words[0]));
}

void sotto_admin_campaign_start(struct sotto_call *call)
{
    const char *moments = sotto_request_query(call->request, "moments");
    struct sotto_fault fault;
    enum sotto_status status = SOTTO_MALFORMED;

    if (moments != NULL && strcmp(moments, "new") != 0)
        sotto_fault_set(&fault, status, "moments can be new, or are not spoken of");
    else
        status = sotto_drive_start(call->api->setup.drive, call->words[0], moments != NULL, &fault);
    if (status == SOTTO_OK)
        start_answer(call);
    else
        sotto_call_refuse(call, status, fault.text);
}

void sotto_admin_campaign_stop(struct sotto_call *call)
{
    struct sotto_fault fault;
    enum sotto_status status = sotto_drive_stop(call->api->setup.drive, call->words[0], &fault);

    if (status != SOTTO_OK)
        sotto_call_refuse(call, status, fault.text);
    else
        settled_answer(call, json_pack("{s:s}", "name", call->words[0]));
}

void sotto_admin_status(struct sotto_call *call)
{
    sotto_call_answer_json_take(
        call, 200,
        sotto_report_status(call->api->setup.ledger, sotto_drive_live(call->api->setup.drive)));
}
