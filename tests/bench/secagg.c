/*
 * What secure aggregation costs: masking at a participant, unmasking at the coordinator, bytes on
 * the wire and memory, each time beside that of bare AES-256-CTR for the same bytes of mask in the
 * same run. CPU time of one thread, but wall time for two. Every sum is checked.
 */
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crypto/ring/lanes.h"
#include "crypto/ring/mask.h"
#include "tests/crypto/secagg_chorus.h"

enum { THREADS_MAX = 2, REPEATS = 5, TILE_BYTES = 16 * 1024 };

struct task {
    uint32_t count;
    uint32_t lane_count;
    uint32_t dropouts; /* after sharing */
};

struct figures {
    double join_s;  /* a participant's work on its cohort: verify, derive, seal */
    double mask_s;  /* median over participants */
    double close_s; /* the coordinator's reconstruction and key derivation */
    double unmask_s[THREADS_MAX];
    size_t streams; /* left in the sum */
    size_t bytes_out;
    size_t bytes_in;
};

static double seconds(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static double cpu_s(void)
{
    return seconds(CLOCK_THREAD_CPUTIME_ID);
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;

    return (a > b) - (a < b);
}

/* Seconds for a gigabyte of bare cipher, tile after tile into the same memory. */
static double cipher_s_per_byte(void)
{
    enum { TILES = 16 * 1024 };
    static const uint8_t key[32] = {1};
    static const uint8_t counter[16];
    static _Alignas(64) uint8_t zeros[TILE_BYTES];
    static _Alignas(64) uint8_t tile[TILE_BYTES];
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    double times[REPEATS];

    for (size_t repeat = 0; repeat < REPEATS; repeat++) {
        double start = cpu_s();
        int written;

        EVP_EncryptInit_ex(context, EVP_aes_256_ctr(), NULL, key, counter);
        for (size_t done = 0; done < TILES; done++)
            EVP_EncryptUpdate(context, tile, &written, zeros, sizeof tile);
        times[repeat] = cpu_s() - start;
    }
    EVP_CIPHER_CTX_free(context);
    qsort(times, REPEATS, sizeof times[0], compare_doubles);
    return times[REPEATS / 2] / ((double)TILES * sizeof tile);
}

static void play_all(struct chorus *chorus, struct figures *figures)
{
    struct sotto_collector_effects effects;

    for (uint32_t place = 0; place < chorus->count; place++) {
        struct sotto_view mail = chorus_mail(chorus, place);
        double start = cpu_s();
        struct sotto_collector_event answer = chorus_answer(chorus, place);

        figures->join_s = cpu_s() - start;
        if (place == 0)
            figures->bytes_in += mail.length;
        if (place == 0)
            figures->bytes_out += answer.bytes.length;
        (void)chorus_deliver(chorus, &answer);
    }
    (void)chorus_end_stage(chorus, &effects);
}

/* Everybody but the last `dropouts` masks its lanes into the sum. */
static void upload(struct chorus *chorus, const struct task *task, uint32_t *sum,
                   struct figures *figures)
{
    uint32_t survivors = task->count - task->dropouts;
    uint32_t *lanes = malloc(task->lane_count * sizeof *lanes);
    double times[SOTTO_COHORT_MAX];
    struct sotto_collector_effects effects;

    figures->bytes_in += chorus_mail(chorus, 0).length;
    figures->bytes_out += sotto_lanes_packed_bytes(task->lane_count, chorus->terms.ring_bits);
    for (uint32_t place = 0; place < survivors; place++) {
        struct sotto_member_event masked = {.kind = SOTTO_MEMBER_MASKED};
        struct sotto_collector_event event = {.kind = SOTTO_COLLECTOR_UPLOAD,
                                              .id = chorus_id(place)};
        struct sotto_member_effects stored;

        (void)chorus_tell(chorus, place, SOTTO_MEMBER_INBOX, chorus_mail(chorus, place));
        for (uint32_t lane = 0; lane < task->lane_count; lane++)
            lanes[lane] = chorus_lane(place, lane);
        times[place] = cpu_s();
        if (chorus->protocol->member_mask(chorus->members[place], lanes, task->lane_count) != 0)
            abort();
        times[place] = cpu_s() - times[place];
        chorus->protocol->member_step(chorus->members[place], &masked, &stored);
        sotto_lanes_add(sum, lanes, task->lane_count);
        (void)chorus_deliver(chorus, &event);
    }
    (void)chorus_end_stage(chorus, &effects);
    qsort(times, survivors, sizeof times[0], compare_doubles);
    figures->mask_s = times[survivors / 2];
    free(lanes);
}

static void play_survivors(struct chorus *chorus, const struct task *task, struct figures *figures)
{
    struct sotto_collector_effects effects;
    double start;

    for (uint32_t place = 0; place < task->count - task->dropouts; place++) {
        size_t mail_bytes = chorus_mail(chorus, place).length;
        struct sotto_collector_event answer = chorus_answer(chorus, place);

        if (place == 0)
            figures->bytes_in += mail_bytes;
        if (place == 0)
            figures->bytes_out += answer.bytes.length;
        (void)chorus_deliver(chorus, &answer);
    }
    start = cpu_s();
    (void)chorus_end_stage(chorus, &effects);
    figures->close_s = cpu_s() - start;
}

struct part {
    const struct chorus *chorus;
    uint32_t *sum;
    struct sotto_lane_range range;
};

static void *unmask_part(void *argument)
{
    struct part *part = argument;

    if (part->chorus->protocol->collector_unmask(part->chorus->collector, part->sum, part->range) !=
        SOTTO_OK)
        abort();
    return NULL;
}

static double unmask(const struct chorus *chorus, uint32_t *sum, uint32_t lane_count,
                     size_t thread_count)
{
    size_t share = (lane_count / thread_count + 7) / 8 * 8;
    struct part parts[THREADS_MAX];
    pthread_t threads[THREADS_MAX];
    double start = seconds(CLOCK_MONOTONIC);
    double cpu_start = cpu_s();

    for (size_t i = 0; i < thread_count; i++) {
        size_t first = i * share;
        size_t left = lane_count - first;

        parts[i] = (struct part){chorus, sum + first, {first, left < share ? left : share}};
    }
    if (thread_count == 1) {
        unmask_part(&parts[0]);
        return cpu_s() - cpu_start;
    }
    for (size_t i = 0; i < thread_count; i++)
        pthread_create(&threads[i], NULL, unmask_part, &parts[i]);
    for (size_t i = 0; i < thread_count; i++)
        pthread_join(threads[i], NULL);
    return seconds(CLOCK_MONOTONIC) - start;
}

static void check_sum(const uint32_t *sum, const struct task *task)
{
    for (uint32_t lane = 0; lane < task->lane_count; lane++) {
        uint32_t expected = 0;

        for (uint32_t place = 0; place < task->count - task->dropouts; place++)
            expected += chorus_lane(place, lane);
        if (sum[lane] != expected) {
            fprintf(stderr, "bench_secagg: lane %u of the sum is wrong\n", lane);
            exit(1);
        }
    }
}

static struct figures measure(const struct task *task)
{
    struct chorus_setup setup = chorus_setup_of(task->count, 1);
    uint32_t survivors = task->count - task->dropouts;
    struct figures figures = {.streams = survivors * (1 + (size_t)task->dropouts)};
    uint32_t *sum = calloc(task->lane_count, sizeof *sum);
    uint32_t *copy = calloc(task->lane_count, sizeof *copy);
    struct chorus *chorus;

    if (sum == NULL || copy == NULL)
        abort();
    setup.lane_count = task->lane_count;
    chorus = chorus_open(&setup);
    play_all(chorus, &figures);
    play_all(chorus, &figures);
    upload(chorus, task, sum, &figures);
    play_survivors(chorus, task, &figures);
    play_survivors(chorus, task, &figures);
    for (size_t threads = 1; threads <= THREADS_MAX; threads++) {
        memcpy(copy, sum, task->lane_count * sizeof *sum);
        figures.unmask_s[threads - 1] = unmask(chorus, copy, task->lane_count, threads);
        check_sum(copy, task);
    }
    chorus_close(chorus);
    free(copy);
    free(sum);
    return figures;
}

/* What the coordinator holds for a round besides the running sum. */
static size_t collector_bytes(uint32_t count)
{
    struct chorus_setup setup = chorus_setup_of(count, 1);
    struct chorus *chorus = chorus_open(&setup);
    const struct sotto_collector_setup collector = {
        .terms = &chorus->terms, .roster = &chorus->roster, .signing = &chorus->signing};
    struct sotto_collector *counted;
    struct sotto_arena arena;

    sotto_arena_init_counting(&arena);
    if (chorus->protocol->collector_open(&counted, &arena, &collector) != SOTTO_NO_MEMORY)
        abort();
    chorus_close(chorus);
    return arena.used;
}

static void print_costs(double s_per_byte)
{
    static const struct task tasks[] = {{10, 100000, 0},
                                        {10, 100000, 1},
                                        {100, 1000000, 0},
                                        {100, 1000000, 10},
                                        {100, 1000000, 30}};

    printf("| n | lanes | dropouts | join ms | mask ms | x AES | close ms | unmask ms | x AES "
           "| 2 threads ms | out bytes | of which lanes | in bytes |\n");
    printf("|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < sizeof tasks / sizeof tasks[0]; i++) {
        const struct task *task = &tasks[i];
        struct figures figures = measure(task);
        double lanes_bytes = 4.0 * task->lane_count;

        printf("| %u | %u | %u | %.1f | %.2f | %.2f | %.1f | %.1f | %.2f | %.1f | %zu | %.0f | %zu "
               "|\n",
               task->count, task->lane_count, task->dropouts, 1e3 * figures.join_s,
               1e3 * figures.mask_s, figures.mask_s / (lanes_bytes * task->count * s_per_byte),
               1e3 * figures.close_s, 1e3 * figures.unmask_s[0],
               figures.unmask_s[0] / (lanes_bytes * (double)figures.streams * s_per_byte),
               1e3 * figures.unmask_s[1], figures.bytes_out, lanes_bytes, figures.bytes_in);
        fflush(stdout);
    }
}

static void print_memory(void)
{
    static const uint32_t counts[] = {4, 8, 16, 32, 64, 100, 128};
    const size_t lane_count = 1000000;

    printf("\n| n | protocol KiB | with the sum of %zu lanes, KiB |\n|---|---|---|\n", lane_count);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        size_t bytes = collector_bytes(counts[i]);

        printf("| %u | %zu | %zu |\n", counts[i], bytes / 1024,
               (bytes + lane_count * sizeof(uint32_t)) / 1024);
    }
}

int main(void)
{
    double s_per_byte = cipher_s_per_byte();

    printf("AES-256-CTR through EVP: %.2f GB/s on one thread\n\n", 1e-9 / s_per_byte);
    print_costs(s_per_byte);
    print_memory();
    return 0;
}
