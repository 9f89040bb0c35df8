/*
 * What one seed has in store: how many sites, which rules, which faults and how often, and whether
 * the coordinator lies. All of it follows from the seed.
 */
#ifndef TESTS_CHAOS_WEATHER_H
#define TESTS_CHAOS_WEATHER_H

#include "core/base/entropy.h"
#include "tests/chaos/ground.h"

/* Of 1000 occasions each. */
struct weather_rates {
    unsigned request_lost;
    unsigned reply_lost; /* the hub has acted on the request */
    unsigned request_twice;
    unsigned mail_twice; /* a site's courier hands the same mail to the sealer again */
    unsigned slow;       /* a message takes up to a stage's length */
    unsigned site_crash; /* between any two effects */
    unsigned hub_crash;
    unsigned commit_later; /* the hub shares a commit between requests */
    unsigned trainer_lost;
    unsigned adapter_unkept;
    unsigned broken;  /* a job of the hub fails for good */
    unsigned revoked; /* an administrator takes a site out of the round */
};

struct weather {
    uint64_t seed;
    bool is_lying;
    uint32_t sites;
    uint32_t cohort_min;
    uint32_t cohort_max;
    uint32_t survivors_min;
    uint32_t rounds; /* of the campaign, if they finish */
    unsigned ring_bits;
    unsigned value_bits;
    uint32_t weight_max;
    bool is_rotated;
    bool has_feedback;
    enum sotto_method method;
    double noise_multiplier; /* 0: no noise, and no budget */
    unsigned budget_rounds;  /* what a site's budget is enough for */
    bool is_strict;          /* sites compare sums of a campaign whatever adapter they start from */
    uint64_t latency_ms;     /* at most, of a message that is not slow */
    uint64_t training_ms;
    uint64_t downtime_ms;
    uint64_t clock_ms; /* the hub's may be up to so much ahead, in each life anew */
    uint64_t stage_ms; /* deadline of every stage */
    uint64_t storm_ms; /* then the faults cease */
    struct weather_rates rates;
};

void weather_draw(struct weather *weather, uint64_t seed);

/* The campaign of these rules, starting from `adapter`. */
void weather_definition(struct sotto_definition *definition, const struct weather *weather,
                        const struct ground *ground, const char *name,
                        const struct sotto_digest *adapter);

#endif
