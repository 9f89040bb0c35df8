#include "tests/bench/crowd/site.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/gate/chunk.h"
#include "core/wire/outcome.h"
#include "crypto/primitives/hash.h"
#include "crypto/ring/lanes.h"
#include "crypto/ring/quantise.h"
#include "crypto/secagg/refusal.h"

enum { TRIES_MAX = 20, TRY_AGAIN_US = 200000, TIMEOUT_MS = 300000, WAIT_MS = 25000 };

static const struct sotto_protocol *const protocol = &sotto_secaggplus;

static void require(const struct crowd_site *site, bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "site %" PRIu32 ": %s\n", site->id, what);
    _exit(1);
}

/* As the courier does: what may be a matter of time is tried again, but not for ever. */
static void ask(struct crowd_site *site, struct sotto_exchange *exchange)
{
    struct sotto_fault fault = {.text = "its coordinator is too busy"};

    exchange->timeout_ms = TIMEOUT_MS;
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        enum sotto_status status = sotto_client_exchange(site->client, exchange, &fault);

        if (status == SOTTO_OK && exchange->status != 429 && exchange->status < 500)
            return;
        if (status == SOTTO_OK)
            free(exchange->answer);
        if (atomic_load(&site->crowd->is_over))
            pthread_exit(NULL);
        pthread_mutex_lock(&site->crowd->lock);
        site->crowd->retries++;
        pthread_mutex_unlock(&site->crowd->lock);
        usleep(TRY_AGAIN_US);
    }
    require(site, false, fault.text);
}

static void post(struct crowd_site *site, const char *what, struct sotto_view body)
{
    char path[160];
    struct sotto_exchange exchange = {
        .method = "POST", .path = path, .body = body, .answer_max = 4096};

    snprintf(path, sizeof path, "/v1/rounds/%s/%" PRIu32 "/%s", site->campaign, site->round, what);
    ask(site, &exchange);
    if (exchange.status != 204)
        fprintf(stderr, "%s: %d %s\n", path, exchange.status, (const char *)exchange.answer);
    require(site, exchange.status == 204, "its message was not taken");
    free(exchange.answer);
}

static uint8_t *fetch(struct crowd_site *site, const char *shelf, const struct sotto_digest *digest,
                      size_t *length)
{
    char hex[SOTTO_DIGEST_HEX], path[160];
    struct sotto_exchange exchange = {.method = "GET", .path = path, .answer_max = 1 << 30};

    sotto_digest_hex(hex, digest);
    snprintf(path, sizeof path, "/v1/items/%s/%s", shelf, hex);
    ask(site, &exchange);
    require(site, exchange.status == 200, "an item was not there");
    *length = exchange.answer_length;
    return exchange.answer;
}

/* Everybody fetches the roster; the first to have it reads it for all. */
static void roster_take(struct crowd_site *site, const struct sotto_plan *plan)
{
    struct crowd *crowd = site->crowd;
    struct sotto_roster_message *message;
    size_t length;
    uint8_t *bytes = fetch(site, "roster", &plan->roster, &length);
    struct sotto_digest digest;
    struct sotto_view view = sotto_view_of(bytes, length);

    sotto_hash(&digest, &view, 1);
    require(site, sotto_digest_equal(&digest, &plan->roster), "a roster is damaged");
    pthread_mutex_lock(&crowd->lock);
    if (!crowd->has_roster) {
        message = calloc(1, sizeof *message);
        require(site,
                message != NULL && sotto_roster_decode(message, view) == SOTTO_OK &&
                    message->count == crowd->task.sites,
                "the roster is not one of all sites");
        for (size_t i = 0; i < message->count; i++) {
            crowd->entries[i].id = message->lines[i].id;
            crowd->entries[i].certificate = message->lines[i].certificate;
            crowd->entries[i].organisation = message->lines[i].organisation;
            memcpy(crowd->entries[i].identity.bytes, message->lines[i].identity, 32);
        }
        crowd->roster = (struct sotto_roster){
            .epoch = message->epoch, .entries = crowd->entries, .entry_count = message->count};
        crowd->has_roster = true;
        free(message);
    }
    pthread_mutex_unlock(&crowd->lock);
    free(bytes);
}

static void adapter_take(struct crowd_site *site, const struct sotto_plan *plan)
{
    size_t length;
    uint8_t *bytes = fetch(site, "adapter", &plan->adapter, &length);

    require(site,
            length == site->crowd->adapter_length &&
                memcmp(bytes, site->crowd->adapter, length) == 0,
            "the adapter is another one");
    free(bytes);
}

static void member_open(struct crowd_site *site, const struct sotto_plan *plan,
                        struct sotto_view bytes)
{
    struct sotto_view parts[] = {sotto_view_text("sotto/1 plan"), bytes};
    struct sotto_terms terms = {.lane_count = plan->lane_count,
                                .ring_bits = plan->ring_bits,
                                .cohort_min = plan->cohort_min,
                                .cohort_max = plan->cohort_max,
                                .survivors_min = plan->survivors_min,
                                .corrupt_fraction = plan->corrupt_fraction,
                                .dropout_fraction = plan->dropout_fraction};
    struct sotto_member_setup setup = {.terms = &terms,
                                       .roster = &site->crowd->roster,
                                       .id = site->id,
                                       .identity = &site->identity,
                                       .seed = &site->seed};

