/*
 * What masking costs beside the cipher under it: AES-256-CTR through EVP on a tile in the L1 cache,
 * then the same stream added to vectors of lanes. Medians of nine; gigabytes are of stream.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crypto/ring/mask.h"

enum { REPEATS = 9 };

static double now_s(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;

    return (a > b) - (a < b);
}

static double median(double times[REPEATS])
{
    qsort(times, REPEATS, sizeof *times, compare_doubles);
    return times[REPEATS / 2];
}

/* Seconds for `length` bytes of bare cipher, tile after tile into the same memory. */
static double cipher_s(size_t length)
{
    static const uint8_t key[32] = {1};
    static const uint8_t counter[16];
    static _Alignas(64) uint8_t zeros[SOTTO_MASK_TILE_BYTES];
    static _Alignas(64) uint8_t tile[SOTTO_MASK_TILE_BYTES];
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    double times[REPEATS];

    for (size_t repeat = 0; repeat < REPEATS; repeat++) {
        double start = now_s();
        int written;

        EVP_EncryptInit_ex(context, EVP_aes_256_ctr(), NULL, key, counter);
        for (size_t done = 0; done < length; done += sizeof tile)
            EVP_EncryptUpdate(context, tile, &written, zeros, sizeof tile);
        times[repeat] = now_s() - start;
    }
    EVP_CIPHER_CTX_free(context);
    return median(times);
}

static double mask_s(uint32_t *lanes, size_t lane_count, unsigned ring_bits, struct sotto_prg *prg)
{
    static const struct sotto_secret key = {{1}};
    const struct sotto_lane_window all = {0, lane_count};
    double times[REPEATS];

    for (size_t repeat = 0; repeat < REPEATS; repeat++) {
        double start = now_s();

        sotto_mask_add(lanes, all, &key, ring_bits, prg);
        times[repeat] = now_s() - start;
    }
    return median(times);
}

int main(void)
{
    static const size_t lane_counts[] = {100 * 1000, 1000 * 1000, 10 * 1000 * 1000};
    static const unsigned rings[] = {32, 16};
    uint32_t *lanes = calloc(lane_counts[2], sizeof *lanes);
    struct sotto_prg prg;

    if (lanes == NULL || sotto_prg_open(&prg) != SOTTO_OK) {
        fprintf(stderr, "bench_mask: out of memory\n");
        return 1;
    }
    memset(lanes, 1, lane_counts[2] * sizeof *lanes);
    printf("%10s %5s %12s %12s %10s %7s\n", "lanes", "ring", "AES GB/s", "mask GB/s", "mask ms",
           "ratio");
    for (size_t ring = 0; ring < 2; ring++)
        for (size_t count = 0; count < 3; count++) {
            size_t bytes = lane_counts[count] * (rings[ring] / 8);
            double cipher = cipher_s(bytes);
            double mask = mask_s(lanes, lane_counts[count], rings[ring], &prg);

            printf("%10zu %5u %12.2f %12.2f %10.3f %7.2f\n", lane_counts[count], rings[ring],
                   (double)bytes / cipher / 1e9, (double)bytes / mask / 1e9, 1e3 * mask,
                   mask / cipher);
        }
    sotto_prg_close(&prg);
    free(lanes);
    return 0;
}
