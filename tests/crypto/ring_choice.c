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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernel_best__any_set_of_features__fits_and_nothing_faster_does),
        cmocka_unit_test(kernel_best__no_feature__is_the_reference),
        cmocka_unit_test(processor_features__of_this_machine__imply_what_they_stand_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
