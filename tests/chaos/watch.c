#include "tests/chaos/watch.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/primitives/hash.h"

const char *violation_name(enum violation violation)
{
    switch (violation) {
    case VIOLATION_WRONG_SUM: return "wrong-sum";
    case VIOLATION_SMALL_SUM: return "small-sum";
    case VIOLATION_CLOSE_SUMS: return "close-sums";
    case VIOLATION_SECOND_ADVERT: return "second-advert";
    case VIOLATION_SECOND_VECTOR: return "second-vector";
    case VIOLATION_SECOND_SET: return "second-set";
    case VIOLATION_SECOND_REVEAL: return "second-reveal";
    case VIOLATION_ANSWER_AGAIN: return "answer-again";
    case VIOLATION_BOTH_KINDS: return "both-kinds";
    case VIOLATION_UNRECORDED: return "unrecorded";
    case VIOLATION_UNCHARGED: return "uncharged";
    case VIOLATION_OVERSPENT: return "overspent";
    case VIOLATION_HUB_SETS: return "hub-sets";
    case VIOLATION_LOST: return "lost";
    case VIOLATION_UNTOLD: return "untold";
    case VIOLATION_STUCK: return "stuck";
    case VIOLATION_COUNT: break;
    }
    return "none";
}

void watch_open(struct watch *watch, const struct weather *weather)
{
    *watch = (struct watch){.floor = weather->survivors_min,
                            .noise_multiplier = weather->noise_multiplier,
                            .budget = weather->budget_rounds};
}

void watch_close(struct watch *watch)
{
    free(watch->contexts);
    watch->contexts = NULL;
}

void watch_tell(struct watch *watch, enum violation violation, const char *format, ...)
{
    int length = 0;
    va_list arguments;

    watch->violations[violation]++;
    if (watch->first[0] != '\0')
        return;
    length = snprintf(watch->first, sizeof watch->first, "%s: ", violation_name(violation));
    va_start(arguments, format);
    vsnprintf(watch->first + length, sizeof watch->first - (size_t)length, format, arguments);
    va_end(arguments);
}

static struct watch_context *context_of(struct watch *watch, const struct watch_deed *deed)
{
    struct watch_context *contexts = watch->contexts;

    for (size_t i = 0; i < watch->context_count; i++)
        if (sotto_digest_equal(&contexts[i].context, deed->context))
            return &contexts[i];
    contexts = realloc(contexts, (watch->context_count + 1) * sizeof *contexts);
    assert(contexts != NULL);
    watch->contexts = contexts;
    contexts += watch->context_count++;
    *contexts = (struct watch_context){
        .context = *deed->context, .round = deed->plan->round, .start = deed->plan->adapter};
    memcpy(contexts->campaign, deed->plan->campaign, sizeof contexts->campaign);
    return contexts;
}

static struct watch_site *site_of(struct watch *watch, const struct watch_deed *deed)
{
    return &context_of(watch, deed)->sites[deed->place];
}

static uint32_t members(uint32_t set)
{
    return (uint32_t)__builtin_popcount(set);
}

/* Not the shipping one: docs/protocol.md, Parameters, for cohorts with one colluder. */
static uint32_t threshold_of(uint32_t cohort)
{
    uint32_t neighbours = cohort - 1;

    return (neighbours + 1) / 2 + 1;
}

void watch_record(struct watch *watch, const struct watch_deed *deed,
                  const struct sotto_record *newest, const struct sotto_record *expected)
{
    double noise = deed->plan->noise_multiplier;
    double charge = noise > 0 ? 1 / (2 * noise * noise) : 0;
    bool is_there = newest != NULL && newest->kind == expected->kind &&
                    newest->round == deed->plan->round &&
                    strcmp(newest->campaign, deed->plan->campaign) == 0 &&
                    sotto_digest_equal(&newest->digest, &expected->digest);

    if (!is_there)
        watch_tell(watch, VIOLATION_UNRECORDED,
                   "site %u sends before its record \"%s\" of round %u is on the disk",
                   deed->place + 1, sotto_record_name(expected->kind), deed->plan->round);
    if (expected->kind != SOTTO_RECORD_UPLOADED)
        return;
    if (is_there && newest->charge >= charge)
        site_of(watch, deed)->is_charged = true;
    else
        watch_tell(watch, VIOLATION_UNCHARGED, "site %u uploads in round %u and charges too little",
                   deed->place + 1, deed->plan->round);
}

void watch_advert(struct watch *watch, const struct watch_deed *deed)
{
    context_of(watch, deed);
    for (size_t i = 0; i < watch->context_count; i++) {
        const struct watch_context *other = &watch->contexts[i];

        if (other->sites[deed->place].has_advert && other->round == deed->plan->round &&
            strcmp(other->campaign, deed->plan->campaign) == 0)
            watch_tell(watch, VIOLATION_SECOND_ADVERT, "site %u advertises twice for round %u",
                       deed->place + 1, deed->plan->round);
    }
    site_of(watch, deed)->has_advert = true;
    site_of(watch, deed)->life = deed->life;
}

