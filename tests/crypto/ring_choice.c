/* Which mask kernel a processor gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/ring/kernels/kernels.h"
#include "crypto/ring/kernels/processor.h"

static void kernel_best__any_set_of_features__fits_and_nothing_faster_does(void **state)
{
    (void)state;
    for (unsigned features = 0; features < 16; features++) {
        const struct sotto_mask_kernel *best = sotto_mask_kernel_best(features);

        assert_true(sotto_mask_kernel_fits(best, features));
        for (size_t i = 0; sotto_mask_kernel_at(i) != best; i++)
            assert_false(sotto_mask_kernel_fits(sotto_mask_kernel_at(i), features));
    }
}

/* What runs everywhere is there, and no processor without features gets anything else. */
static void kernel_best__no_feature__is_the_reference(void **state)
{
    (void)state;
    assert_string_equal(sotto_mask_kernel_best(0)->name, "evp");
    assert_int_equal(sotto_mask_kernel_best(0)->needs, 0);
}

/* A wider kernel never lacks what a narrower one has. */
static void processor_features__of_this_machine__imply_what_they_stand_on(void **state)
{
    const unsigned features = sotto_processor_features();
    const unsigned below_256 = SOTTO_PROCESSOR_AESNI | SOTTO_PROCESSOR_AVX2;

    (void)state;
    if (features & SOTTO_PROCESSOR_VAES512)
        assert_true(features & SOTTO_PROCESSOR_VAES256);
    if (features & SOTTO_PROCESSOR_VAES256)
        assert_int_equal(features & below_256, below_256);
    assert_int_equal(sotto_processor_features(), features);
}

enum {
    AES = 1 << 25,
    OSXSAVE = 1 << 27,
    AVX2 = 1 << 5,
    AVX512F = 1 << 16,
    AVX512BW = 1 << 30,
    VAES = 1 << 9,
    YMM = 0x7,
    ZMM = 0xe7,
};

static const struct {
    struct sotto_processor_words words;
    const char *kernel;
} machines[] = {
    {{AES | OSXSAVE, AVX2 | AVX512F | AVX512BW, VAES, ZMM}, "vaes512"},
    {{AES | OSXSAVE, AVX2 | AVX512F | AVX512BW, VAES, YMM}, "vaes256"}, /* the system saves less */
    {{AES | OSXSAVE, AVX2 | AVX512F | AVX512BW, VAES, ZMM & ~0x80}, "vaes256"},
    {{AES | OSXSAVE, AVX2 | AVX512F, VAES, ZMM}, "vaes256"},
    {{AES | OSXSAVE, AVX2, VAES, YMM}, "vaes256"},
    {{AES | OSXSAVE, AVX2, 0, YMM}, "aesni"},
    {{AES | OSXSAVE, AVX2, VAES, 0x3}, "aesni"},
    {{AES, AVX2 | AVX512F | AVX512BW, VAES, ZMM}, "aesni"}, /* without OSXSAVE it means nothing */
    {{AES, 0, 0, 0}, "aesni"},
    {{OSXSAVE, AVX2, 0, YMM}, "evp-avx2"}, /* a guest from which AES-NI is hidden */
    {{OSXSAVE, AVX2 | AVX512F | AVX512BW, VAES, ZMM}, "evp-avx2"},
    {{OSXSAVE, AVX2, 0, 0x3}, "evp"},
    {{0, 0, 0, 0}, "evp"},
};

static void kernel_best__any_machine__is_what_it_and_its_system_can_run(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++) {
        unsigned features = sotto_processor_features_of(&machines[i].words);

        if (sotto_mask_kernel_at(1) != NULL)
            assert_string_equal(sotto_mask_kernel_best(features)->name, machines[i].kernel);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernel_best__any_set_of_features__fits_and_nothing_faster_does),
        cmocka_unit_test(kernel_best__no_feature__is_the_reference),
        cmocka_unit_test(kernel_best__any_machine__is_what_it_and_its_system_can_run),
        cmocka_unit_test(processor_features__of_this_machine__imply_what_they_stand_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
