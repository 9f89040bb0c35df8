#include "tests/chaos/weather.h"

#include <stdio.h>

static uint32_t between(struct sotto_entropy *chance, uint32_t low, uint32_t high)
{
    return low + (uint32_t)sotto_entropy_below(chance, high - low + 1);
}

/* Never in one seed of three, else about `often` of 1000, within a factor of four. */
static unsigned rate(struct sotto_entropy *chance, unsigned often)
{
    if (sotto_entropy_below(chance, 3) == 0)
        return 0;
    return 1 + (unsigned)sotto_entropy_below(chance, 2u * often);
}

static void rates_draw(struct weather_rates *rates, struct sotto_entropy *chance)
{
    *rates = (struct weather_rates){.request_lost = rate(chance, 60),
                                    .reply_lost = rate(chance, 60),
                                    .request_twice = rate(chance, 60),
                                    .mail_twice = rate(chance, 10),
                                    .slow = rate(chance, 20),
                                    .site_crash = rate(chance, 4),
                                    .hub_crash = rate(chance, 10),
                                    .commit_later = rate(chance, 300),
                                    .trainer_lost = rate(chance, 20),
                                    .adapter_unkept = rate(chance, 50),
                                    .broken = rate(chance, 4),
                                    .revoked = rate(chance, 2)};
}

/*
 * Small cohorts mostly: they are quick, and every threshold is near. Below five nobody may drop out
 * after sharing, so that there is little to lie about.
 */
static uint32_t sites_draw(struct sotto_entropy *chance, bool is_lying)
{
    static const uint32_t sizes[] = {3, 4, 4, 4, 5, 5, 5, 6, 6, 8};
    static const uint32_t lying_sizes[] = {3, 4, 5, 5, 5, 6, 6, 6, 8, 8};
    size_t at = sotto_entropy_below(chance, sizeof sizes / sizeof *sizes);

    return is_lying ? lying_sizes[at] : sizes[at];
}

/* A liar has most to gain where sites ask for more than the thresholds do. */
static void bounds_draw(struct weather *weather, struct sotto_entropy *chance)
{
    bool is_strict = weather->is_lying && sotto_entropy_below(chance, 2) == 0;

    weather->cohort_min = between(chance, CHAOS_SITES_MIN, weather->sites);
    weather->cohort_max = between(chance, weather->cohort_min, weather->sites);
    weather->survivors_min = between(chance, CHAOS_SITES_MIN, weather->cohort_min);
    if (is_strict)
        weather->survivors_min = weather->cohort_min = weather->cohort_max = weather->sites;
}

static void ring_draw(struct weather *weather, struct sotto_entropy *chance)
{
    bool is_narrow = sotto_entropy_below(chance, 2) == 0;

    weather->ring_bits = is_narrow ? between(chance, 13, 16) : between(chance, 28, 32);
    weather->value_bits = is_narrow ? 8 : 16;
    weather->weight_max = is_narrow ? 4 : 256;
}

/* Half of all seeds have noise, and a third of those a budget that may not last. */
static void noise_draw(struct weather *weather, struct sotto_entropy *chance)
{
    weather->is_rotated = sotto_entropy_below(chance, 2) == 0;
    weather->has_feedback = sotto_entropy_below(chance, 2) == 0;
    if (sotto_entropy_below(chance, 2) == 0)
        return;
    weather->noise_multiplier = between(chance, 5, 40) / 10.0;
    weather->budget_rounds = sotto_entropy_below(chance, 3) > 0 ? 100 : between(chance, 1, 5);
    weather->weight_max = 1;
    weather->value_bits = 16;
    weather->ring_bits = between(chance, 28, 32);
}

void weather_draw(struct weather *weather, uint64_t seed)
{
    struct sotto_entropy chance;

    sotto_entropy_init_seeded(&chance, seed);
    *weather = (struct weather){.seed = seed};
    weather->is_lying = sotto_entropy_below(&chance, 4) == 0;
    weather->sites = sites_draw(&chance, weather->is_lying);
    bounds_draw(weather, &chance);
    weather->rounds = between(&chance, 1, 3);
    ring_draw(weather, &chance);
    noise_draw(weather, &chance);
    weather->is_strict = sotto_entropy_below(&chance, 4) == 0;
    weather->latency_ms = between(&chance, 1, 400);
    weather->training_ms = between(&chance, 1, 4000);
    weather->downtime_ms = between(&chance, 1, 30000);
    weather->clock_ms = sotto_entropy_below(&chance, 3) == 0 ? between(&chance, 1, 60000) : 0;
    weather->stage_ms = between(&chance, 10000, 40000);
    weather->storm_ms = between(&chance, 20000, 300000);
    rates_draw(&weather->rates, &chance);
    weather->method = (enum sotto_method)sotto_entropy_below(&chance, SOTTO_METHOD_COUNT);
    if (weather->method == SOTTO_METHOD_FFA_SVD && weather->has_feedback)
        weather->method = SOTTO_METHOD_FFA;
}

void weather_definition(struct sotto_definition *definition, const struct weather *weather,
                        const struct ground *ground, const char *name,
                        const struct sotto_digest *adapter)
{
    double stage_s = (double)weather->stage_ms / 1000;

    sotto_definition_init(definition);
    snprintf(definition->name, sizeof definition->name, "%s", name);
    snprintf(definition->base_name, sizeof definition->base_name, "base");
    definition->base_model = ground->base_model;
    definition->layout = ground->layout;
    definition->adapter = *adapter;
    definition->lane_count = CHAOS_VALUES;
    definition->lanes_a = ground->lanes_a;
    definition->lanes_b = ground->lanes_b;
    definition->method = weather->method;
    definition->rounds = weather->rounds;
    definition->cohort_min = weather->cohort_min;
    definition->cohort_max = weather->cohort_max;
    definition->survivors_min = weather->survivors_min;
    definition->ring_bits = weather->ring_bits;
    definition->value_bits = weather->value_bits;
    definition->weight_max = weather->weight_max;
    definition->rotate = weather->is_rotated;
    definition->feedback = weather->has_feedback;
    definition->noise_multiplier = weather->noise_multiplier;
    definition->gathering_s = stage_s;
    definition->sharing_s = stage_s;
    definition->uploading_s = stage_s;
    definition->including_s = stage_s;
    definition->revealing_s = stage_s;
}
