/*
 * What masking costs beside the cipher under it: AES-256-CTR through EVP on a tile in the L1 cache,
 * then masks of as many bytes added to a vector of lanes, by every kernel that this processor has.
 * Cipher and mask take turns, and the figure is the median of their ratios, because the machine may
 * be shared. Gigabytes are of stream, in processor time of this thread.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crypto/ring/kernels/kernels.h"
#include "crypto/ring/kernels/processor.h"
#include "crypto/secagg/secaggplus/streams.h"

enum { REPEATS = 5, TILE_BYTES = 16 * 1024, LANES_MAX = 10 * 1000 * 1000, STREAMS_MAX = 100 };

struct task {
    size_t lane_count;
    size_t stream_count;
    unsigned ring_bits;
};

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

static double median(double values[REPEATS])
{
    qsort(values, REPEATS, sizeof *values, compare_doubles);
    return values[REPEATS / 2];
}

/* Seconds for `length` bytes of bare cipher, tile after tile into the same memory. */
static double cipher_s(EVP_CIPHER_CTX *context, size_t length)
{
    static const uint8_t key[32] = {1};
    static const uint8_t counter[16];
    static _Alignas(64) uint8_t zeros[TILE_BYTES];
    static _Alignas(64) uint8_t tile[TILE_BYTES];
    double start = now_s();
    int written;

    EVP_EncryptInit_ex(context, EVP_aes_256_ctr(), NULL, key, counter);
    for (size_t done = 0; done < length; done += sizeof tile)
        EVP_EncryptUpdate(context, tile, &written, zeros, sizeof tile);
    return now_s() - start;
}

static double mask_s(const struct task *task, struct sotto_masking *masking, uint32_t *lanes)
{
    static struct sotto_stream streams[STREAMS_MAX];
    const struct sotto_lane_window all = {0, task->lane_count};
    double start;

    for (size_t i = 0; i < task->stream_count; i++) {
        memset(streams[i].key.bytes, (int)i, sizeof streams[i].key);
        streams[i].use = i % 2 == 0 ? SOTTO_STREAM_ADDED : SOTTO_STREAM_SUBTRACTED;
    }
    start = now_s();
    sotto_streams_apply_with(masking, lanes, all, streams, task->stream_count, task->ring_bits);
    return now_s() - start;
}

static void print_row(const struct sotto_mask_kernel *kernel, const struct task *task,
                      uint32_t *lanes)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    double bytes = (double)task->lane_count * (double)task->stream_count * task->ring_bits / 8;
    struct sotto_masking masking;
    double cipher[REPEATS];
    double mask[REPEATS];
    double ratio[REPEATS];

    if (context == NULL || sotto_masking_open_with(&masking, kernel) != SOTTO_OK)
        abort();
    for (size_t repeat = 0; repeat < REPEATS; repeat++) {
        cipher[repeat] = cipher_s(context, (size_t)bytes);
        mask[repeat] = mask_s(task, &masking, lanes);
        ratio[repeat] = cipher[repeat] / mask[repeat];
    }
    printf("| %s | %zu | %zu | %u | %.2f | %.2f | %.2f |\n", kernel->name, task->lane_count,
           task->stream_count, task->ring_bits, bytes / median(cipher) / 1e9,
           bytes / median(mask) / 1e9, median(ratio));
    fflush(stdout);
    sotto_masking_close(&masking);
    EVP_CIPHER_CTX_free(context);
}

static void print_kernel(const struct sotto_mask_kernel *kernel, uint32_t *lanes)
{
    static const struct task tasks[] = {
        {100 * 1000, 10, 32}, {1000 * 1000, 100, 32}, {LANES_MAX, 10, 32},
        {100 * 1000, 10, 16}, {1000 * 1000, 100, 16}, {LANES_MAX, 10, 16},
    };

    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++)
        print_row(kernel, &tasks[i], lanes);
}

int main(void)
{
    const unsigned features = sotto_processor_features();
    uint32_t *lanes = calloc(LANES_MAX, sizeof *lanes);
    const struct sotto_mask_kernel *kernel;

    if (lanes == NULL) {
        fprintf(stderr, "bench_mask: out of memory\n");
        return 1;
    }
    memset(lanes, 1, LANES_MAX * sizeof *lanes);
    printf("| kernel | lanes | keys | word | EVP GB/s | mask and add GB/s | rate / EVP rate |\n");
    printf("|---|---|---|---|---|---|---|\n");
    for (size_t index = 0; (kernel = sotto_mask_kernel_at(index)) != NULL; index++) {
        if (sotto_mask_kernel_fits(kernel, features))
            print_kernel(kernel, lanes);
        else
            printf("| %s | not on this processor | | | | | |\n", kernel->name);
    }
    free(lanes);
    return 0;
}
