/*
 * What a large cohort costs before anybody trains: at the coordinator the roster, parameters, ctx1
 * and everybody's neighbours, at a participant its own neighbours. Processor time of this thread,
 * medians. The signatures of adverts are counted apart: one for each participant at the
 * coordinator, one for each neighbour at a participant.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/entropy.h"
#include "core/wire/roster.h"
#include "crypto/primitives/hash.h"
#include "crypto/secagg/secaggplus/context.h"
#include "crypto/secagg/secaggplus/graph/table.h"
#include "crypto/secagg/secaggplus/graph/traffic.h"

enum { REPEATS = 5, COHORT_MAX = SOTTO_COHORT_MAX };

/* Seconds of each step. */
struct times {
    double decode;
    double parameters;
    double context;
    double ring;
    double table;
    double own;
};

struct cohort {
    uint32_t count;
    struct sotto_parameters parameters;
    struct sotto_roster_message *roster;
    uint8_t *roster_bytes;
    size_t roster_length;
    struct sotto_digest *leaves;
    uint8_t *ids;
    struct sotto_arena arena;
    struct sotto_ring ring;
    struct sotto_table table;
};

static double now_s(void)
{
    struct timespec time;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static struct sotto_parameters_wish wish_of(uint32_t count)
{
    return (struct sotto_parameters_wish){.cohort = count,
                                          .corrupt_fraction = 0.05,
                                          .dropout_fraction = 0.1,
                                          .survivors_min = SOTTO_COHORT_MIN,
                                          .security_bits =
                                              SOTTO_SECURITY_BITS + SOTTO_GRINDING_BITS};
}

/* A tenth as many organisations as sites. */
static void draw_roster(struct cohort *cohort, struct sotto_entropy *entropy)
{
    struct sotto_roster_message *roster = cohort->roster;
    struct sotto_buffer out = sotto_buffer_of(cohort->roster_bytes, SOTTO_ROSTER_BYTES_MAX);

    memset(roster, 0, sizeof *roster);
    roster->epoch = 1;
    roster->count = cohort->count;
    roster->organisation_count = (cohort->count + 9) / 10;
    for (size_t i = 0; i < roster->organisation_count; i++)
        snprintf(roster->organisations[i], sizeof roster->organisations[i],
                 "Hospital of district %04zu", i);
    for (uint32_t i = 0; i < cohort->count; i++) {
        roster->lines[i].id = i + 1;
        roster->lines[i].organisation = i / 10;
        sotto_entropy_fill(entropy, roster->lines[i].identity, sizeof roster->lines[i].identity);
        sotto_entropy_fill(entropy, roster->lines[i].certificate.bytes, SOTTO_DIGEST_BYTES);
        sotto_entropy_fill(entropy, cohort->leaves[i].bytes, SOTTO_DIGEST_BYTES);
        sotto_store_u32(cohort->ids + 4 * (size_t)i, i + 1);
    }
    demand(sotto_roster_encode(&out, roster) == SOTTO_OK);
    cohort->roster_length = out.length;
}

static void cohort_open(struct cohort *cohort, uint32_t count)
{
    const struct sotto_parameters_wish wish = wish_of(count);
    struct sotto_entropy entropy;
    size_t cells;

    cohort->count = count;
    demand(sotto_parameters_solve(&cohort->parameters, &wish) == SOTTO_OK);
    cells = (size_t)count * cohort->parameters.neighbours;
    cohort->roster = malloc(sizeof *cohort->roster);
    cohort->roster_bytes = malloc(SOTTO_ROSTER_BYTES_MAX);
    cohort->leaves = malloc(count * sizeof *cohort->leaves);
    cohort->ids = malloc(4 * (size_t)count);
    demand(cohort->roster != NULL && cohort->roster_bytes != NULL && cohort->leaves != NULL &&
           cohort->ids != NULL);
    demand(sotto_arena_open(&cohort->arena, 64 * (size_t)count + 4 * cells + 4096) == SOTTO_OK);
    demand(sotto_ring_init(&cohort->ring, &cohort->arena, count) == SOTTO_OK);
    demand(sotto_table_init(&cohort->table, &cohort->arena, cells) == SOTTO_OK);
    sotto_entropy_init_seeded(&entropy, count);
    draw_roster(cohort, &entropy);
}

static void cohort_close(struct cohort *cohort)
{
    sotto_arena_close(&cohort->arena);
    free(cohort->ids);
    free(cohort->leaves);
    free(cohort->roster_bytes);
    free(cohort->roster);
}

/* One step after another, as the coordinator goes through them; the last one is a participant's. */
static void measure(struct times *times, struct cohort *cohort)
{
    const struct sotto_parameters_wish wish = wish_of(cohort->count);
    const struct sotto_digest plan = {.bytes = {1}};
    struct sotto_view ids = sotto_view_of(cohort->ids, 4 * (size_t)cohort->count);
    uint32_t neighbours = cohort->parameters.neighbours;
    uint32_t own[SOTTO_NEIGHBOURS_MAX];
    struct sotto_digest context;
    double at[7];

    at[0] = now_s();
    demand(sotto_roster_decode(cohort->roster, sotto_view_of(cohort->roster_bytes,
                                                             cohort->roster_length)) == SOTTO_OK);
    at[1] = now_s();
    demand(sotto_parameters_solve(&cohort->parameters, &wish) == SOTTO_OK);
    at[2] = now_s();
    sotto_context_of_ids(&context, &plan, cohort->leaves, cohort->count, ids);
    at[3] = now_s();
    sotto_ring_place(&cohort->ring, &context, cohort->leaves, cohort->count);
    at[4] = now_s();
    demand(sotto_table_fill(&cohort->table, &cohort->ring, neighbours) == SOTTO_OK);
    at[5] = now_s();
    demand(sotto_parameters_solve(&cohort->parameters, &wish) == SOTTO_OK);
    sotto_ring_place(&cohort->ring, &context, cohort->leaves, cohort->count);
    sotto_ring_neighbours(own, &cohort->ring, sotto_ring_find(&cohort->ring, 7), neighbours);
    at[6] = now_s();
    *times = (struct times){.decode = at[1] - at[0],
                            .parameters = at[2] - at[1],
                            .context = at[3] - at[2],
                            .ring = at[4] - at[3],
                            .table = at[5] - at[4],
                            .own = at[6] - at[5]};
}

static double total(const struct times *times)
{
    return times->decode + times->parameters + times->context + times->ring + times->table;
}

static int compare_times(const void *left, const void *right)
{
    double a = total(left);
    double b = total(right);

    return (a > b) - (a < b);
}

static void report(uint32_t count)
{
    struct cohort cohort = {0};
    struct times times[REPEATS];
    struct sotto_message_traffic traffic;
    const struct times *t = &times[REPEATS / 2];

    cohort_open(&cohort, count);
    for (int i = 0; i < REPEATS; i++)
        measure(&times[i], &cohort);
    qsort(times, REPEATS, sizeof *times, compare_times);
    sotto_message_traffic_of(&traffic, &cohort.parameters);
    printf("%6u %4u %4u %8.2f %8.2f %8.2f %8.2f %8.2f %8.2f %8.2f %9.1f %9.1f\n", count,
           cohort.parameters.neighbours, cohort.parameters.threshold, 1e3 * t->decode,
           1e3 * t->parameters, 1e3 * t->context, 1e3 * t->ring, 1e3 * t->table, 1e3 * total(t),
           1e3 * t->own, 1e-3 * (double)traffic.up, 1e-3 * (double)traffic.down);
    cohort_close(&cohort);
}

int main(void)
{
    static const uint32_t counts[] = {129, 500, 1024, 5000, COHORT_MAX};

    printf("milliseconds of processor time; kB of protocol messages of one participant\n");
    printf("%6s %4s %4s %8s %8s %8s %8s %8s %8s %8s %9s %9s\n", "n", "k", "t", "roster", "k, t",
           "ctx1", "ring", "table", "hub", "site", "kB up", "kB down");
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        report(counts[i]);
    return 0;
}
