/* Masks, beside the definition of their lanes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/entropy.h"
#include "crypto/ring/mask.h"

enum {
    TILE_LANES = 4 * 1024,
    LANES = 2 * TILE_LANES + 77, /* two tiles and some, whole runs and a rest */
};

struct vectors {
    struct sotto_secret key;
    struct sotto_masking masking;
    uint32_t plain[LANES];
    uint32_t masked[LANES];
    uint32_t expected[LANES];
};

/* Lane e is word e of one long stream, as PROTOCOL says it, without tiles. */
static void fill_expected(struct vectors *vectors, unsigned ring_bits)
{
    static uint8_t stream[LANES * 4];
    size_t word_bytes = ring_bits <= 16 ? 2 : 4;

    sotto_prg_seek(&vectors->masking.prg, &vectors->key, 0);
    sotto_prg_next(&vectors->masking.prg, stream, LANES * word_bytes);
    for (size_t lane = 0; lane < LANES; lane++) {
        uint32_t word = 0;

        for (size_t byte = 0; byte < word_bytes; byte++)
            word |= (uint32_t)stream[lane * word_bytes + byte] << (8 * byte);
        vectors->expected[lane] = vectors->plain[lane] + word;
    }
}

static int vectors_open(void **state)
{
    static struct vectors vectors;
    struct sotto_entropy entropy;

    sotto_entropy_init_seeded(&entropy, 41);
    sotto_entropy_fill(&entropy, vectors.key.bytes, sizeof vectors.key.bytes);
    sotto_entropy_fill(&entropy, vectors.plain, sizeof vectors.plain);
    memcpy(vectors.masked, vectors.plain, sizeof vectors.masked);
    *state = &vectors;
    return sotto_masking_open(&vectors.masking) == SOTTO_OK ? 0 : -1;
}

static int vectors_close(void **state)
{
    struct vectors *vectors = *state;

    sotto_masking_close(&vectors->masking);
    return 0;
}

/*
 * The encryption of zero under the zero key is published (GCM's test case 13): dc95c078 a2408989
 * ...
 */
static void mask_add__zero_key__adds_published_words(void **state)
{
    static const uint32_t words[] = {0x78c095dc, 0x898940a2, 0x2148ad49, 0x87208442};
    static const uint32_t halves[] = {0x95dc, 0x78c0, 0x40a2, 0x8989};
    const struct sotto_secret zero = {{0}};
    const struct sotto_lane_window window = {0, 4};
    struct vectors *vectors = *state;

    memset(vectors->masked, 0, sizeof words);
    sotto_mask_add(vectors->masked, window, &zero, 32, &vectors->masking);
    assert_int_equal(vectors->masked[0], words[0]);
    assert_int_equal(vectors->masked[1], words[1]);
    memset(vectors->masked, 0, sizeof halves);
    sotto_mask_add(vectors->masked, window, &zero, 16, &vectors->masking);
    assert_memory_equal(vectors->masked, halves, sizeof halves);
}

static void mask_add__any_ring__equals_the_stream_without_tiles(void **state)
{
    struct vectors *vectors = *state;
    const struct sotto_lane_window all = {0, LANES};

    for (unsigned ring_bits = 1; ring_bits <= 32; ring_bits++) {
        memcpy(vectors->masked, vectors->plain, sizeof vectors->masked);
        fill_expected(vectors, ring_bits);
        sotto_mask_add(vectors->masked, all, &vectors->key, ring_bits, &vectors->masking);
        assert_memory_equal(vectors->masked, vectors->expected, sizeof vectors->expected);
    }
}

static void mask_subtract__after_add__is_the_identity(void **state)
{
    struct vectors *vectors = *state;
    const struct sotto_lane_window all = {0, LANES};

    for (unsigned ring_bits = 1; ring_bits <= 32; ring_bits++) {
        sotto_mask_add(vectors->masked, all, &vectors->key, ring_bits, &vectors->masking);
        assert_memory_not_equal(vectors->masked, vectors->plain, sizeof vectors->plain);
        sotto_mask_subtract(vectors->masked, all, &vectors->key, ring_bits, &vectors->masking);
        assert_memory_equal(vectors->masked, vectors->plain, sizeof vectors->plain);
    }
}

static void assert_windows_make_the_whole(struct vectors *vectors, unsigned ring_bits, size_t step)
{
    memcpy(vectors->masked, vectors->plain, sizeof vectors->masked);
    fill_expected(vectors, ring_bits);
    for (size_t first = LANES / step * step;; first -= step) {
        size_t left = LANES - first;
        const struct sotto_lane_window window = {first, left < step ? left : step};

        sotto_mask_add(vectors->masked + first, window, &vectors->key, ring_bits,
                       &vectors->masking);
        if (first == 0)
            break;
    }
    assert_memory_equal(vectors->masked, vectors->expected, sizeof vectors->expected);
}

/* Windows that are no tiles, taken from the last to the first. */
static void mask_add__windows_in_any_order__make_the_whole(void **state)
{
    static const size_t steps[] = {8, 24, 1000, TILE_LANES, TILE_LANES + 8};

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        assert_windows_make_the_whole(*state, 32, steps[i]);
        assert_windows_make_the_whole(*state, 17, steps[i]);
        assert_windows_make_the_whole(*state, 16, steps[i]);
    }
}

static void mask_add__window_at_the_end__touches_no_other_lane(void **state)
{
    struct vectors *vectors = *state;

    for (size_t count = 0; count <= 77; count++) {
        const struct sotto_lane_window window = {16, count};

        memcpy(vectors->masked, vectors->plain, sizeof vectors->masked);
        fill_expected(vectors, 24);
        sotto_mask_add(vectors->masked + 16, window, &vectors->key, 24, &vectors->masking);
        assert_memory_equal(vectors->masked, vectors->plain, 16 * sizeof(uint32_t));
        assert_memory_equal(vectors->masked + 16, vectors->expected + 16, count * sizeof(uint32_t));
        assert_memory_equal(vectors->masked + 16 + count, vectors->plain + 16 + count,
                            (LANES - 16 - count) * sizeof(uint32_t));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(mask_add__zero_key__adds_published_words, vectors_open,
                                        vectors_close),
        cmocka_unit_test_setup_teardown(mask_add__any_ring__equals_the_stream_without_tiles,
                                        vectors_open, vectors_close),
        cmocka_unit_test_setup_teardown(mask_subtract__after_add__is_the_identity, vectors_open,
                                        vectors_close),
        cmocka_unit_test_setup_teardown(mask_add__windows_in_any_order__make_the_whole,
                                        vectors_open, vectors_close),
        cmocka_unit_test_setup_teardown(mask_add__window_at_the_end__touches_no_other_lane,
                                        vectors_open, vectors_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
