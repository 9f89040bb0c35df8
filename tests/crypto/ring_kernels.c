/*
 * One mask kernel, named on the command line, beside the definition of its words. Skipped where the
 * processor cannot run it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/entropy.h"
#include "crypto/ring/kernels/kernels.h"
#include "crypto/ring/kernels/processor.h"

enum { SKIPPED = 77, BLOCK_BYTES = 16, WORDS_MAX = 5000, GUARD = 64, OFFSETS = 67 };

struct bench {
    const struct sotto_mask_kernel *kernel;
    struct sotto_prg prg;
    struct sotto_secret key;
    uint8_t before[WORDS_MAX * 4 + GUARD];
    uint8_t after[WORDS_MAX * 4 + GUARD];
    uint8_t expected[WORDS_MAX * 4 + GUARD];
};

static const struct sotto_mask_kernel *tested;

static int bench_open(void **state)
{
    static struct bench bench;
    struct sotto_entropy entropy;

    bench.kernel = tested;
    sotto_entropy_init_seeded(&entropy, 43);
    sotto_entropy_fill(&entropy, bench.key.bytes, sizeof bench.key.bytes);
    sotto_entropy_fill(&entropy, bench.before, sizeof bench.before);
    *state = &bench;
    return sotto_prg_open(&bench.prg) == SOTTO_OK ? 0 : -1;
}

static int bench_close(void **state)
{
    struct bench *bench = *state;

    sotto_prg_close(&bench->prg);
    return 0;
}

/* A number of `length` bytes, least significant first. */
static uint32_t number_at(const uint8_t *bytes, size_t length)
{
    uint32_t number = 0;

    for (size_t i = 0; i < length; i++)
        number |= (uint32_t)bytes[i] << (8 * i);
    return number;
}

/* Byte by byte, from one long stream. */
static void expect(struct bench *bench, const struct sotto_mask_pass *pass, size_t skipped)
{
    static uint8_t stream[WORDS_MAX * 4];
    const size_t word_bytes = pass->is_narrow ? 2 : 4;

    sotto_prg_seek(&bench->prg, &bench->key, pass->block_first * BLOCK_BYTES);
    sotto_prg_next(&bench->prg, stream, pass->word_count * word_bytes);
    memcpy(bench->expected, bench->before, sizeof bench->expected);
    for (size_t word = 0; word < pass->word_count; word++) {
        uint8_t *at = bench->expected + skipped + word * word_bytes;
        uint32_t number = number_at(stream + word * word_bytes, word_bytes);
        uint32_t sum = number_at(at, word_bytes) + (pass->is_subtracted ? -number : number);

        for (size_t i = 0; i < word_bytes; i++)
            at[i] = (uint8_t)(sum >> (8 * i));
    }
}

/* All that a kernel is given but the flags. */
struct window {
    uint64_t block_first;
    size_t words_skipped; /* so that the words are aligned as words only */
    size_t word_count;
};

static void assert_window(struct bench *bench, const struct window *window)
{
    for (unsigned flags = 0; flags < 4; flags++) {
        struct sotto_mask_pass pass = {.word_count = window->word_count,
                                       .block_first = window->block_first,
                                       .is_narrow = (flags & 1) != 0,
                                       .is_subtracted = (flags & 2) != 0};
        size_t skipped = window->words_skipped * (pass.is_narrow ? 2 : 4);

        memcpy(bench->after, bench->before, sizeof bench->after);
        pass.words = bench->after + skipped;
        expect(bench, &pass, skipped);
        bench->kernel->apply(&pass, &bench->key, &bench->prg);
        assert_memory_equal(bench->after, bench->expected, sizeof bench->after);
    }
}

/* Every place in a run of blocks to begin with, every length up to some runs. */
static void apply__any_offset_and_length__adds_the_stream(void **state)
{
    for (uint64_t block = 0; block < OFFSETS; block++)
        for (size_t count = 0; count < 600; count += count < 40 ? 1 : 37) {
            const struct window window = {block, block % 8, count};

            assert_window(*state, &window);
        }
}

static void apply__every_length_from_the_start__adds_the_stream(void **state)
{
    for (size_t count = 0; count <= 600; count++) {
        const struct window window = {0, count % 3, count};

        assert_window(*state, &window);
    }
}

static void apply__thousands_of_words__adds_the_stream(void **state)
{
    static const size_t counts[] = {2048, 4096, 4097, WORDS_MAX - 9, WORDS_MAX};

    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (uint64_t block = 0; block < 40; block += 13) {
            const struct window window = {block, 1, counts[i] - 1};

            assert_window(*state, &window);
        }
}

/* Where a byte, half or whole 32-bit counter carries over. */
static void apply__counter_that_carries__adds_the_stream(void **state)
{
    static const uint64_t carries[] = {1 << 8, 1 << 16, 1 << 24, UINT64_C(1) << 32,
                                       UINT64_C(1) << 40};

    for (size_t i = 0; i < sizeof carries / sizeof *carries; i++)
        for (uint64_t before = 0; before < 40; before++) {
            const struct window window = {carries[i] - before, 0, 300};

            assert_window(*state, &window);
        }
}

/* The encryption of zero and one under the zero key: McGrew and Viega, GCM, test case 13 and 14. */
static void apply__zero_key__adds_published_words(void **state)
{
    static const uint8_t published[] = {0xdc, 0x95, 0xc0, 0x78, 0xa2, 0x40, 0x89, 0x89,
                                        0xad, 0x48, 0xa2, 0x14, 0x92, 0x84, 0x20, 0x87};
    const struct sotto_secret zero = {{0}};
    struct bench *bench = *state;
    uint32_t words[4] = {0};
    const struct sotto_mask_pass pass = {.words = words, .word_count = 4};

    bench->kernel->apply(&pass, &zero, &bench->prg);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(words[i], number_at(published + 4 * i, 4));
}

static const struct sotto_mask_kernel *kernel_called(const char *name)
{
    const struct sotto_mask_kernel *kernel = NULL;

    for (size_t i = 0; (kernel = sotto_mask_kernel_at(i)) != NULL; i++)
        if (strcmp(kernel->name, name) == 0)
            break;
    return kernel;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(apply__any_offset_and_length__adds_the_stream),
        cmocka_unit_test(apply__every_length_from_the_start__adds_the_stream),
        cmocka_unit_test(apply__thousands_of_words__adds_the_stream),
        cmocka_unit_test(apply__counter_that_carries__adds_the_stream),
        cmocka_unit_test(apply__zero_key__adds_published_words),
    };

    tested = argc == 2 ? kernel_called(argv[1]) : NULL;
    if (tested == NULL || !sotto_mask_kernel_fits(tested, sotto_processor_features())) {
        printf("SKIP: this processor or build has no mask kernel %s\n", argc == 2 ? argv[1] : "");
        return SKIPPED;
    }
    return cmocka_run_group_tests(tests, bench_open, bench_close);
}
