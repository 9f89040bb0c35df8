/* config.json: what is read, what is refused and in which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "models/arch/arch.h"

#define SHAPE                                                                                      \
    "\"intermediate_size\": 512, \"num_hidden_layers\": 6, \"image_size\": 28, \"patch_size\": 4"
#define WHOLE "\"model_type\": \"vit\", \"hidden_size\": 128, \"num_attention_heads\": 4, " SHAPE

static enum sotto_status decode(struct sotto_arch *arch, const char *text,
                                struct sotto_fault *fault)
{
    return sotto_arch_decode(arch, sotto_view_text(text), "config.json", fault);
}

static void arch__only_the_required_keys__the_rest_is_hugging_faces_default(void **state)
{
    struct sotto_arch arch;

    (void)state;
    assert_int_equal(decode(&arch, "{" WHOLE "}", NULL), SOTTO_OK);
    assert_int_equal(arch.width, 128);
    assert_int_equal(arch.mlp_width, 512);
    assert_int_equal(arch.block_count, 6);
    assert_int_equal(arch.head_count, 4);
    assert_int_equal(arch.channels, 3);
    assert_true(arch.norm_epsilon == 1e-12);
    assert_true(arch.has_qkv_bias);
    assert_int_equal(sotto_arch_token_count(&arch), 50);
}

static void arch__optional_keys__are_taken(void **state)
{
    struct sotto_arch arch;

    (void)state;
    assert_int_equal(decode(&arch,
                            "{" WHOLE ", \"num_channels\": 1, \"layer_norm_eps\": 1e-6,"
                            " \"qkv_bias\": false, \"hidden_act\": \"gelu\"}",
                            NULL),
                     SOTTO_OK);
    assert_int_equal(arch.channels, 1);
    assert_true(arch.norm_epsilon == 1e-6);
    assert_false(arch.has_qkv_bias);
}

static void arch__config_that_cannot_be__is_refused_by_key(void **state)
{
    static const struct {
        const char *text;
        enum sotto_status status;
        const char *part;
    } rows[] = {
        {"", SOTTO_MALFORMED, "line"},
        {"{" WHOLE ",\n}", SOTTO_MALFORMED, "line 2"},
        {"[1]", SOTTO_MALFORMED, "object"},
        {"{" WHOLE ", \"hidden_size\": 128}", SOTTO_MALFORMED, "duplicate"},
        {"{\"hidden_size\": 128}", SOTTO_MALFORMED, "model_type"},
        {"{\"model_type\": \"bert\"}", SOTTO_UNSUPPORTED, "'bert'; known is: vit"},
        {"{\"model_type\": \"vit\"}", SOTTO_MALFORMED, "hidden_size is missing"},
        {"{\"model_type\": \"vit\", \"hidden_size\": 0}", SOTTO_MALFORMED, "hidden_size"},
        {"{\"model_type\": \"vit\", \"hidden_size\": 1.5}", SOTTO_MALFORMED, "hidden_size"},
        {"{\"model_type\": \"vit\", \"hidden_size\": 99999999999}", SOTTO_OVER_LIMIT,
         "hidden_size"},
        {"{\"model_type\": \"vit\", \"hidden_size\": 128, \"num_attention_heads\": 3, " SHAPE "}",
         SOTTO_MALFORMED, "num_attention_heads"},
        {"{" WHOLE ", \"num_channels\": 2}", SOTTO_UNSUPPORTED, "num_channels"},
        {"{" WHOLE ", \"hidden_act\": \"relu\"}", SOTTO_UNSUPPORTED, "'relu'; known is: gelu"},
        {"{" WHOLE ", \"hidden_act\": 3}", SOTTO_MALFORMED, "hidden_act"},
        {"{" WHOLE ", \"layer_norm_eps\": 0}", SOTTO_MALFORMED, "layer_norm_eps"},
        {"{" WHOLE ", \"qkv_bias\": 1}", SOTTO_MALFORMED, "qkv_bias"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sotto_arch arch = {.width = 7};
        struct sotto_fault fault = {0};

        assert_int_equal(decode(&arch, rows[i].text, &fault), rows[i].status);
        assert_int_equal(arch.width, 7);
        if (strstr(fault.text, rows[i].part) == NULL)
            fail_msg("'%s' does not name '%s'", fault.text, rows[i].part);
    }
}

static void arch__patch_that_does_not_divide_the_picture__is_malformed(void **state)
{
    struct sotto_arch arch;
    struct sotto_fault fault = {0};

    (void)state;
    assert_int_equal(decode(&arch,
                            "{\"model_type\": \"vit\", \"hidden_size\": 8,"
                            " \"num_attention_heads\": 2, \"intermediate_size\": 8,"
                            " \"num_hidden_layers\": 1, \"image_size\": 28, \"patch_size\": 5}",
                            &fault),
                     SOTTO_MALFORMED);
    assert_non_null(strstr(fault.text, "patch_size 5 does not divide image_size 28"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arch__only_the_required_keys__the_rest_is_hugging_faces_default),
        cmocka_unit_test(arch__optional_keys__are_taken),
        cmocka_unit_test(arch__config_that_cannot_be__is_refused_by_key),
        cmocka_unit_test(arch__patch_that_does_not_divide_the_picture__is_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