    memcpy(setup.coordinator.bytes, site->crowd->serving->coordinator, 32);
    sotto_hash(&terms.context, parts, 2);
    sotto_arena_init_counting(&site->arena);
    (void)!protocol->member_open(&site->member, &site->arena, &setup);
    require(site, sotto_arena_open(&site->arena, site->arena.used) == SOTTO_OK, "no memory");
    require(site, protocol->member_open(&site->member, &site->arena, &setup) == SOTTO_OK,
            "its role does not open");
}

static struct sotto_view step(struct crowd_site *site, enum sotto_member_event_kind kind,
                              struct sotto_view bytes)
{
    struct sotto_member_event event = {.kind = kind, .bytes = bytes};
    struct sotto_member_effects effects;

    sem_wait(&site->crowd->hands);
    protocol->member_step(site->member, &event, &effects);
    sem_post(&site->crowd->hands);
    require(site, effects.refusal == SOTTO_REFUSAL_NONE, sotto_refusal_sentence(effects.refusal));
    return effects.send;
}

static void plan_take(struct crowd_site *site, const struct sotto_mail *mail)
{
    static const struct sotto_view nothing;
    struct sotto_plan plan;

    require(site, sotto_plan_decode(&plan, mail->body) == SOTTO_OK, "the plan does not parse");
    pthread_mutex_lock(&site->crowd->lock);
    site->crowd->plan = plan;
    pthread_mutex_unlock(&site->crowd->lock);
    roster_take(site, &plan);
    adapter_take(site, &plan);
    member_open(site, &plan, mail->body);
    post(site, "advert", step(site, SOTTO_MEMBER_BEGIN, nothing));
}

/* Small and different for each site and place. */
static float value_of(uint32_t id, size_t place)
{
    return (float)((id * UINT32_C(2654435761) + place * UINT32_C(40503)) % 2001) / 1000 - 1;
}

static void lanes_draw(struct crowd_site *site, uint32_t *lanes)
{
    struct crowd *crowd = site->crowd;
    const struct sotto_plan *plan = &crowd->plan;
    const struct sotto_quantiser quantiser = {.range = plan->lane_range,
                                              .value_bits = plan->value_bits,
                                              .ring_bits = plan->ring_bits,
                                              .weight_max = plan->weight_max,
                                              .cohort_max = plan->cohort_max};
    size_t count = plan->lane_count - 1;
    float *values = malloc(count * sizeof *values);

    require(site, values != NULL, "no memory");
    for (size_t i = 0; i < count; i++)
        values[i] = value_of(site->id, i);
    sotto_quantise(lanes, values, count, 1, &quantiser, &site->seed);
    free(values);
    pthread_mutex_lock(&crowd->lock);
    sotto_lanes_add(crowd->sum, lanes, plan->lane_count);
    crowd->uploads++;
    pthread_mutex_unlock(&crowd->lock);
}

static void chunk_send(struct crowd_site *site, struct sotto_view upload, size_t offset,
                       const struct sotto_digest *digest)
{
    char hex[SOTTO_DIGEST_HEX], chunk_hex[SOTTO_DIGEST_HEX], path[256], header[128];
    size_t left = upload.length - offset;
    struct sotto_view chunk = sotto_view_of(
        upload.at + offset, left < SOTTO_CHUNK_BYTES_MAX ? left : SOTTO_CHUNK_BYTES_MAX);
    struct sotto_exchange exchange = {
        .method = "PUT", .path = path, .body = chunk, .headers = {header}, .answer_max = 4096};
    struct sotto_digest chunk_digest;

    sotto_hash(&chunk_digest, &chunk, 1);
    sotto_digest_hex(hex, digest);
    sotto_digest_hex(chunk_hex, &chunk_digest);
    snprintf(header, sizeof header, "Sotto-Chunk-Digest: %s", chunk_hex);
    snprintf(path, sizeof path, "/v1/rounds/%s/%" PRIu32 "/upload?offset=%zu&length=%zu&digest=%s",
             site->campaign, site->round, offset, upload.length, hex);
    ask(site, &exchange);
    require(site, exchange.status == 200, "a chunk was not taken");
    free(exchange.answer);
}

static void upload_send(struct crowd_site *site)
{
    const struct sotto_plan *plan = &site->crowd->plan;
    size_t length = sotto_lanes_packed_bytes(plan->lane_count, plan->ring_bits);
    uint32_t *lanes = malloc(plan->lane_count * sizeof *lanes);
    uint8_t *packed = malloc(length);
    struct sotto_view upload = sotto_view_of(packed, length);
    struct sotto_member_event event = {.kind = SOTTO_MEMBER_MASKED};
    struct sotto_member_effects effects;

    require(site, lanes != NULL && packed != NULL, "no memory");
    lanes_draw(site, lanes);
    require(site, protocol->member_mask(site->member, lanes, plan->lane_count) == SOTTO_OK,
            "its masks do not fit");
    sotto_lanes_pack(packed, lanes, plan->lane_count, plan->ring_bits);
    free(lanes);
    sotto_hash(&event.digest, &upload, 1);
    protocol->member_step(site->member, &event, &effects);
    sem_post(&site->crowd->hands);
    require(site, effects.refusal == SOTTO_REFUSAL_NONE, sotto_refusal_sentence(effects.refusal));
    for (size_t offset = 0; offset < length; offset += SOTTO_CHUNK_BYTES_MAX)
        chunk_send(site, upload, offset, &event.digest);
    free(packed);
}

