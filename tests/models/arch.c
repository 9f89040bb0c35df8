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

struct refusal {
    const char *text;
    enum sotto_status status;
    const char *part; /* of the fault */
};

static void refuse_all(const struct refusal *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct sotto_arch arch = {.width = 7};
        struct sotto_fault fault = {0};

        assert_int_equal(decode(&arch, rows[i].text, &fault), rows[i].status);
        assert_int_equal(arch.width, 7);
        if (strstr(fault.text, rows[i].part) == NULL)
            fail_msg("'%s' does not name '%s'", fault.text, rows[i].part);
    }
}

static void arch__config_that_cannot_be__is_refused_by_key(void **state)
{
    static const struct refusal rows[] = {
        {"", SOTTO_MALFORMED, "line"},
        {"{" WHOLE ",\n}", SOTTO_MALFORMED, "line 2"},
        {"[1]", SOTTO_MALFORMED, "object"},
        {"{" WHOLE ", \"hidden_size\": 128}", SOTTO_MALFORMED, "duplicate"},
        {"{\"hidden_size\": 128}", SOTTO_MALFORMED, "model_type"},
        {"{\"model_type\": \"gpt2\"}", SOTTO_UNSUPPORTED, "'gpt2'; known are: vit, deit, bert"},
        {"{\"model_type\": 7}", SOTTO_MALFORMED, "model_type must be text"},
        {"{\"model_type\": \"vit\"}", SOTTO_MALFORMED, "hidden_size is missing"},
        {"{\"model_type\": \"vit\", \"hidden_size\": 0}", SOTTO_MALFORMED, "hidden_size"},
        {"{\"model_type\": \"vit\", \"hidden_size\": 1.5}", SOTTO_MALFORMED, "hidden_size"},
        {"{\"model_type\": \"vit\", \"hidden_size\": 99999999999}", SOTTO_OVER_LIMIT,
         "hidden_size"},
        {"{\"model_type\": \"vit\", \"hidden_size\": 128, \"num_attention_heads\": 3, " SHAPE "}",
         SOTTO_MALFORMED, "num_attention_heads"},
        {"{" WHOLE ", \"num_channels\": 2}", SOTTO_UNSUPPORTED, "num_channels"},
        {"{" WHOLE ", \"hidden_act\": \"relu\"}", SOTTO_UNSUPPORTED, "'relu'; known are: gelu"},
        {"{" WHOLE ", \"hidden_act\": 3}", SOTTO_MALFORMED, "hidden_act"},
        {"{" WHOLE ", \"layer_norm_eps\": 0}", SOTTO_MALFORMED, "layer_norm_eps"},
        {"{" WHOLE ", \"qkv_bias\": 1}", SOTTO_MALFORMED, "qkv_bias"},
        {"{" WHOLE ", \"torch_dtype\": \"int8\"}", SOTTO_UNSUPPORTED,
         "torch_dtype is 'int8'; known are: float32, float16, bfloat16"},
        {"{" WHOLE ", \"dtype\": \"float64\"}", SOTTO_UNSUPPORTED, "dtype is 'float64'"},
        {"{" WHOLE ", \"quantization_config\": {}}", SOTTO_UNSUPPORTED, "quantization_config"},
    };

    (void)state;
    refuse_all(rows, sizeof rows / sizeof rows[0]);
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

#define BERT                                                                                       \
    "\"model_type\": \"bert\", \"hidden_size\": 384, \"num_attention_heads\": 12,"                 \
    " \"intermediate_size\": 1536, \"num_hidden_layers\": 6, \"vocab_size\": 30522"
#define DECODER                                                                                    \
    "\"hidden_size\": 64, \"num_attention_heads\": 4, \"intermediate_size\": 96,"                  \
    " \"num_hidden_layers\": 2, \"vocab_size\": 100, \"max_position_embeddings\": 256"
#define LLAMA   "\"model_type\": \"llama\", " DECODER
#define QWEN2   "\"model_type\": \"qwen2\", \"num_key_value_heads\": 2, " DECODER
#define MISTRAL "\"model_type\": \"mistral\", \"num_key_value_heads\": 2, " DECODER

static void arch__bert__has_biases_and_positions_and_types(void **state)
{
    struct sotto_arch arch;

    (void)state;
    assert_int_equal(decode(&arch, "{" BERT ", \"position_embedding_type\": \"absolute\"}", NULL),
                     SOTTO_OK);
    assert_int_equal(arch.family, SOTTO_FAMILY_BERT);
    assert_int_equal(arch.task, SOTTO_TASK_TEXT_CLASS);
    assert_int_equal(arch.vocabulary, 30522);
    assert_int_equal(arch.position_count, 512);
    assert_int_equal(arch.type_count, 2);
    assert_int_equal(arch.kv_head_count, 12);
    assert_int_equal(arch.head_width, 32);
    assert_int_equal(arch.activation, SOTTO_ARCH_GELU);
    assert_true(arch.norm_epsilon == 1e-12);
    assert_true(arch.has_qkv_bias && arch.has_out_bias && arch.has_mlp_bias);
    assert_true(arch.rope.theta == 0.0);
}

static void arch__hidden_act__chooses_the_activation(void **state)
{
    static const struct {
        const char *text;
        enum sotto_arch_activation activation;
    } rows[] = {
        {"{" BERT ", \"hidden_act\": \"gelu\"}", SOTTO_ARCH_GELU},
        {"{" BERT ", \"hidden_act\": \"gelu_new\"}", SOTTO_ARCH_GELU_TANH},
        {"{" BERT ", \"hidden_act\": \"gelu_pytorch_tanh\"}", SOTTO_ARCH_GELU_TANH},
        {"{" WHOLE ", \"hidden_act\": \"gelu_fast\"}", SOTTO_ARCH_GELU_TANH},
        {"{" LLAMA "}", SOTTO_ARCH_SILU_GATE},
        {"{" LLAMA ", \"hidden_act\": \"silu\"}", SOTTO_ARCH_SILU_GATE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sotto_arch arch;

        assert_int_equal(decode(&arch, rows[i].text, NULL), SOTTO_OK);
        assert_int_equal(arch.activation, rows[i].activation);
    }
}

static void arch__llama_with_few_keys__has_the_defaults_of_its_class(void **state)
{
    struct sotto_arch arch;

    (void)state;
    assert_int_equal(decode(&arch,
                            "{" LLAMA ", \"num_key_value_heads\": null, \"head_dim\": null,"
                            " \"rope_scaling\": null, \"sliding_window\": null}",
                            NULL),
                     SOTTO_OK);
    assert_int_equal(arch.family, SOTTO_FAMILY_LLAMA);
    assert_int_equal(arch.task, SOTTO_TASK_CAUSAL_LM);
    assert_int_equal(arch.kv_head_count, 4);
    assert_int_equal(arch.head_width, 16);
    assert_true(arch.rope.theta == 1e4);
    assert_int_equal(arch.rope.scaling, SOTTO_ROPE_PLAIN);
    assert_true(arch.norm_epsilon == 1e-6);
    assert_false(arch.has_qkv_bias || arch.has_out_bias || arch.has_mlp_bias);
    assert_false(arch.has_tied_embeddings);
}

static void arch__llama_with_all_keys__takes_them(void **state)
{
    struct sotto_arch arch;

    (void)state;
    assert_int_equal(decode(&arch,
                            "{" LLAMA ", \"num_key_value_heads\": 2, \"head_dim\": 24,"
                            " \"attention_bias\": true, \"mlp_bias\": true,"
                            " \"tie_word_embeddings\": true, \"rms_norm_eps\": 1e-5,"
                            " \"rope_theta\": 500000, \"torch_dtype\": \"bfloat16\"}",
                            NULL),
                     SOTTO_OK);
    assert_int_equal(sotto_arch_query_width(&arch), 96);
    assert_int_equal(sotto_arch_kv_width(&arch), 48);
    assert_true(arch.has_qkv_bias && arch.has_out_bias && arch.has_mlp_bias);
    assert_true(arch.has_tied_embeddings);
    assert_true(arch.norm_epsilon == 1e-5);
    assert_true(arch.rope.theta == 5e5);
}

static void arch__qwen2_and_mistral__are_llama_with_other_biases(void **state)
{
    struct sotto_arch arch;

    (void)state;
    assert_int_equal(decode(&arch,
                            "{" QWEN2 ", \"use_sliding_window\": false, \"sliding_window\": 16,"
                            " \"layer_types\": [\"full_attention\", \"full_attention\"]}",
                            NULL),
                     SOTTO_OK);
    assert_int_equal(arch.family, SOTTO_FAMILY_LLAMA);
    assert_int_equal(arch.kv_head_count, 2);
    assert_true(arch.has_qkv_bias);
    assert_false(arch.has_out_bias || arch.has_mlp_bias);
    assert_int_equal(decode(&arch, "{" MISTRAL ", \"sliding_window\": 256}", NULL), SOTTO_OK);
    assert_false(arch.has_qkv_bias || arch.has_out_bias || arch.has_mlp_bias);
}

static void arch__rope_scaling__is_read_as_either_major_writes_it(void **state)
{
    struct sotto_arch arch;

    (void)state;
    assert_int_equal(
        decode(&arch, "{" LLAMA ", \"rope_scaling\": {\"type\": \"linear\", \"factor\": 2}}", NULL),
        SOTTO_OK);
    assert_int_equal(arch.rope.scaling, SOTTO_ROPE_LINEAR);
    assert_true(arch.rope.factor == 2.0);
    assert_int_equal(decode(&arch,
                            "{" LLAMA ", \"rope_parameters\": {\"rope_type\": \"llama3\","
                            " \"rope_theta\": 5e5, \"factor\": 8.0, \"low_freq_factor\": 1.0,"
                            " \"high_freq_factor\": 4.0,"
                            " \"original_max_position_embeddings\": 8192}}",
                            NULL),
                     SOTTO_OK);
    assert_int_equal(arch.rope.scaling, SOTTO_ROPE_LLAMA3);
    assert_true(arch.rope.theta == 5e5);
    assert_true(arch.rope.factor == 8.0);
    assert_true(arch.rope.low_frequency_factor == 1.0 && arch.rope.high_frequency_factor == 4.0);
    assert_int_equal(arch.rope.original_positions, 8192);
}

static void arch__class__is_of_the_task_or_a_bare_or_pretrained_model(void **state)
{
    static const char *const good[] = {
        "{" BERT ", \"architectures\": [\"BertModel\"]}",
        "{" BERT ", \"architectures\": [\"BertForMaskedLM\"]}",
        "{" LLAMA ", \"architectures\": [\"LlamaForCausalLM\"]}",
        "{" QWEN2 ", \"architectures\": null}",
        "{" MISTRAL ", \"architectures\": []}",
    };
    static const struct refusal rows[] = {
        {"{" BERT ", \"architectures\": [\"BertForTokenClassification\"]}", SOTTO_UNSUPPORTED,
         "architectures has 'BertForTokenClassification'; known are: BertForSequenceClass"},
        {"{" LLAMA ", \"architectures\": [\"LlamaForSequenceClassification\"]}", SOTTO_UNSUPPORTED,
         "'LlamaForSequenceClassification'; known are: LlamaForCausalLM, LlamaModel"},
        {"{" QWEN2 ", \"architectures\": [\"LlamaForCausalLM\"]}", SOTTO_UNSUPPORTED,
         "known are: Qwen2ForCausalLM"},
        {"{" MISTRAL ", \"architectures\": [7]}", SOTTO_UNSUPPORTED, "architectures has ''"},
        {"{" MISTRAL ", \"architectures\": \"MistralModel\"}", SOTTO_MALFORMED, "must be a list"},
    };
    struct sotto_arch arch;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(decode(&arch, good[i], NULL), SOTTO_OK);
    refuse_all(rows, sizeof rows / sizeof rows[0]);
}

static void arch__deit__has_one_more_token(void **state)
{
    struct sotto_arch arch;

    (void)state;
    assert_int_equal(decode(&arch,
                            "{\"model_type\": \"deit\", \"hidden_size\": 128,"
                            " \"num_attention_heads\": 4, " SHAPE "}",
                            NULL),
                     SOTTO_OK);
    assert_int_equal(arch.family, SOTTO_FAMILY_DEIT);
    assert_int_equal(sotto_arch_token_count(&arch), 51);
}

#define SCALING(text) "{" LLAMA ", \"rope_scaling\": {" text "}}"

static void arch__eos_token_id__ends_a_text(void **state)
{
    struct sotto_arch arch;

    (void)state;
    assert_int_equal(decode(&arch, "{" LLAMA "}", NULL), SOTTO_OK);
    assert_int_equal(arch.end_token_count, 0);
    assert_int_equal(decode(&arch, "{" LLAMA ", \"eos_token_id\": 7}", NULL), SOTTO_OK);
    assert_int_equal(arch.end_token_count, 1);
    assert_int_equal(arch.end_tokens[0], 7);
    assert_int_equal(decode(&arch,
                            "{" LLAMA ", \"eos_token_id\": [3, -1, 100, null, 5, 6, 7, 8, 9, 10,"
                            " 11, 12]}",
                            NULL),
                     SOTTO_OK);
    assert_int_equal(arch.end_token_count, SOTTO_END_TOKENS_MAX);
    assert_int_equal(arch.end_tokens[1], 5);
    assert_int_equal(decode(&arch, "{" LLAMA ", \"eos_token_id\": null}", NULL), SOTTO_OK);
    assert_int_equal(arch.end_token_count, 0);
}

static void arch__text_config_that_cannot_be__is_refused_by_key(void **state)
{
    static const struct refusal rows[] = {
        {"{" BERT ", \"hidden_act\": \"silu\"}", SOTTO_UNSUPPORTED, "hidden_act is 'silu'"},
        {"{" BERT ", \"position_embedding_type\": \"relative_key\"}", SOTTO_UNSUPPORTED,
         "position_embedding_type is 'relative_key'; known is: absolute"},
        {"{" BERT ", \"is_decoder\": true}", SOTTO_UNSUPPORTED, "is_decoder is true"},
        {"{" BERT ", \"add_cross_attention\": true}", SOTTO_UNSUPPORTED, "add_cross_attention"},
        {"{" BERT ", \"type_vocab_size\": 0}", SOTTO_MALFORMED, "type_vocab_size"},
        {"{" BERT ", \"layer_norm_eps\": 2}", SOTTO_MALFORMED, "layer_norm_eps"},
        {"{\"model_type\": \"mistral\", " DECODER "}", SOTTO_MALFORMED,
         "num_key_value_heads is missing"},
        {"{" LLAMA ", \"hidden_act\": \"gelu\"}", SOTTO_UNSUPPORTED, "known are: silu, swish"},
        {"{" LLAMA ", \"num_key_value_heads\": 3}", SOTTO_MALFORMED, "num_key_value_heads 3"},
        {"{" LLAMA ", \"head_dim\": 15}", SOTTO_MALFORMED, "head_dim 15 is odd"},
        {"{" LLAMA ", \"head_dim\": 2000}", SOTTO_OVER_LIMIT, "head_dim"},
        {"{" LLAMA ", \"partial_rotary_factor\": 0.5}", SOTTO_UNSUPPORTED, "partial_rotary_factor"},
        {"{" LLAMA ", \"rope_interleaved\": true}", SOTTO_UNSUPPORTED, "rope_interleaved"},
        {"{" LLAMA ", \"rope_theta\": -1}", SOTTO_MALFORMED, "rope_theta"},
        {"{" LLAMA ", \"rope_scaling\": 3}", SOTTO_MALFORMED, "rope_scaling must be an object"},
        {SCALING("\"type\": \"yarn\""), SOTTO_UNSUPPORTED,
         "type is 'yarn'; known are: default, linear, llama3"},
        {SCALING("\"type\": \"linear\""), SOTTO_MALFORMED, "factor is missing"},
        {SCALING("\"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 4,"
                 " \"high_freq_factor\": 4, \"original_max_position_embeddings\": 99"),
         SOTTO_MALFORMED, "low_freq_factor must be below"},
        {"{" MISTRAL ", \"sliding_window\": 255}", SOTTO_UNSUPPORTED,
         "sliding_window is 255, below max_position_embeddings 256"},
        {"{" QWEN2 ", \"use_sliding_window\": true, \"sliding_window\": 16}", SOTTO_UNSUPPORTED,
         "sliding_window is 16"},
        {"{" QWEN2 ", \"layer_types\": [\"sliding_attention\"]}", SOTTO_UNSUPPORTED,
         "layer_types has 'sliding_attention'"},
    };

    (void)state;
    refuse_all(rows, sizeof rows / sizeof rows[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arch__only_the_required_keys__the_rest_is_hugging_faces_default),
        cmocka_unit_test(arch__optional_keys__are_taken),
        cmocka_unit_test(arch__config_that_cannot_be__is_refused_by_key),
        cmocka_unit_test(arch__patch_that_does_not_divide_the_picture__is_malformed),
        cmocka_unit_test(arch__bert__has_biases_and_positions_and_types),
        cmocka_unit_test(arch__hidden_act__chooses_the_activation),
        cmocka_unit_test(arch__llama_with_few_keys__has_the_defaults_of_its_class),
        cmocka_unit_test(arch__llama_with_all_keys__takes_them),
        cmocka_unit_test(arch__qwen2_and_mistral__are_llama_with_other_biases),
        cmocka_unit_test(arch__rope_scaling__is_read_as_either_major_writes_it),
        cmocka_unit_test(arch__class__is_of_the_task_or_a_bare_or_pretrained_model),
        cmocka_unit_test(arch__deit__has_one_more_token),
        cmocka_unit_test(arch__eos_token_id__ends_a_text),
        cmocka_unit_test(arch__text_config_that_cannot_be__is_refused_by_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
