/* The routes over real sockets: what callers are told when they, or what they bring, are wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/gate/chunk.h"
#include "coordinator/ledger/shelf.h"
#include "coordinator/schedule/definition.h"
#include "core/wire/enrolment.h"
#include "crypto/primitives/hash.h"
#include "models/adapter/manifest.h"
#include "models/arch/arch.h"
#include "tests/coordinator/serving.h"
#include "tests/support/cmocka.h"

static const struct sotto_view nothing;

static int fixture_open(void **state)
{
    *state = serving_open();
    return 0;
}

static int fixture_close(void **state)
{
    serving_close(*state);
    return 0;
}

static void assert_answer(const struct serving_answer *answer, int status, const char *words)
{
    if (answer->status != status || strstr(answer->text, words) == NULL)
        fail_msg("%d '%s' where %d '%s' was wanted", answer->status, answer->text, status, words);
}

static void assert_refused(struct sotto_client *client, const char *method, const char *path,
                           struct sotto_view body, int status, const char *words)
{
    struct serving_answer answer = serving_ask(client, method, path, body);

    assert_answer(&answer, status, words);
}

static void routes__unknown_or_of_another_method__are_404_and_405(void **state)
{
    struct serving *serving = *state;

    assert_refused(serving->administrator, "GET", "/v2/mail", nothing, 404, "no such route");
    assert_refused(serving->administrator, "GET", "/v1/admin/sites/", nothing, 404, "route");
    assert_refused(serving->administrator, "POST", "/healthz", nothing, 405, "other methods");
    assert_refused(serving->stranger, "GET", "/healthz", nothing, 200, "ok");
    assert_refused(serving->stranger, "GET", "/metrics", nothing, 200, "sotto_sites 0\n");
}

static void routes__caller_of_another_kind__is_turned_away(void **state)
{
    struct serving *serving = *state;
    struct sotto_client *site = serving_enrol(serving, "ward-1");

    assert_refused(serving->stranger, "GET", "/v1/mail", nothing, 403, "enrol first");
    assert_refused(serving->administrator, "GET", "/v1/mail", nothing, 403, "site's certificate");
    assert_refused(site, "GET", "/v1/admin/sites", nothing, 403, "administrator's certificate");
    assert_refused(serving->stranger, "GET", "/v1/admin/status", nothing, 403, "administrator's");
    assert_refused(site, "GET", "/v1/mail", nothing, 204, "");
    sotto_client_close(site);
}

static void routes__revoked_site__is_turned_away_and_may_enrol_anew(void **state)
{
    struct serving *serving = *state;
    struct sotto_client *site = serving_enrol(serving, "ward-1"), *again;

    assert_refused(serving->administrator, "POST", "/v1/admin/sites/ward-1/revoke", nothing, 200,
                   "\"revoked\":\"ward-1\"");
    assert_refused(site, "GET", "/v1/mail", nothing, 403, "was revoked");
    assert_refused(serving->administrator, "POST", "/v1/admin/sites/ward-1/revoke", nothing, 404,
                   "no active site called ward-1");
    again = serving_enrol(serving, "ward-1");
    assert_refused(again, "GET", "/v1/mail", nothing, 204, "");
    sotto_client_close(again);
    sotto_client_close(site);
}

/* Another coordinator's site: its authority is not this one's, so that TLS itself fails. */
static void routes__certificate_of_another_authority__does_not_connect(void **state)
{
    struct serving *serving = *state, *other = serving_open();
    struct sotto_client *site = serving_enrol(other, "ward-1"), *client;
    struct folder_path authority = folder_path(&serving->folder, "hub/admin/ca.pem");
    struct folder_path certificate = folder_path(&other->folder, "ward-1.pem");
    struct folder_path key = folder_path(&other->folder, "ward-1.key");
    struct sotto_client_setup setup = {.url = serving->url,
                                       .authority_path = authority.text,
                                       .certificate_path = certificate.text,
                                       .key_path = key.text,
                                       .connect_timeout_ms = 5000};
    struct sotto_exchange exchange = {
        .method = "GET", .path = "/v1/mail", .timeout_ms = 20000, .answer_max = 4096};

    assert_int_equal(sotto_client_open(&client, &setup, NULL), SOTTO_OK);
    assert_int_not_equal(sotto_client_exchange(client, &exchange, NULL), SOTTO_OK);
    sotto_client_close(client);
    sotto_client_close(site);
    serving_close(other);
}

