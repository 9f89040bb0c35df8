/*
 * Constant time of what is below secure aggregation: sharing, masks, packing, the quantiser, key
 * derivation, sealing and signing. The controls show that memcheck notices what it has to.
 */
#include <stdio.h>

#include "crypto/primitives/aead.h"
#include "crypto/primitives/ed25519.h"
#include "crypto/primitives/hash.h"
#include "crypto/primitives/hkdf.h"
#include "crypto/primitives/shamir.h"
#include "crypto/ring/kernels/kernels.h"
#include "crypto/ring/kernels/processor.h"
#include "crypto/ring/lanes.h"
#include "crypto/ring/mask.h"
#include "crypto/ring/quantise.h"
#include "tests/timing/taint.h"

enum { HOLDERS = 7, THRESHOLD = 4, LANES = 5003 };

/* If this is not noticed, nothing is. */
static void control__branch_on_a_secret__is_noticed(void **state)
{
    struct sotto_secret secret = secret_of(1);
    volatile int taken = 0;

    if (secret.bytes[3] > 7)
        taken = 1;
    (void)taken;
    assert_true(traces(state) > 0);
}

static void control__address_from_a_secret__is_noticed(void **state)
{
    static volatile uint8_t table[256];
    struct sotto_secret secret = secret_of(1);
    uint8_t looked_up = table[secret.bytes[3]];

    declassify(&looked_up, sizeof looked_up);
    assert_true(traces(state) > 0);
}

static void secret_equal__equal_or_not__leaves_no_trace(void **state)
{
    struct sotto_secret left = secret_of(1);
    struct sotto_secret same = secret_of(1);
    struct sotto_secret other = secret_of(2);
    int is_same = sotto_secret_equal(&left, &same, sizeof left);
    int is_other = sotto_secret_equal(&left, &other, sizeof left);

    declassify(&is_same, sizeof is_same);
    declassify(&is_other, sizeof is_other);
    assert_int_equal(is_same, 1);
    assert_int_equal(is_other, 0);
    assert_no_trace(state);
}

static void split_and_join__secret_seed_and_shares__leave_no_trace(void **state)
{
    static const uint32_t indices[THRESHOLD] = {0, 1, 2, 3};
    struct sotto_secret secret = secret_of(0xe7);
    struct sotto_secret seed = secret_of(2);
    struct sotto_share shares[HOLDERS];
    struct sotto_secret joined;
    enum sotto_status status;

    sotto_share_split(shares, &secret, &seed, THRESHOLD, HOLDERS);
    status = sotto_share_join(&joined, shares, indices, THRESHOLD);
    declassify(&status, sizeof status);
    declassify(&joined, sizeof joined);
    declassify(&secret, sizeof secret);
    assert_int_equal(status, SOTTO_OK);
    assert_memory_equal(joined.bytes, secret.bytes, sizeof joined.bytes);
    assert_no_trace(state);
}

/* Whether shares are good is public in the end; which limb was bad is not. */
static void join__bad_shares__leave_no_trace(void **state)
{
    static const uint32_t indices[THRESHOLD] = {0, 1, 2, 3};
    struct sotto_share shares[THRESHOLD];
    struct sotto_secret joined;
    enum sotto_status status;

    memset(shares, 0xff, sizeof shares);
    classify(shares, sizeof shares);
    status = sotto_share_join(&joined, shares, indices, THRESHOLD);
    declassify(&status, sizeof status);
    assert_int_equal(status, SOTTO_MALFORMED);
    assert_no_trace(state);
}

static void assert_mask_leaves_no_trace(void **state, const struct sotto_mask_kernel *kernel)
{
    static const unsigned rings[] = {16, 24, 32};
    static uint32_t lanes[LANES];
    const struct sotto_lane_window window = {64, LANES};
    struct sotto_secret key = secret_of(3);
    struct sotto_masking masking;

    memset(lanes, 0, sizeof lanes);
    assert_int_equal(sotto_masking_open_with(&masking, kernel), SOTTO_OK);
    classify(lanes, sizeof lanes);
    for (size_t ring = 0; ring < sizeof rings / sizeof *rings; ring++) {
        sotto_mask_add(lanes, window, &key, rings[ring], &masking);
        sotto_mask_subtract(lanes, window, &key, rings[ring], &masking);
    }
    sotto_masking_close(&masking);
    declassify(lanes, sizeof lanes);
    for (size_t lane = 0; lane < LANES; lane++)
        assert_int_equal(lanes[lane], 0);
    assert_no_trace(state);
}