/* Dropouts lie evenly over the ids. */
static bool is_dropout(const struct crowd_site *site)
{
    uint64_t dropouts = site->crowd->task.dropouts, count = site->crowd->task.sites;

    return site->id * dropouts / count > (site->id - 1) * dropouts / count;
}

static void inbox_take(struct crowd_site *site, const struct sotto_mail *mail)
{
    static const uint8_t reason = SOTTO_REFUSAL_POLICY_COHORT;
    struct sotto_view receipt;

    if (is_dropout(site)) {
        post(site, "leave", sotto_view_of(&reason, 1));
        return;
    }
    receipt = step(site, SOTTO_MEMBER_INBOX, mail->body);
    if (receipt.length > 0)
        post(site, "receipt", receipt);
    sem_wait(&site->crowd->hands);
    upload_send(site);
}

static void outcome_take(struct crowd_site *site, const struct sotto_mail *mail)
{
    struct sotto_outcome outcome;

    require(site, sotto_outcome_decode(&outcome, mail->body) == SOTTO_OK, "no outcome");
    require(site, outcome.kind == SOTTO_OUTCOME_FINISHED, outcome.reason);
    pthread_mutex_lock(&site->crowd->lock);
    site->crowd->outcome = outcome.adapter;
    site->crowd->finished++;
    pthread_mutex_unlock(&site->crowd->lock);
}

static void mail_take(struct crowd_site *site, const struct sotto_mail *mail)
{
    memcpy(site->campaign, mail->campaign, sizeof site->campaign);
    site->round = mail->round;
    site->seen = mail->kind;
    switch (mail->kind) {
    case SOTTO_MAIL_NONE: return;
    case SOTTO_MAIL_PLAN: plan_take(site, mail); return;
    case SOTTO_MAIL_COHORT:
        post(site, "shares", step(site, SOTTO_MEMBER_COHORT, mail->body));
        return;
    case SOTTO_MAIL_INBOX: inbox_take(site, mail); return;
    case SOTTO_MAIL_SURVIVORS:
        post(site, "inclusion", step(site, SOTTO_MEMBER_SURVIVORS, mail->body));
        return;
    case SOTTO_MAIL_INCLUSIONS:
        post(site, "reveal", step(site, SOTTO_MEMBER_INCLUSIONS, mail->body));
        return;
    case SOTTO_MAIL_OUTCOME: outcome_take(site, mail); return;
    }
}

static void poll(struct crowd_site *site, int wait_ms)
{
    char path[160];
    struct sotto_exchange exchange = {
        .method = "GET", .path = path, .answer_max = SOTTO_MAIL_BYTES_MAX};
    struct sotto_mail mail;

    snprintf(path, sizeof path, "/v1/mail?campaign=%s&round=%" PRIu32 "&seen=%d&wait_ms=%d",
             site->campaign, site->round, (int)site->seen, wait_ms);
    ask(site, &exchange);
    require(site, exchange.status == 200 || exchange.status == 204, "its poll was refused");
    if (exchange.status == 200) {
        require(site,
                sotto_mail_decode(&mail, sotto_view_of(exchange.answer, exchange.answer_length)) ==
                    SOTTO_OK,
                "its mail does not parse");
        mail_take(site, &mail);
    }
    free(exchange.answer);
}

void *crowd_site_run(void *argument)
{
    struct crowd_site *site = argument;

    sem_wait(&site->crowd->door);
    poll(site, 0);
    sem_post(&site->crowd->door);
    atomic_fetch_add(&site->crowd->connected, 1);
    while (site->seen != SOTTO_MAIL_OUTCOME)
        poll(site, WAIT_MS);
    return NULL;
}

void crowd_site_open(struct crowd_site *site, struct crowd *crowd, uint32_t id)
{
    char name[32];

    snprintf(name, sizeof name, "ward-%" PRIu32, id);
    site->crowd = crowd;
    site->id = id;
    /* As tests/coordinator/serving.h makes them. */
    snprintf((char *)site->identity.bytes, sizeof site->identity.bytes, "%s", name);
    memcpy(site->seed.bytes, site->identity.bytes, sizeof site->seed.bytes);
    site->seed.bytes[31] = 1;
    site->client = serving_enrol(crowd->serving, name);
}

void crowd_site_close(struct crowd_site *site)
{
    if (site->member != NULL)
        protocol->member_wipe(site->member);
    sotto_arena_close(&site->arena);
    sotto_client_close(site->client);
}