void watch_refusal(struct watch *watch, uint32_t place, const struct sotto_digest *context)
{
    for (size_t i = 0; i < watch->context_count; i++)
        if (sotto_digest_equal(&watch->contexts[i].context, context))
            watch->contexts[i].sites[place].has_left = watch->contexts[i].sites[place].has_advert;
}

/* Its secrets are gone with a refusal and with its life. */
static void answer_check(struct watch *watch, const struct watch_deed *deed)
{
    const struct watch_site *site = site_of(watch, deed);

    if (!site->has_advert || site->has_left || site->life != deed->life)
        watch_tell(watch, VIOLATION_ANSWER_AGAIN, "site %u still answers in round %u",
                   deed->place + 1, deed->plan->round);
}

void watch_cohort(struct watch *watch, const struct watch_deed *deed, uint32_t cohort)
{
    answer_check(watch, deed);
    site_of(watch, deed)->cohort = cohort;
}

void watch_sharers(struct watch *watch, const struct watch_deed *deed, uint32_t sharers)
{
    site_of(watch, deed)->sharers = sharers;
}

void watch_plain(struct watch *watch, const struct watch_deed *deed,
                 const uint32_t plain[CHAOS_LANES])
{
    struct watch_site *site = site_of(watch, deed);

    site->has_plain = true;
    memcpy(site->plain, plain, sizeof site->plain);
}

/* A little more than the budget is rounding. */
static void spend(struct watch *watch, const struct watch_deed *deed)
{
    double part = watch->noise_multiplier / deed->plan->noise_multiplier;

    if (watch->noise_multiplier == 0)
        return;
    watch->spent[deed->place] += part * part;
    if (!(watch->spent[deed->place] <= watch->budget * (1 + 1e-9)))
        watch_tell(watch, VIOLATION_OVERSPENT, "site %u has spent %g of %g", deed->place + 1,
                   watch->spent[deed->place], watch->budget);
}

void watch_vector(struct watch *watch, const struct watch_deed *deed,
                  const struct sotto_digest *vector)
{
    struct watch_site *site = site_of(watch, deed);

    answer_check(watch, deed);
    if (site->has_vector && !sotto_digest_equal(&site->vector, vector))
        watch_tell(watch, VIOLATION_SECOND_VECTOR, "site %u uploads two vectors in round %u",
                   deed->place + 1, deed->plan->round);
    if (!site->has_vector || !sotto_digest_equal(&site->vector, vector))
        spend(watch, deed);
    site->has_vector = true;
    site->vector = *vector;
}

void watch_set(struct watch *watch, const struct watch_deed *deed, uint32_t set)
{
    struct watch_site *site = site_of(watch, deed);

    answer_check(watch, deed);
    if (site->set != 0 && site->set != set)
        watch_tell(watch, VIOLATION_SECOND_SET, "site %u signs the sets %x and %x in round %u",
                   deed->place + 1, site->set, set, deed->plan->round);
    site->set = set;
}

/* What the shares that were told give away, with those of the sites that the liar owns. */
struct opened {
    const struct watch_context *context;
    uint32_t corrupt;
    uint32_t vectors;   /* honest sites whose vectors were let out */
    uint32_t self_keys; /* owners whose self masks can be reconstructed */
    uint32_t mask_keys; /* and whose mask keys */
};

static void opened_of(struct opened *opened, const struct watch *watch,
                      const struct watch_context *context)
{
    *opened = (struct opened){.context = context, .corrupt = watch->corrupt};
    for (uint32_t place = 0; place < CHAOS_SITES_MAX; place++) {
        const struct watch_site *site = &context->sites[place];
        uint32_t colluders = watch->corrupt & site->cohort;
        uint32_t needed = site->cohort == 0 ? UINT32_MAX : threshold_of(members(site->cohort));

        if ((watch->corrupt >> place & 1) != 0)
            continue;
        opened->vectors |= (uint32_t)site->has_vector << place;
        opened->self_keys |= (uint32_t)(members(site->self_holders | colluders) >= needed) << place;
        opened->mask_keys |= (uint32_t)(members(site->mask_holders | colluders) >= needed) << place;
    }
}

/* Those whose pairwise masks stay on this site's vector as long as its own key is unknown. */
static uint32_t tied_to(const struct opened *opened, uint32_t place)
{
    if ((opened->mask_keys >> place & 1) != 0)
        return 0;
    return opened->context->sites[place].sharers &
           ~(opened->mask_keys | opened->corrupt | 1u << place);
}

