/*
 * What secure aggregation costs, from 10 to 10,000 participants: processor time of a participant
 * and of the hub, bytes on the wire, memory of the hub; masking and unmasking beside bare
 * AES-256-CTR through EVP for the same bytes of mask in the same run. Every sum is checked. What is
 * measured and what is not: fleet.h.
 *
 *     bench_secagg                        the table
 *     bench_secagg [--json] N D DROPOUTS  one row of it
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/secagg/fleet.h"

enum { REPEATS = 5, TILE_BYTES = 16 * 1024 };

struct figures {
    uint32_t neighbours;
    uint32_t threshold;
    double keys_s; /* a participant, in the mean, as the next */
    double mask_s;
    double hub_s; /* steps and messages, the last step excepted */
    double close_s;
    double add_s;
    double unmask_s;
    size_t masks;   /* of one participant */
    size_t streams; /* left in the sum */
    size_t bytes_up;
    size_t bytes_down;
    size_t hub_bytes;
};

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;

    return (a > b) - (a < b);
}

/* Seconds for a byte of bare cipher, tile after tile into the same memory. */
static double cipher_s_per_byte(void)
{
    enum { TILES = 8 * 1024 };
    static const uint8_t key[32] = {1};
    static const uint8_t counter[16];
    static _Alignas(64) uint8_t zeros[TILE_BYTES];
    static _Alignas(64) uint8_t tile[TILE_BYTES];
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    double times[REPEATS];

    for (size_t repeat = 0; repeat < REPEATS; repeat++) {
        double start = fleet_cpu_s();
        int written;

        EVP_EncryptInit_ex(context, EVP_aes_256_ctr(), NULL, key, counter);
        for (size_t done = 0; done < TILES; done++)
            EVP_EncryptUpdate(context, tile, &written, zeros, sizeof tile);
        times[repeat] = fleet_cpu_s() - start;
    }
    EVP_CIPHER_CTX_free(context);
    qsort(times, REPEATS, sizeof times[0], compare_doubles);
    return times[REPEATS / 2] / ((double)TILES * sizeof tile);
}

/* Of one thread; any number gives the same sum (tests/crypto/secagg_ranges.c). */
static double unmask(const struct fleet *fleet, uint32_t *sum)
{
    const struct sotto_lane_range all = {0, fleet->task.lane_count};
    double start = fleet_cpu_s();

    if (sotto_secaggplus.collector_unmask(fleet->collector, sum, all) != SOTTO_OK)
        abort();
    return fleet_cpu_s() - start;
}

static void sample_take(struct figures *figures, const struct fleet *fleet)
{
    for (size_t i = 0; i < FLEET_SAMPLE; i++) {
        const struct fleet_singer *singer = &fleet->sample[i];

        figures->keys_s += singer->keys_s / FLEET_SAMPLE;
        figures->mask_s += singer->mask_s / FLEET_SAMPLE;
        figures->bytes_up += singer->bytes_up / FLEET_SAMPLE;
        figures->bytes_down += singer->bytes_down / FLEET_SAMPLE;
    }
}

static struct figures measure(const struct fleet_task *task)
{
    struct fleet *fleet = fleet_open(task);
    struct figures figures = {0};

    fleet_play(fleet);
    figures.unmask_s = unmask(fleet, fleet->tally.lanes);
    fleet_check(fleet, fleet->tally.lanes);
    figures.neighbours = fleet->parameters.neighbours;
    figures.threshold = fleet->parameters.threshold;
    figures.hub_s = fleet->step_s - fleet->close_s;
    figures.close_s = fleet->close_s;
    figures.add_s = fleet->add_s;
    figures.masks = (size_t)figures.neighbours + 1;
    figures.streams = fleet_streams(fleet);
    figures.hub_bytes = fleet_hub_bytes(fleet);
    sample_take(&figures, fleet);
    fleet_close(fleet);
    return figures;
}

static void print_head(double s_per_byte)
{
    printf("AES-256-CTR through EVP: %.2f GB/s on one thread. Times are processor time in ms.\n\n",
           1e-9 / s_per_byte);
    printf("| n | d | dropouts | k | t | keys | mask | x EVP | up kB | down kB | hub steps | close "
           "| add | unmask | x EVP | hub MiB |\n");
    printf("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
}

static void print_row(const struct fleet_task *task, const struct figures *f, double s_per_byte)
{
    double lanes_s = 4.0 * task->lane_count * s_per_byte;

    printf("| %u | %u | %u | %u | %u | %.1f | %.2f | %.2f | %.1f | %.1f | %.0f | %.1f | %.0f | "
           "%.1f | %.2f | %.1f |\n",
           task->count, task->lane_count, task->dropouts, f->neighbours, f->threshold,
           1e3 * f->keys_s, 1e3 * f->mask_s, f->mask_s / (lanes_s * (double)f->masks),
           1e-3 * (double)f->bytes_up, 1e-3 * (double)f->bytes_down, 1e3 * f->hub_s,
           1e3 * f->close_s, 1e3 * f->add_s, 1e3 * f->unmask_s,
           f->unmask_s / (lanes_s * (double)f->streams), (double)f->hub_bytes / (1024 * 1024));
    fflush(stdout);
}

static void print_json(const struct figures *f)
{
    printf("{\"neighbours\": %u, \"threshold\": %u, \"participant_s\": %.6f, \"mask_s\": %.6f, "
           "\"hub_s\": %.6f, \"unmask_s\": %.6f, \"bytes_up\": %zu, \"bytes_down\": %zu, "
           "\"hub_bytes\": %zu}\n",
           f->neighbours, f->threshold, f->keys_s + f->mask_s, f->mask_s,
           f->hub_s + f->close_s + f->add_s + f->unmask_s, f->unmask_s, f->bytes_up, f->bytes_down,
           f->hub_bytes);
}

static struct fleet_task task_of(uint32_t count, uint32_t lane_count, uint32_t dropouts)
{
    struct fleet_task task = {count, lane_count, dropouts, 0.1};

    if (dropouts * 10 > count)
        task.dropout_fraction = (double)dropouts / count;
    return task;
}

static void table(void)
{
    static const uint32_t sizes[][2] = {
        {10, 100000}, {100, 1000000}, {1000, 1000000}, {10000, 100000}};
    double s_per_byte = cipher_s_per_byte();

    print_head(s_per_byte);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (uint32_t tenths = 0; tenths <= 3; tenths += tenths == 0 ? 1 : 2) {
            struct fleet_task task = task_of(sizes[i][0], sizes[i][1], sizes[i][0] * tenths / 10);
            struct figures figures = measure(&task);

            print_row(&task, &figures, s_per_byte);
        }
}

int main(int argc, char **argv)
{
    bool is_json = argc > 1 && strcmp(argv[1], "--json") == 0;
    char **numbers = argv + 1 + is_json;
    struct fleet_task task;
    struct figures figures;
    double s_per_byte;

    if (argc == 1) {
        table();
        return 0;
    }
    if (argc != 4 + is_json) {
        fprintf(stderr, "usage: bench_secagg [[--json] N D DROPOUTS]\n");
        return 2;
    }
    task = task_of((uint32_t)strtoul(numbers[0], NULL, 10), (uint32_t)strtoul(numbers[1], NULL, 10),
                   (uint32_t)strtoul(numbers[2], NULL, 10));
    figures = measure(&task);
    if (is_json) {
        print_json(&figures);
        return 0;
    }
    s_per_byte = cipher_s_per_byte();
    print_head(s_per_byte);
    print_row(&task, &figures, s_per_byte);
    return 0;
}
