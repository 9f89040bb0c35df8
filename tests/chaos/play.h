/*
 * One seed: sites around a coordinator on a virtual network. First a storm in which everything may
 * fail, then a calm in which every round must end and a fresh one must finish.
 *
 * Everything that happens later is a parcel on the timeline: a request on its way, the reply, the
 * end of a training, a timer.
 */
#ifndef TESTS_CHAOS_PLAY_H
#define TESTS_CHAOS_PLAY_H

#include "simulations/timeline.h"
#include "tests/chaos/hub.h"
#include "tests/chaos/liar.h"
#include "tests/chaos/sabotage.h"
#include "tests/chaos/site.h"
#include "tests/chaos/tally.h"
#include "tests/chaos/watch.h"
#include "tests/chaos/weather.h"

struct play {
    const struct ground *ground;
    enum sabotage sabotage;
    struct weather weather;
    struct sotto_entropy chance;
    struct sotto_timeline timeline;
    uint64_t now_ms;
    uint64_t steps;
    uint32_t attempts; /* of requests, each known by its number */
    bool is_calm;
    struct watch watch;
    struct tally tally;
    struct hub hub;
    struct liar liar;                   /* in its place in the storm, if the weather is so */
    struct site sites[CHAOS_SITES_MAX]; /* [weather.sites] */
};

/* Plays the seed to its end; play->watch and play->tally then say what was found. */
void play_run(struct play *play, const struct ground *ground, uint64_t seed,
              enum sabotage sabotage);
void play_close(struct play *play);

/* The parcel arrives `delay_ms` from now. */
void play_later(struct play *play, const struct parcel *parcel, struct sotto_view body,
                uint64_t delay_ms);

/* Does something of `rate` in 1000 happen now? Never in the calm. */
bool play_chance(struct play *play, unsigned rate);
/* 0 .. bound - 1; bound >= 1 */
uint64_t play_below(struct play *play, uint64_t bound);

/* Over the network, which may lose, repeat and delay it. */
void play_ask(struct play *play, const struct parcel *request, struct sotto_view body);
void play_reply(struct play *play, const struct parcel *reply, struct sotto_view body);

#endif