/* All that have to be added to this site's vector so that its masks cancel. */
static uint32_t knot_of(const struct opened *opened, uint32_t place)
{
    uint32_t knot = 1u << place, before = 0;

    while (knot != before) {
        before = knot;
        for (uint32_t other = 0; other < CHAOS_SITES_MAX; other++)
            if ((before >> other & 1) != 0)
                knot |= tied_to(opened, other);
    }
    return knot;
}

/* Looks for the smallest sum that the hub could compute. */
static void sums_check(struct watch *watch, const struct opened *opened)
{
    uint32_t readable = opened->vectors & opened->self_keys;

    for (uint32_t place = 0; place < CHAOS_SITES_MAX; place++) {
        uint32_t knot = knot_of(opened, place);
        uint32_t colluders = opened->context->sites[place].cohort & opened->corrupt;

        if ((readable >> place & 1) != 0 && (knot & ~readable) == 0 &&
            members(knot | colluders) < watch->floor)
            watch_tell(watch, VIOLATION_SMALL_SUM, "a sum over %x can be read in round %u", knot,
                       opened->context->round);
    }
}

static void close_sums_check(struct watch *watch, const struct watch_deed *deed)
{
    const struct watch_context *now = context_of(watch, deed);
    uint32_t set = now->sites[deed->place].set;

    for (size_t i = 0; i < watch->context_count; i++) {
        const struct watch_context *other = &watch->contexts[i];
        const struct watch_site *then = &other->sites[deed->place];
        uint32_t apart = members(then->set ^ set);

        if (other != now && then->has_reveal && sotto_digest_equal(&other->start, &now->start) &&
            apart >= 1 && apart < watch->floor)
            watch_tell(watch, VIOLATION_CLOSE_SUMS, "site %u opens sums over %x and %x",
                       deed->place + 1, then->set, set);
    }
}

void watch_reveal(struct watch *watch, const struct watch_deed *deed, uint32_t owners, uint32_t set)
{
    struct watch_context *context = context_of(watch, deed);
    struct watch_site *holder = &context->sites[deed->place];
    struct opened opened;

    answer_check(watch, deed);
    if (holder->has_reveal)
        watch_tell(watch, VIOLATION_SECOND_REVEAL, "site %u reveals twice in round %u",
                   deed->place + 1, deed->plan->round);
    if (!holder->is_charged)
        watch_tell(watch, VIOLATION_UNCHARGED, "site %u reveals in round %u and charged nothing",
                   deed->place + 1, deed->plan->round);
    holder->set = set;
    close_sums_check(watch, deed);
    holder->has_reveal = true;
    for (uint32_t owner = 0; owner < CHAOS_SITES_MAX; owner++) {
        uint32_t told = (owners >> owner & 1) << deed->place;

        if ((set >> owner & 1) != 0)
            context->sites[owner].self_holders |= told;
        else
            context->sites[owner].mask_holders |= told;
    }
    opened_of(&opened, watch, context);
    if ((opened.self_keys & opened.mask_keys) != 0)
        watch_tell(watch, VIOLATION_BOTH_KINDS, "both secrets of the sites %x in round %u",
                   opened.self_keys & opened.mask_keys, deed->plan->round);
    sums_check(watch, &opened);
}

void watch_hub_set(struct watch *watch, const struct watch_deed *deed, struct sotto_view message)
{
    struct watch_context *context = context_of(watch, deed);
    struct sotto_digest digest;

    sotto_hash(&digest, &message, 1);
    if (context->has_hub_set && !sotto_digest_equal(&digest, &context->hub_set))
        watch_tell(watch, VIOLATION_HUB_SETS, "the hub signs two survivor sets in round %u",
                   deed->plan->round);
    context->has_hub_set = true;
    context->hub_set = digest;
}

void watch_sum(struct watch *watch, const struct watch_deed *deed, uint32_t survivors,
               const uint32_t sum[CHAOS_LANES])
{
    struct watch_context *context = context_of(watch, deed);
    uint32_t ring = deed->plan->ring_bits == 32 ? UINT32_MAX : (1u << deed->plan->ring_bits) - 1;
    uint32_t differing = 0;

    for (size_t lane = 0; lane < CHAOS_LANES; lane++) {
        uint32_t plain = 0;

        for (uint32_t place = 0; place < CHAOS_SITES_MAX; place++)
            if ((survivors >> place & 1) != 0)
                plain += context->sites[place].plain[lane];
        differing += ((plain ^ sum[lane]) & ring) != 0;
    }
    if (differing != 0)
        watch_tell(watch, VIOLATION_WRONG_SUM, "%u lanes of the sum over %x in round %u", differing,
                   survivors, deed->plan->round);
    if (members(survivors) < watch->floor)
        watch_tell(watch, VIOLATION_SMALL_SUM, "the sum of round %u is over %x", deed->plan->round,
                   survivors);
}
