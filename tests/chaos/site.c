#include "tests/chaos/site.h"

#include <assert.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/file.h"
#include "crypto/primitives/hash.h"
#include "crypto/privacy/accountant.h"
#include "participant/sealer/policy.h"
#include "participant/sealer/veil.h"
#include "tests/chaos/deed.h"
#include "tests/chaos/play.h"

/* participant/ledger/ledger.h */
enum { FRAME_HEAD_BYTES = 8, FRAME_BYTES_MAX = SOTTO_RECORD_BYTES_MAX + 64 };

static void site_step(struct play *play, struct site *site, const struct sotto_turn_event *event);

/* Enough for so many rounds of this noise. */
static void budget_open(struct sotto_policy *policy, const struct weather *weather)
{
    double rho = 0;

    if (weather->noise_multiplier == 0)
        return;
    for (unsigned i = 0; i < weather->budget_rounds; i++)
        rho = sotto_accountant_add(rho, sotto_accountant_charge(weather->noise_multiplier));
    policy->epsilon_max = sotto_accountant_epsilon(rho, policy->delta);
}

bool site_can_pay(const struct site *site, double noise_multiplier)
{
    struct sotto_plan plan = {.noise_multiplier = noise_multiplier};

    return sotto_policy_check_budget(&site->policy, &plan, site->turn->history.rho) ==
           SOTTO_REFUSAL_NONE;
}

void site_open(struct play *play, struct site *site)
{
    bool is_lax = play->sabotage == SABOTAGE_LOW_FLOOR || play->sabotage == SABOTAGE_LOW_DISTANCE;

    *site = (struct site){.place = (uint32_t)(site - play->sites), .sabotage = play->sabotage};
    site->file = memfd_create("ledger", MFD_CLOEXEC);
    assert(site->file >= 0);
    fcntl(site->file, F_SETFL, O_APPEND);
    sotto_policy_init(&site->policy);
    site->policy.cohort_min = is_lax ? CHAOS_SITES_MIN : play->weather.cohort_min;
    site->policy.survivors_min = is_lax ? CHAOS_SITES_MIN : play->weather.survivors_min;
    site->policy.refuse_close_cohorts = play->weather.is_strict;
    budget_open(&site->policy, &play->weather);
}

static void memory_close(struct site *site)
{
    if (site->turn == NULL)
        return;
    courier_close(&site->courier);
    sotto_turn_close(site->turn);
    sotto_arena_close(&site->arena);
    sotto_arena_close(&site->rest);
    sabotage_images_free(site);
    site->turn = NULL;
}

void site_close(struct site *site)
{
    memory_close(site);
    close(site->file);
}

static enum sotto_status record_replay(void *context, struct sotto_view record)
{
    struct site *site = context;

    return sabotage_drops(site, record) ? SOTTO_OK : sotto_turn_replay(site->turn, record);
}

static void ledger_read(struct play *play, struct site *site)
{
    const struct sotto_ledger_visitor visitor = {.record = record_replay, .context = site};
    struct sotto_fault fault = {0};

    if (play->sabotage == SABOTAGE_NO_LEDGER && ftruncate(site->file, 0) != 0)
        abort();
    if (sotto_ledger_open(&site->ledger, site->file, &visitor, &fault) != SOTTO_OK)
        watch_tell(&play->watch, VIOLATION_UNTOLD, "site %u: %s", site->place + 1, fault.text);
}

void site_start(struct play *play, struct site *site)
{
    struct sotto_turn_setup setup = {.protocol = &sotto_secaggplus,
                                     .policy = &site->policy,
                                     .id = site->place + 1,
                                     .identity = &play->ground->identities[site->place],
                                     .coordinator = play->ground->coordinator,
                                     .entropy = &site->entropy,
                                     .arena = &site->arena,
                                     .rest = &site->rest};
    struct sotto_turn_event ready = {.kind = SOTTO_TURN_TRAINER_READY,
                                     .base_model = play->ground->base_model};
    enum sotto_status status;

    site->life++;
    site->newest_at = -1;
    site->answers_due = 0;
    site->busy_ms = 0;
    memset(site->wanted, 0, sizeof site->wanted);
    sotto_entropy_fork(&site->entropy, &play->chance);
    status = sotto_arena_open(&site->arena, sotto_turn_bytes(CHAOS_VALUES, CHAOS_LANES));
    if (status == SOTTO_OK)
        status = sotto_arena_open(&site->rest, sotto_turn_rest_bytes(CHAOS_LANES));
    if (status == SOTTO_OK)
        status = sotto_turn_open(&site->turn, &setup);
    assert(status == SOTTO_OK);
    ledger_read(play, site);
    courier_open(play, site);
    site_step(play, site, &ready);
}