static void enrol__token_used_unknown_or_cut__is_told_apart(void **state)
{
    struct serving *serving = *state;
    uint8_t secret[32], bytes[SOTTO_ENROL_BYTES_MAX];
    struct sotto_view request;

    serving_token(serving, "ward-1", secret);
    request = sotto_view_of(bytes, serving_request(serving, "ward-1", secret, bytes, sizeof bytes));
    assert_refused(serving->stranger, "POST", "/v1/enrol", request, 200, "");
    assert_refused(serving->stranger, "POST", "/v1/enrol", request, 403, "has been used");
    secret[0] ^= 1;
    request = sotto_view_of(bytes, serving_request(serving, "ward-2", secret, bytes, sizeof bytes));
    assert_refused(serving->stranger, "POST", "/v1/enrol", request, 403,
                   "no token has this secret");
    request.length--;
    assert_refused(serving->stranger, "POST", "/v1/enrol", request, 400, "does not parse");
    bytes[40] ^= 1;
    request.length++;
    assert_true(serving_ask(serving->stranger, "POST", "/v1/enrol", request).status >= 400);
}

static void enrol__identity_of_another_site__is_refused_and_leaves_the_token(void **state)
{
    struct serving *serving = *state;
    uint8_t secret[32], bytes[SOTTO_ENROL_BYTES_MAX];
    struct sotto_view request;

    serving_token(serving, "ward-1", secret);
    request = sotto_view_of(bytes, serving_request(serving, "ward-1", secret, bytes, sizeof bytes));
    assert_refused(serving->stranger, "POST", "/v1/enrol", request, 200, "");
    serving_token(serving, "ward-2", secret);
    request = sotto_view_of(bytes, serving_request(serving, "ward-1", secret, bytes, sizeof bytes));
    assert_refused(serving->stranger, "POST", "/v1/enrol", request, 403, "enrolled already");
    request = sotto_view_of(bytes, serving_request(serving, "ward-2", secret, bytes, sizeof bytes));
    assert_refused(serving->stranger, "POST", "/v1/enrol", request, 200, "");
}

/*
 * With the neutral element as the identity, the base point and S = 1 are a signature of whatever is
 * enrolled.
 */
static void enrol__identity_of_low_order__is_refused(void **state)
{
    struct serving *serving = *state;
    uint8_t secret[32], bytes[SOTTO_ENROL_BYTES_MAX], again[SOTTO_ENROL_BYTES_MAX];
    struct sotto_buffer out = sotto_buffer_of(again, sizeof again);
    struct sotto_enrol_request request;
    size_t length;

    serving_token(serving, "ward-1", secret);
    length = serving_request(serving, "ward-1", secret, bytes, sizeof bytes);
    assert_int_equal(sotto_enrol_request_decode(&request, sotto_view_of(bytes, length)), SOTTO_OK);
    memset(request.identity, 0, sizeof request.identity);
    request.identity[0] = 1;
    memset(request.signature, 0, sizeof request.signature);
    memset(request.signature, 0x66, 32);
    request.signature[0] = 0x58;
    request.signature[32] = 1;
    assert_int_equal(sotto_enrol_request_encode(&out, &request), SOTTO_OK);
    assert_refused(serving->stranger, "POST", "/v1/enrol", sotto_view_buffer(&out), 403,
                   "not signed by the identity");
}

static void token__bad_name_or_age__is_refused(void **state)
{
    struct serving *serving = *state;
    static const char path[] = "/v1/admin/tokens";

    assert_refused(serving->administrator, "POST", path,
                   sotto_view_text("{\"site\": \"Ward 1\", \"ttl_s\": 60}"), 400, "a-z, 0-9");
    assert_refused(serving->administrator, "POST", path,
                   sotto_view_text("{\"site\": \"ward\", \"ttl_s\": 0}"), 400, "token lives");
    assert_refused(serving->administrator, "POST", path, sotto_view_text("{\"site\""), 400,
                   "wanted");
}

/* Both commits and the token's use survive a kill right after the answer. */
static void enrol__hub_killed_after_the_answer__the_site_is_still_enrolled(void **state)
{
    struct serving *serving = *state;
    struct sotto_client *site = serving_enrol(serving, "ward-1");

    serving_kill(serving);
    serving_start(serving);
    assert_refused(site, "GET", "/v1/mail", nothing, 204, "");
    sotto_client_close(site);
}

/* A layout and an adapter that fit, put on their shelves; the definition names them. */
struct draft {
    struct sotto_definition definition;
    uint8_t layout[SOTTO_LAYOUT_BYTES_MAX];
    size_t layout_length;
    float lanes[4096];     /* and their manifest */
    size_t adapter_length; /* bytes of both */
};