/* By each kernel that valgrind's processor has: it knows no AVX-512 and no VAES. */
static void mask__key_and_lanes__leave_no_trace(void **state)
{
    const unsigned features = sotto_processor_features();
    const struct sotto_mask_kernel *kernel;

    for (size_t index = 0; (kernel = sotto_mask_kernel_at(index)) != NULL; index++) {
        if (sotto_mask_kernel_fits(kernel, features))
            assert_mask_leaves_no_trace(state, kernel);
        else
            printf("not under valgrind: %s\n", kernel->name);
    }
}

static void pack__lanes__leave_no_trace(void **state)
{
    static uint32_t lanes[LANES];
    static uint8_t packed[LANES * 4];

    for (unsigned ring_bits = 1; ring_bits <= 32; ring_bits++) {
        memset(lanes, 0x5a, sizeof lanes);
        classify(lanes, sizeof lanes);
        sotto_lanes_pack(packed, lanes, LANES, ring_bits);
        sotto_lanes_unpack_add(lanes, LANES, ring_bits, packed);
    }
    assert_no_trace(state);
}

/* Values far below, within and far above the range. */
static void quantise__values_and_dither__leave_no_trace(void **state)
{
    static const struct sotto_quantiser quantiser = {
        .range = 10.0, .value_bits = 16, .ring_bits = 32, .weight_max = 512, .cohort_max = 128};
    static float values[LANES];
    static uint32_t lanes[LANES + 1];
    struct sotto_secret dither = secret_of(4);

    for (size_t i = 0; i < LANES; i++)
        values[i] = ((float)i - 2500.0F) * 0.01F;
    classify(values, sizeof values);
    sotto_quantise(lanes, values, LANES, 300, &quantiser, &dither);
    sotto_quantise_rest(values, lanes, LANES, 300, &quantiser);
    declassify(lanes, sizeof lanes);
    assert_int_equal((int32_t)lanes[0], -300 * 32767);
    assert_int_equal(lanes[LANES - 1], 300 * 32767);
    assert_no_trace(state);
}

static void derivation__keys__leave_no_trace(void **state)
{
    struct sotto_secret key = secret_of(5);
    struct sotto_view view = sotto_view_of(&key, sizeof key);
    struct sotto_view purpose = sotto_view_text("mask");
    struct sotto_secret derived;
    struct sotto_digest mac;

    sotto_hkdf(&derived, view, purpose, purpose);
    sotto_hmac(&mac, &derived, &purpose, 1);
    assert_no_trace(state);
}

static void seal_and_sign__key_plain_and_seed__leave_no_trace(void **state)
{
    struct sotto_secret key = secret_of(6);
    struct sotto_secret plain = secret_of(7);
    uint8_t sealed[sizeof plain + SOTTO_AEAD_TAG_BYTES];
    struct sotto_signature signature;

    sotto_aead_seal(sealed, &key, sotto_view_text("from 1 to 2"),
                    sotto_view_of(&plain, sizeof plain));
    sotto_sign(&signature, &key, "sotto/1 cohort", sotto_view_text("context"));
    assert_no_trace(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(control__branch_on_a_secret__is_noticed, errors_counted),
        cmocka_unit_test_setup(control__address_from_a_secret__is_noticed, errors_counted),
        cmocka_unit_test_setup(secret_equal__equal_or_not__leaves_no_trace, errors_counted),
        cmocka_unit_test_setup(split_and_join__secret_seed_and_shares__leave_no_trace,
                               errors_counted),
        cmocka_unit_test_setup(join__bad_shares__leave_no_trace, errors_counted),
        cmocka_unit_test_setup(mask__key_and_lanes__leave_no_trace, errors_counted),
        cmocka_unit_test_setup(pack__lanes__leave_no_trace, errors_counted),
        cmocka_unit_test_setup(quantise__values_and_dither__leave_no_trace, errors_counted),
        cmocka_unit_test_setup(derivation__keys__leave_no_trace, errors_counted),
        cmocka_unit_test_setup(seal_and_sign__key_plain_and_seed__leave_no_trace, errors_counted),
    };

    if (!RUNNING_ON_VALGRIND) {
        puts("SKIP: constant time is checked under valgrind only");
        return TAINT_SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
