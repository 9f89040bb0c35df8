#include "coordinator/api/roster.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/api/api.h"
#include "coordinator/enrol/endorsing.h"

/* The roster of now; NULL: refused already. */
static struct sotto_census *census_now(struct sotto_call *call)
{
    struct sotto_census *census = calloc(1, sizeof *census);
    struct sotto_fault fault = {0};
    enum sotto_status status = SOTTO_NO_MEMORY;

    if (census != NULL)
        status = sotto_census_take(census, call->api->setup.ledger, &fault);
    if (status == SOTTO_OK)
        return census;
    free(census);
    sotto_call_refuse(call, status, census == NULL ? "no memory for a roster" : fault.text);
    return NULL;
}

void sotto_roster_export(struct sotto_call *call)
{
    struct sotto_census *census = census_now(call);

    if (census == NULL)
        return;
    sotto_call_answer(call, 200, "application/octet-stream",
                      sotto_view_of(census->bytes, census->length));
    free(census);
}

static json_t *signed_of(const struct sotto_endorsement *held, const struct sotto_census *census)
{
    char roster[SOTTO_DIGEST_HEX], authority[SOTTO_DIGEST_HEX];

    sotto_digest_hex(roster, &held->endorsed.roster);
    sotto_hex_encode(authority, sotto_view_of(held->authority.bytes, sizeof held->authority.bytes));
    return json_pack("{s:I, s:s, s:s, s:I, s:b}", "epoch", (json_int_t)held->endorsed.epoch,
                     "roster", roster, "authority", authority, "kept_ms", (json_int_t)held->kept_ms,
                     "is_current", sotto_digest_equal(&held->endorsed.roster, &census->digest));
}

void sotto_roster_show(struct sotto_call *call)
{
    struct sotto_census *census = census_now(call);
    struct sotto_endorsement held;
    char roster[SOTTO_DIGEST_HEX];
    bool is_signed;

    if (census == NULL)
        return;
    sotto_digest_hex(roster, &census->digest);
    is_signed = sotto_endorsements_newest(call->api->setup.ledger, &held) == SOTTO_OK;
    sotto_call_answer_json_take(
        call, 200,
        json_pack("{s:I, s:I, s:s, s:o}", "epoch", (json_int_t)census->roster.epoch, "sites",
                  (json_int_t)census->roster.entry_count, "roster", roster, "signed",
                  is_signed ? signed_of(&held, census) : json_null()));
    free(census);
}

static bool endorsement_parse(struct sotto_endorsement *endorsement, const struct sotto_call *call)
{
    json_t *body = json_loadb((const char *)call->body, call->length, JSON_REJECT_DUPLICATES, NULL);
    const char *roster = NULL, *authority = NULL, *signature = NULL;
    json_int_t epoch = -1;
    bool is_good = json_unpack(body, "{s:I, s:s, s:s, s:s}", "epoch", &epoch, "roster", &roster,
                               "authority", &authority, "signature", &signature) == 0 &&
                   epoch >= 0 &&
                   sotto_hex_decode(endorsement->endorsed.roster.bytes, SOTTO_DIGEST_BYTES,
                                    roster) == SOTTO_OK &&
                   sotto_hex_decode(endorsement->authority.bytes,
                                    sizeof endorsement->authority.bytes, authority) == SOTTO_OK &&
                   sotto_hex_decode(endorsement->signature.bytes,
                                    sizeof endorsement->signature.bytes, signature) == SOTTO_OK;

    endorsement->endorsed.epoch = (uint64_t)epoch;
    json_decref(body);
    return is_good;
}

void sotto_roster_import(struct sotto_call *call)
{
    struct sotto_api_setup *setup = &call->api->setup;
    struct sotto_endorsement endorsement = {.kept_ms = sotto_clock_wall_ms(setup->clock)};
    struct sotto_fault fault = {0};
    enum sotto_status status;

    if (!endorsement_parse(&endorsement, call)) {
        sotto_call_refuse(call, SOTTO_MALFORMED,
                          "wanted: what 'sotto-admin roster sign' writes, {\"epoch\", \"roster\", "
                          "\"authority\", \"signature\"}");
        return;
    }
    status = sotto_endorsing_keep(setup->ledger, setup->folder, &endorsement, &fault);
    if (status != SOTTO_OK) {
        sotto_call_refuse(call, status, fault.text);
        return;
    }
    sotto_log_write(setup->log, SOTTO_LOG_INFO,
                    "rounds are held over the signed roster of epoch "
                    "%" PRIu64,
                    endorsement.endorsed.epoch);
    if (sotto_drive_settle(setup->drive) == SOTTO_OK)
        sotto_call_answer_empty(call, 204);
}

void sotto_roster_release(struct sotto_call *call)
{
    struct sotto_api_setup *setup = &call->api->setup;
    struct sotto_fault fault = {0};
    enum sotto_status status =
        sotto_endorsements_release(setup->ledger, sotto_clock_wall_ms(setup->clock), &fault);

    if (status != SOTTO_OK)
        sotto_call_refuse(call, status, fault.text);
    else if (sotto_drive_settle(setup->drive) == SOTTO_OK)
        sotto_call_answer_empty(call, 204);
}