static void draft_make(struct draft *draft)
{
    struct sotto_arch arch = {.width = 8,
                              .mlp_width = 16,
                              .block_count = 1,
                              .head_count = 2,
                              .kv_head_count = 2,
                              .head_width = 4,
                              .image_side = 8,
                              .patch_side = 4,
                              .channels = 1,
                              .norm_epsilon = 1e-6,
                              .has_qkv_bias = true,
                              .has_out_bias = true,
                              .has_mlp_bias = true};
    struct sotto_adapter_choice choice = {
        .rank = 1, .alpha = 1, .target_set = 1, .label_count = 2, .labels = {"cat", "dog"}};
    struct sotto_layout *layout = calloc(1, sizeof *layout);
    struct sotto_buffer out = sotto_buffer_of(draft->layout, sizeof draft->layout);
    struct sotto_definition *definition = &draft->definition;

    assert_int_equal(sotto_layout_derive(layout, &arch, &choice, NULL), SOTTO_OK);
    assert_int_equal(sotto_layout_encode(&out, layout), SOTTO_OK);
    draft->layout_length = out.length;
    sotto_definition_init(definition);
    memcpy(definition->name, "wards", sizeof "wards");
    memcpy(definition->base_name, "base", sizeof "base");
    sotto_definition_lanes_set(definition, layout);
    assert_in_range(definition->lane_count, 1, 4096);
    draft->adapter_length = sotto_manifest_adapter_bytes(layout);
    assert_in_range(draft->adapter_length, 1, sizeof draft->lanes);
    sotto_manifest_write(draft->lanes, layout, sotto_hash);
    assert_int_equal(sotto_shelf_digest(&definition->layout, SOTTO_SHELF_LAYOUT, nothing,
                                        sotto_view_buffer(&out), NULL),
                     SOTTO_OK);
    assert_int_equal(sotto_shelf_digest(&definition->adapter, SOTTO_SHELF_ADAPTER,
                                        sotto_view_buffer(&out),
                                        sotto_view_of(draft->lanes, draft->adapter_length), NULL),
                     SOTTO_OK);
    free(layout);
}

static struct serving_answer item_put(struct serving *serving, const char *kind,
                                      const struct sotto_digest *digest,
                                      const struct sotto_digest *layout, struct sotto_view bytes)
{
    char hex[SOTTO_DIGEST_HEX], layout_hex[SOTTO_DIGEST_HEX], path[256];

    sotto_digest_hex(hex, digest);
    sotto_digest_hex(layout_hex, layout);
    snprintf(path, sizeof path, "/v1/admin/items/%s/%s?layout=%s", kind, hex, layout_hex);
    return serving_ask(serving->administrator, "PUT", path, bytes);
}

static struct serving_answer campaign_post(struct serving *serving,
                                           const struct sotto_definition *definition)
{
    char *text = sotto_definition_encode(definition);
    struct serving_answer answer =
        serving_ask(serving->administrator, "POST", "/v1/admin/campaigns", sotto_view_text(text));

    free(text);
    return answer;
}

static void items_put(struct serving *serving, const struct draft *draft)
{
    const struct sotto_definition *definition = &draft->definition;

    assert_int_equal(item_put(serving, "layout", &definition->layout, &definition->layout,
                              sotto_view_of(draft->layout, draft->layout_length))
                         .status,
                     204);
    assert_int_equal(item_put(serving, "adapter", &definition->adapter, &definition->layout,
                              sotto_view_of(draft->lanes, draft->adapter_length))
                         .status,
                     204);
}

static void item__other_bytes_than_its_digest_says__is_refused(void **state)
{
    struct serving *serving = *state;
    struct draft *draft = calloc(1, sizeof *draft);
    struct serving_answer answer;

    draft_make(draft);
    items_put(serving, draft);
    draft->lanes[0] = 1;
    answer = item_put(serving, "adapter", &draft->definition.adapter, &draft->definition.layout,
                      sotto_view_of(draft->lanes, draft->adapter_length));
    assert_answer(&answer, 409,
                  "tensor base_model.model.vit.encoder.layer.0.attention.attention."
                  "query.lora_A.weight of the adapter is not the one in its");
    draft->lanes[0] = 0;
    answer = item_put(serving, "adapter", &draft->definition.adapter, &draft->definition.layout,
                      sotto_view_of(draft->lanes, 40));
    assert_answer(&answer, 409, "query.lora_B.weight");
    answer = item_put(serving, "adapter", &draft->definition.layout, &draft->definition.layout,
                      sotto_view_of(draft->lanes, draft->adapter_length));
    assert_answer(&answer, 409, "the adapter is another one");
    answer = item_put(serving, "adapter", &draft->definition.adapter, &draft->definition.adapter,
                      sotto_view_of(draft->lanes, 8));
    assert_answer(&answer, 400, "names its layout");
    answer = item_put(serving, "roster", &draft->definition.adapter, &draft->definition.adapter,
                      sotto_view_of(draft->lanes, 8));
    assert_answer(&answer, 404, "only layouts and adapters");
    free(draft);
}