void site_crash(struct play *play, struct site *site)
{
    struct parcel up = {.kind = PARCEL_SITE_UP, .place = site->place};

    play->tally.site_crashes[site->turn->phase]++;
    if (play->sabotage == SABOTAGE_NO_SYNC && site->newest_at >= 0 &&
        ftruncate(site->file, site->newest_at) != 0)
        abort();
    memory_close(site);
    play_later(play, &up, (struct sotto_view){0}, 1 + play_below(play, play->weather.downtime_ms));
}

/* Between two effects. */
static bool strikes(struct play *play, struct site *site)
{
    if (!play_chance(play, play->weather.rates.site_crash))
        return false;
    site_crash(play, site);
    return true;
}

/*
 * Power fails while a frame is written: part of it is there, and then nothing, or zeros, or zeros
 * alone, or noise that came instead of its end.
 */
static void frame_tear(struct play *play, struct site *site)
{
    size_t length = (size_t)(lseek(site->file, 0, SEEK_END) - site->newest_at);
    size_t kept = play_below(play, length);
    uint8_t tail[FRAME_BYTES_MAX] = {0};
    uint64_t kind = play_below(play, 4);

    assert(length <= sizeof tail);
    play->tally.torn_records++;
    if (kind == 0)
        length = kept;
    if (kind == 1)
        kept = 0;
    if (kind == 2 && kept >= FRAME_HEAD_BYTES)
        sotto_entropy_fill(&play->chance, tail, length - kept);
    if (ftruncate(site->file, site->newest_at + (off_t)kept) != 0 ||
        sotto_descriptor_write(site->file, sotto_view_of(tail, length - kept)) != SOTTO_OK)
        abort();
    site->newest_at = -1;
    site_crash(play, site);
}

/* false: it died. */
static bool record_store(struct play *play, struct site *site, struct sotto_view record)
{
    uint8_t bytes[SOTTO_RECORD_BYTES_MAX];

    if (record.length == 0)
        return true;
    site->newest_at = lseek(site->file, 0, SEEK_END);
    if (sotto_ledger_append(&site->ledger, sabotage_cheapen(site, record, bytes)) != SOTTO_OK)
        abort();
    if (!play_chance(play, play->weather.rates.site_crash))
        return true;
    frame_tear(play, site);
    return false;
}

static enum errand_kind errand_of(enum sotto_mail_kind answers)
{
    switch (answers) {
    case SOTTO_MAIL_PLAN: return ERRAND_ADVERT;
    case SOTTO_MAIL_COHORT: return ERRAND_SHARES;
    case SOTTO_MAIL_SURVIVORS: return ERRAND_INCLUSION;
    case SOTTO_MAIL_INCLUSIONS: return ERRAND_REVEAL;
    case SOTTO_MAIL_NONE:
    case SOTTO_MAIL_INBOX:
    case SOTTO_MAIL_OUTCOME: break;
    }
    return ERRAND_LEAVE;
}

static struct parcel errand_make(const struct sotto_turn_effects *effects, enum errand_kind errand)
{
    struct parcel request = {.errand = errand, .round = effects->round};

    memcpy(request.campaign, effects->campaign, sizeof request.campaign);
    request.refusal = (uint32_t)effects->refusal;
    request.digest = effects->digest;
    return request;
}

static void refusal_note(struct play *play, const struct site *site, enum sotto_refusal refusal)
{
    play->tally.refusals[refusal]++;
    watch_refusal(&play->watch, site->place, &site->turn->context);
}

static void answer_send(struct play *play, struct site *site,
                        const struct sotto_turn_effects *effects)
{
    struct parcel request = errand_make(effects, errand_of(effects->answers));

    if (effects->send.length == 0)
        return;
    if (effects->is_refusal_notice)
        refusal_note(play, site, effects->refusal);
    else
        deed_answer(play, site, effects);
    courier_send(play, site, &request, effects->send);
}

