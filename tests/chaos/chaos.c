/*
 * chaos: plays seeds of the fault simulation and looks for a broken invariant.
 *
 *     chaos --seed 4711            one seed, told
 *     chaos --seeds 1..200000      many, on --threads N threads (default 1)
 *     chaos --deep yes             and fails, too, if the seeds did not come to every kind of fault
 *     chaos --sabotage no-ledger   something is broken on purpose: succeeds if the watch notices
 *
 * Ends with 0 if all is well, 1 if not, 2 if it was called wrongly. Every failure prints the seed
 * that tells it again.
 */
#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/chaos/play.h"

enum { THREADS_MAX = 64, TOLD_MAX = 20, EXIT_USAGE = 2 };

struct campaign {
    struct ground ground;
    uint64_t first;
    uint64_t last;
    unsigned threads;
    enum sabotage sabotage;
    bool is_deep;
    atomic_uint_fast64_t next;
    pthread_mutex_t lock; /* over all below */
    struct tally tally;
    uint64_t violations[VIOLATION_COUNT];
    uint64_t failed; /* seeds */
};

/* true: what was broken on purpose has been noticed. */
static bool seed_note(struct campaign *campaign, const struct play *play)
{
    bool is_failed = play->watch.first[0] != '\0';
    bool is_noticed;

    pthread_mutex_lock(&campaign->lock);
    tally_add(&campaign->tally, &play->tally);
    for (size_t i = 0; i < VIOLATION_COUNT; i++)
        campaign->violations[i] += play->watch.violations[i];
    if (is_failed && campaign->failed++ < TOLD_MAX)
        printf("seed %" PRIu64 ": %s\n", play->weather.seed, play->watch.first);
    is_noticed = campaign->sabotage != SABOTAGE_NONE &&
                 campaign->violations[sabotage_violation(campaign->sabotage)] > 0;
    pthread_mutex_unlock(&campaign->lock);
    return is_noticed;
}

static void *seeds_play(void *argument)
{
    struct campaign *campaign = argument;
    struct play *play = malloc(sizeof *play);
    bool is_noticed = false;

    if (play == NULL)
        abort();
    while (!is_noticed) {
        uint64_t seed = atomic_fetch_add(&campaign->next, 1);

        if (seed > campaign->last)
            break;
        play_run(play, &campaign->ground, seed, campaign->sabotage);
        is_noticed = seed_note(campaign, play);
        play_close(play);
    }
    free(play);
    return NULL;
}

static void campaign_run(struct campaign *campaign)
{
    pthread_t threads[THREADS_MAX];

    for (unsigned i = 1; i < campaign->threads; i++)
        if (pthread_create(&threads[i], NULL, seeds_play, campaign) != 0)
            abort();
    seeds_play(campaign);
    for (unsigned i = 1; i < campaign->threads; i++)
        pthread_join(threads[i], NULL);
}

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool is_as_it_should_be(const struct campaign *campaign)
{
    if (campaign->sabotage == SABOTAGE_NONE)
        return campaign->failed == 0 && (!campaign->is_deep || tally_is_deep(&campaign->tally)) &&
               campaign->tally.fresh + campaign->tally.spent == campaign->tally.seeds;
    return campaign->violations[sabotage_violation(campaign->sabotage)] > 0;
}

static int campaign_tell(const struct campaign *campaign, double seconds)
{
    bool is_good = is_as_it_should_be(campaign);

    tally_print(&campaign->tally);
    for (size_t i = 0; i < VIOLATION_COUNT; i++)
        if (campaign->violations[i] > 0)
            printf("violated %s %" PRIu64 " times\n", violation_name((enum violation)i),
                   campaign->violations[i]);
    printf("seeds %" PRIu64 "..%" PRIu64 ", sabotage %s: %" PRIu64
           " failed; %.1f s, %.0f seeds/s: %s\n",
           campaign->first, campaign->last, sabotage_name(campaign->sabotage), campaign->failed,
           seconds, (double)campaign->tally.seeds / seconds, is_good ? "ok" : "NOT OK");
    return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static bool number_read(uint64_t *out, const char *text, const char **rest)
{
    char *end;

    *out = strtoull(text, &end, 10);
    *rest = end;
    return end != text && *text != '-';
}

static bool option_read(struct campaign *campaign, const char *option, const char *value)
{
    const char *rest;
    uint64_t number;

    if (strcmp(option, "--seed") == 0 && number_read(&campaign->first, value, &rest)) {
        campaign->last = campaign->first;
        return *rest == '\0';
    }
    if (strcmp(option, "--seeds") == 0 && number_read(&campaign->first, value, &rest))
        return strncmp(rest, "..", 2) == 0 && number_read(&campaign->last, rest + 2, &rest) &&
               *rest == '\0' && campaign->first <= campaign->last;
    if (strcmp(option, "--threads") == 0 && number_read(&number, value, &rest)) {
        campaign->threads = (unsigned)number;
        return *rest == '\0' && number >= 1 && number <= THREADS_MAX;
    }
    if (strcmp(option, "--deep") == 0) {
        campaign->is_deep = true;
        return strcmp(value, "yes") == 0;
    }
    campaign->sabotage = sabotage_find(value);
    return strcmp(option, "--sabotage") == 0 && campaign->sabotage < SABOTAGE_COUNT;
}

int main(int count, char **arguments)
{
    static struct campaign campaign = {.first = 1, .last = 1000, .threads = 1};
    double began;

    for (int i = 1; i < count; i += 2)
        if (i + 1 == count || !option_read(&campaign, arguments[i], arguments[i + 1])) {
            fprintf(stderr, "usage: chaos [--seed S | --seeds FROM..TO] [--threads N] "
                            "[--deep yes] [--sabotage NAME]\n");
            return EXIT_USAGE;
        }
    setvbuf(stdout, NULL, _IOLBF, 0);
    /* Memory of sites comes and goes all the time: keep it, instead of giving it back. */
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 1 << 28);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    pthread_mutex_init(&campaign.lock, NULL);
    ground_open(&campaign.ground);
    campaign.next = campaign.first;
    began = seconds_now();
    campaign_run(&campaign);
    return campaign_tell(&campaign, seconds_now() - began);
}