static void item__damaged_on_its_shelf__is_mended_by_the_next_put(void **state)
{
    struct serving *serving = *state;
    struct draft *draft = calloc(1, sizeof *draft);
    char hex[SOTTO_DIGEST_HEX], name[SOTTO_DIGEST_HEX + 32];
    struct serving_answer answer;

    draft_make(draft);
    items_put(serving, draft);
    sotto_digest_hex(hex, &draft->definition.adapter);
    snprintf(name, sizeof name, "hub/items/adapter/%s", hex);
    folder_write(&serving->folder, name, sotto_view_text("short"));
    answer = campaign_post(serving, &draft->definition);
    assert_answer(&answer, 409, "layout mismatch");
    items_put(serving, draft);
    answer = campaign_post(serving, &draft->definition);
    assert_answer(&answer, 200, "created");
    free(draft);
}

static void campaign__lanes_other_than_the_layouts__is_refused(void **state)
{
    struct serving *serving = *state;
    struct draft *draft = calloc(1, sizeof *draft);
    struct serving_answer answer;

    draft_make(draft);
    items_put(serving, draft);
    draft->definition.lane_count++;
    answer = campaign_post(serving, &draft->definition);
    assert_answer(&answer, 409, "layout mismatch");
    draft->definition.lane_count--;
    draft->definition.adapter.bytes[0] ^= 1;
    answer = campaign_post(serving, &draft->definition);
    assert_int_equal(answer.status, 400);
    free(draft);
}

static void campaign__made_twice_or_started_twice__is_refused(void **state)
{
    struct serving *serving = *state;
    struct draft *draft = calloc(1, sizeof *draft);
    struct serving_answer answer;

    draft_make(draft);
    items_put(serving, draft);
    answer = campaign_post(serving, &draft->definition);
    assert_answer(&answer, 200, "created");
    answer = campaign_post(serving, &draft->definition);
    assert_answer(&answer, 409, "already");
    assert_refused(serving->administrator, "POST", "/v1/admin/campaigns/wards/stop", nothing, 409,
                   "is not running");
    assert_refused(serving->administrator, "POST", "/v1/admin/campaigns/wards/start", nothing, 200,
                   "wards");
    assert_refused(serving->administrator, "POST", "/v1/admin/campaigns/wards/start", nothing, 409,
                   "is running");
    assert_refused(serving->administrator, "GET", "/v1/admin/campaigns/wards", nothing, 200,
                   "\"phase\":\"gathering\"");
    assert_refused(serving->administrator, "POST", "/v1/admin/campaigns/wards/stop", nothing, 200,
                   "wards");
    assert_refused(serving->administrator, "GET", "/v1/admin/campaigns/wards", nothing, 200,
                   "\"outcome\":\"abandoned\"");
    free(draft);
}

static void start__moments_that_are_not_to_be_had__is_refused(void **state)
{
    struct serving *serving = *state;
    struct draft *draft = calloc(1, sizeof *draft);
    struct serving_answer answer;

    draft_make(draft);
    items_put(serving, draft);
    answer = campaign_post(serving, &draft->definition);
    assert_answer(&answer, 200, "created");
    assert_refused(serving->administrator, "POST", "/v1/admin/campaigns/wards/start?moments=old",
                   nothing, 400, "moments can be new");
    assert_refused(serving->administrator, "POST", "/v1/admin/campaigns/wards/start?moments=new",
                   nothing, 409, "has no moments: its server optimiser is fedavg");
    memcpy(draft->definition.name, "other", sizeof "other");
    draft->definition.server = SOTTO_SERVER_FEDYOGI;
    answer = campaign_post(serving, &draft->definition);
    assert_answer(&answer, 200, "created");
    assert_refused(serving->administrator, "POST", "/v1/admin/campaigns/other/start?moments=new",
                   nothing, 200, "other");
    free(draft);
}