static void upload_send(struct play *play, struct site *site,
                        const struct sotto_turn_effects *effects)
{
    struct parcel request = errand_make(effects, ERRAND_UPLOAD);

    if (!effects->is_upload)
        return;
    deed_upload(play, site, effects);
    courier_send(play, site, &request, sotto_view_of(site->packed, site->packed_length));
}

static void fetches_send(struct play *play, struct site *site,
                         const struct sotto_turn_effects *effects)
{
    for (unsigned i = 0; i < effects->fetch_count; i++) {
        struct parcel request = errand_make(effects, ERRAND_FETCH);

        request.item = effects->fetch[i].item;
        request.digest = effects->fetch[i].digest;
        site->wanted[request.item - SOTTO_ITEM_ROSTER] = request.digest;
        courier_send(play, site, &request, (struct sotto_view){0});
    }
}

/* The trainer has them from now on, whatever becomes of the turn's own. */
static void bytes_load(const struct play *play, struct site *site)
{
    struct sotto_view layout = sotto_turn_layout_bytes(site->turn);

    sotto_hash_list(&site->loaded_layout, "sotto/1 layout", &layout, 1);
    ground_adapter_digest(play->ground, &site->loaded_adapter, layout,
                          sotto_turn_adapter_bytes(site->turn));
}

/* The trainer does one thing after the other. */
static void order_send(struct play *play, struct site *site, enum sotto_turn_order order)
{
    static const enum parcel_kind answers[] = {
        [SOTTO_ORDER_LOAD] = PARCEL_LOADED,
        [SOTTO_ORDER_TRAIN] = PARCEL_TRAINED,
        [SOTTO_ORDER_ADOPT] = PARCEL_ADOPTED,
    };
    struct parcel answer = {.place = site->place, .life = site->life};
    uint64_t work_ms = order == SOTTO_ORDER_TRAIN ? play->weather.training_ms : 20;

    if (order == SOTTO_ORDER_NONE)
        return;
    answer.kind = answers[order];
    if (order == SOTTO_ORDER_LOAD)
        bytes_load(play, site);
    site->answers_due += order != SOTTO_ORDER_ADOPT;
    if (site->busy_ms < play->now_ms)
        site->busy_ms = play->now_ms;
    site->busy_ms += 1 + play_below(play, work_ms);
    play_later(play, &answer, (struct sotto_view){0}, site->busy_ms - play->now_ms);
}

/* In the drive's order; false: it died on the way. */
static bool carry_out(struct play *play, struct site *site,
                      const struct sotto_turn_effects *effects)
{
    bool is_eager = play->sabotage == SABOTAGE_SEND_FIRST;

    if (strikes(play, site) || (!is_eager && !record_store(play, site, effects->store)) ||
        strikes(play, site))
        return false;
    answer_send(play, site, effects);
    if (strikes(play, site))
        return false;
    upload_send(play, site, effects);
    if (strikes(play, site) || (is_eager && !record_store(play, site, effects->store)))
        return false;
    fetches_send(play, site, effects);
    if (strikes(play, site))
        return false;
    order_send(play, site, effects->order);
    return !strikes(play, site);
}

/* The job and its result; an update that cannot be hidden gives zeros, and the turn refuses. */
static bool contribute(struct play *play, struct site *site)
{
    struct sotto_buffer packed = sotto_buffer_of(site->packed, sizeof site->packed);
    struct sotto_turn_event masked = {.kind = SOTTO_TURN_MASKED};
    struct sotto_turn_effects effects;
    uint32_t lanes[CHAOS_LANES] = {0}, plain[CHAOS_LANES];

    if (sotto_turn_encode(site->turn, lanes) == SOTTO_OK) {
        memcpy(plain, lanes, sizeof plain);
        deed_plain(play, site, plain);
        if (sotto_turn_hide(site->turn, lanes, &packed, &masked.digest) != SOTTO_OK)
            masked.digest = (struct sotto_digest){0};
        site->packed_length = packed.length;
        sabotage_bare(play, site, plain, &masked.digest);
    }
    if (strikes(play, site))
        return false;
    sotto_turn_step(site->turn, &masked, &effects);
    return carry_out(play, site, &effects) && sabotage_forget_upload(play, site);
}

