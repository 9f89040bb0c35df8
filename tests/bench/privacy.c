/*
 * What it costs a site to make its update private, and the coordinator to undo the rotation:
 * nanoseconds a lane in processor time of this thread, the median of five.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "crypto/privacy/gaussian.h"
#include "crypto/privacy/mechanism.h"
#include "crypto/privacy/rounding.h"
#include "crypto/ring/rotate.h"

enum { REPEATS = 5, VALUES = 1000000 };

static const struct sotto_secret seed = {{1}};
static const struct sotto_digest context = {{1}};

struct room {
    float *values;
    uint32_t *lanes;
};

typedef void work(struct room *room);

static double now_s(void)
{
    struct timespec time;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;

    return (a > b) - (a < b);
}

static void values_fill(struct room *room)
{
    for (size_t i = 0; i < VALUES; i++)
        room->values[i] = (float)(1e-3 * ((double)(i * 2654435761u % 1000) / 1000 - 0.5));
}

static void rotate(struct room *room)
{
    sotto_rotate(room->values, VALUES, &seed);
}

static void unrotate(struct room *room)
{
    sotto_unrotate(room->values, VALUES, &seed);
}

static void noise(struct room *room)
{
    struct sotto_gaussian gaussian;

    sotto_gaussian_init(&gaussian, 123456789);
    sotto_gaussian_add(room->lanes, VALUES, &gaussian, &seed);
}

static void round_within(struct room *room, uint64_t square_max)
{
    static const struct sotto_quantiser quantiser = {
        .range = 0.0083, .value_bits = 8, .ring_bits = 32, .weight_max = 1, .cohort_max = 100};

    sotto_round_bounded(room->lanes, room->values, VALUES, &quantiser, square_max, &seed);
}

static void round_first(struct room *room)
{
    round_within(room, UINT64_MAX >> 1);
}

static void round_short(struct room *room)
{
    round_within(room, 0);
}

static void encode(struct room *room, double noise_multiplier)
{
    const struct sotto_mechanism_terms terms = {.value_count = VALUES,
                                                .clip_norm = 1,
                                                .lane_range = 0.0083,
                                                .is_rotated = true,
                                                .value_bits = 8,
                                                .ring_bits = 32,
                                                .weight_max = 1,
                                                .cohort_max = 100,
                                                .survivors_min = 80,
                                                .corrupt_fraction = 0.05,
                                                .noise_multiplier = noise_multiplier};
    struct sotto_mechanism mechanism;

    if (sotto_mechanism_of(&mechanism, &terms) != SOTTO_FLAW_NONE ||
        sotto_mechanism_encode(&mechanism, room->lanes, room->values, 1, &context, &seed) !=
            SOTTO_OK)
        exit(1);
}

static void encode_plain(struct room *room)
{
    encode(room, 0);
}

static void encode_noised(struct room *room)
{
    encode(room, 1);
}

static void measure(struct room *room, const char *what, work *run)
{
    double seconds[REPEATS];

    for (size_t i = 0; i < REPEATS; i++) {
        double start;

        values_fill(room);
        start = now_s();
        run(room);
        seconds[i] = now_s() - start;
    }
    qsort(seconds, REPEATS, sizeof *seconds, compare_doubles);
    printf("%-48s %8.1f ns a lane, %7.1f ms\n", what, seconds[REPEATS / 2] / VALUES * 1e9,
           seconds[REPEATS / 2] * 1e3);
}

int main(void)
{
    struct room room = {calloc(VALUES, sizeof(float)), calloc(VALUES + 1, sizeof(uint32_t))};

    if (room.values == NULL || room.lanes == NULL)
        return 1;
    printf("%d lanes\n", VALUES);
    measure(&room, "rotate", rotate);
    measure(&room, "rotate back", unrotate);
    measure(&room, "discrete Gaussian, exact and constant-time", noise);
    measure(&room, "rotate, clip, round, rest", encode_plain);
    measure(&room, "conditional rounding, every try fits", round_first);
    measure(&room, "conditional rounding, none fits", round_short);
    measure(&room, "the same with conditional rounding and noise", encode_noised);
    free(room.values);
    free(room.lanes);
    return 0;
}