static void start__adapter_damaged_on_the_disk__tells_the_tensor(void **state)
{
    struct serving *serving = *state;
    struct draft *draft = calloc(1, sizeof *draft);
    char hex[SOTTO_DIGEST_HEX], name[SOTTO_DIGEST_HEX + 32];
    struct serving_answer answer;

    draft_make(draft);
    items_put(serving, draft);
    answer = campaign_post(serving, &draft->definition);
    assert_answer(&answer, 200, "created");
    sotto_digest_hex(hex, &draft->definition.adapter);
    snprintf(name, sizeof name, "%s/items/adapter/%s", strrchr(serving->state, '/') + 1, hex);
    draft->lanes[draft->definition.lane_count - 1] = 1;
    folder_write(&serving->folder, name, sotto_view_of(draft->lanes, draft->adapter_length));
    for (int time = 0; time < 2; time++)
        assert_refused(serving->administrator, "POST", "/v1/admin/campaigns/wards/start", nothing,
                       409,
                       "tensor base_model.model.classifier.bias of the adapter is not the one");
    assert_refused(serving->administrator, "GET", "/v1/admin/campaigns/wards", nothing, 200,
                   "\"state\":\"paused\"");
    free(draft);
}

static void message__at_a_wrong_time_malformed_or_too_long__is_told_apart(void **state)
{
    static const uint8_t bytes[SOTTO_CHUNK_BYTES_MAX + 1];
    struct serving *serving = *state;
    struct sotto_client *site = serving_enrol(serving, "ward-1");
    struct draft *draft = calloc(1, sizeof *draft);
    struct serving_answer answer;

    assert_refused(site, "POST", "/v1/rounds/wards/1/advert", sotto_view_of(bytes, 9), 409,
                   "not running");
    draft_make(draft);
    items_put(serving, draft);
    answer = campaign_post(serving, &draft->definition);
    assert_int_equal(answer.status, 200);
    assert_refused(serving->administrator, "POST", "/v1/admin/campaigns/wards/start", nothing, 200,
                   "");
    assert_refused(site, "POST", "/v1/rounds/wards/1/advert", sotto_view_of(bytes, 9), 400,
                   "does not parse");
    assert_refused(site, "POST", "/v1/rounds/wards/1/shares", sotto_view_of(bytes, 9), 409, "now");
    assert_refused(site, "POST", "/v1/rounds/wards/2/advert", sotto_view_of(bytes, 9), 409, "");
    assert_refused(site, "POST", "/v1/rounds/wards/x/advert", sotto_view_of(bytes, 9), 400,
                   "decimal");
    assert_refused(site, "POST", "/v1/rounds/wards/1/gossip", sotto_view_of(bytes, 9), 404, "");
    assert_refused(site, "POST", "/v1/rounds/wards/1/advert", nothing, 400, "");
    assert_refused(site, "POST", "/v1/rounds/wards/1/leave", sotto_view_of(bytes, 1), 400, "");
    assert_refused(site, "GET", "/v1/rounds/wards/1/upload", nothing, 409, "uploads");
    sotto_client_close(site);
    free(draft);
}

static void message__longer_than_its_route_takes__is_413(void **state)
{
    static const uint8_t bytes[SOTTO_CHUNK_BYTES_MAX + 1];
    struct serving *serving = *state;
    struct sotto_client *site = serving_enrol(serving, "ward-1");

    assert_refused(site, "POST", "/v1/rounds/wards/1/advert", sotto_view_of(bytes, sizeof bytes),
                   413, "");
    assert_refused(site, "PUT", "/v1/rounds/wards/1/upload", sotto_view_of(bytes, sizeof bytes),
                   413, "");
    sotto_client_close(site);
}

#define SERVED(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(routes__unknown_or_of_another_method__are_404_and_405),
        SERVED(routes__caller_of_another_kind__is_turned_away),
        SERVED(routes__revoked_site__is_turned_away_and_may_enrol_anew),
        SERVED(routes__certificate_of_another_authority__does_not_connect),
        SERVED(enrol__token_used_unknown_or_cut__is_told_apart),
        SERVED(enrol__identity_of_another_site__is_refused_and_leaves_the_token),
        SERVED(enrol__identity_of_low_order__is_refused),
        SERVED(token__bad_name_or_age__is_refused),
        SERVED(enrol__hub_killed_after_the_answer__the_site_is_still_enrolled),
        SERVED(item__other_bytes_than_its_digest_says__is_refused),
        SERVED(item__damaged_on_its_shelf__is_mended_by_the_next_put),
        SERVED(campaign__lanes_other_than_the_layouts__is_refused),
        SERVED(campaign__made_twice_or_started_twice__is_refused),
        SERVED(start__moments_that_are_not_to_be_had__is_refused),
        SERVED(start__adapter_damaged_on_the_disk__tells_the_tensor),
        SERVED(message__at_a_wrong_time_malformed_or_too_long__is_told_apart),
        SERVED(message__longer_than_its_route_takes__is_413),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