static void contribute_once(struct play *play, struct site *site)
{
    sabotage_remember_update(play, site);
    if (contribute(play, site))
        contribute(play, site);
}

static void site_step(struct play *play, struct site *site, const struct sotto_turn_event *event)
{
    struct sotto_turn_effects effects;

    sotto_turn_step(site->turn, event, &effects);
    if (carry_out(play, site, &effects) && effects.run_contribute)
        contribute_once(play, site);
}

void site_mail(struct play *play, struct site *site, struct sotto_view bytes)
{
    struct sotto_turn_event event = {.kind = SOTTO_TURN_MAIL, .bytes = bytes};
    struct sotto_turn_effects effects;
    struct sotto_mail mail;

    if (sotto_mail_decode(&mail, bytes) != SOTTO_OK)
        return;
    sabotage_hear(play, site, &mail, &event, &effects);
    deed_heard(play, site, &mail);
    if (!carry_out(play, site, &effects))
        return;
    sabotage_forget_refusal(play, site, &effects);
    /* A job that need not have been run. */
    if (effects.run_expand && play_below(play, 4) > 0 && sotto_veil_expand(site->turn) != SOTTO_OK)
        abort();
    if (effects.run_contribute)
        contribute_once(play, site);
}

void site_fetched(struct play *play, struct site *site, const struct parcel *reply,
                  struct sotto_view item)
{
    struct sotto_turn_event event = {.kind = SOTTO_TURN_NOT_FETCHED, .item = reply->item};

    if (!sotto_digest_equal(&reply->digest, &site->wanted[reply->item - SOTTO_ITEM_ROSTER]))
        return;
    if (reply->is_taken) {
        event.kind = SOTTO_TURN_FETCHED;
        event.bytes = item;
    }
    site_step(play, site, &event);
}

static void loaded(struct play *play, struct site *site)
{
    struct sotto_turn_event event = {
        .kind = SOTTO_TURN_LOADED, .layout = site->loaded_layout, .adapter = site->loaded_adapter};

    site_step(play, site, &event);
}

static void trained(struct play *play, struct site *site)
{
    float values[CHAOS_VALUES];
    struct sotto_turn_event event = {
        .kind = SOTTO_TURN_UPDATE, .values = values, .value_count = CHAOS_VALUES};

    if (sotto_turn_plan(site->turn) != NULL)
        event.value_count = sotto_turn_plan(site->turn)->lane_count - 1;
    for (size_t i = 0; i < CHAOS_VALUES; i++)
        values[i] = (float)(sotto_entropy_unit(&site->entropy) - 0.5);
    if (play_chance(play, play->weather.rates.trainer_lost))
        values[0] = NAN;
    event.weight = 1 + (uint32_t)sotto_entropy_below(&site->entropy, 2 * play->weather.weight_max);
    site_step(play, site, &event);
}

static void trainer_lost(struct play *play, struct site *site)
{
    struct sotto_turn_event lost = {.kind = SOTTO_TURN_TRAINER_LOST};
    struct parcel ready = {.kind = PARCEL_READY, .place = site->place, .life = site->life};

    play_later(play, &ready, (struct sotto_view){0}, 1);
    site_step(play, site, &lost);
}

void site_trainer(struct play *play, struct site *site, const struct parcel *parcel)
{
    struct sotto_turn_event ready = {.kind = SOTTO_TURN_TRAINER_READY,
                                     .base_model = play->ground->base_model};
    struct sotto_turn_event adopted = {.kind = SOTTO_TURN_ADOPTED,
                                       .is_kept =
                                           !play_chance(play, play->weather.rates.adapter_unkept)};

    if (site->turn == NULL || parcel->life != site->life)
        return;
    if (parcel->kind == PARCEL_READY)
        site_step(play, site, &ready);
    else if (parcel->kind == PARCEL_ADOPTED)
        site_step(play, site, &adopted);
    else if (--site->answers_due > 0)
        return;
    else if (play_chance(play, play->weather.rates.trainer_lost))
        trainer_lost(play, site);
    else if (parcel->kind == PARCEL_LOADED)
        loaded(play, site);
    else
        trained(play, site);
}
