#include "models/data/chat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* What each format makes of a system message, a question, an answer with spaces, and once more. */
struct expected {
    const char *name;
    const char *text;
    const char *answers; /* with '|' after each */
    bool has_system;
};

static const struct expected expectations[] = {
    {"chatml",
     "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
     "<|im_start|>assistant\n Ho <|im_end|>\n<|im_start|>user\nAgain<|im_end|>\n"
     "<|im_start|>assistant\nHo<|im_end|>\n",
     " Ho <|im_end|>|Ho<|im_end|>|", true},
    {"llama2",
     "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST] Ho </s>"
     "<s>[INST] Again [/INST] Ho </s>",
     "Ho </s>|Ho </s>|", true},
    {"llama3",
     "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
     "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
     "<|start_header_id|>assistant<|end_header_id|>\n\nHo<|eot_id|>"
     "<|start_header_id|>user<|end_header_id|>\n\nAgain<|eot_id|>"
     "<|start_header_id|>assistant<|end_header_id|>\n\nHo<|eot_id|>",
     "Ho<|eot_id|>|Ho<|eot_id|>|", true},
    {"mistral", "<s>[INST] Hi [/INST] Ho </s>[INST] Again [/INST]Ho</s>", " Ho </s>|Ho</s>|",
     false},
    {"zephyr",
     "<|system|>\nBe brief.</s>\n<|user|>\nHi</s>\n<|assistant|>\n Ho </s>\n"
     "<|user|>\nAgain</s>\n<|assistant|>\nHo</s>\n",
     " Ho </s>|Ho</s>|", true},
};

static json_t *messages_of(bool has_system)
{
    json_t *messages = json_loads("[{\"role\":\"system\",\"content\":\"Be brief.\"},"
                                  "{\"role\":\"user\",\"content\":\"Hi\"},"
                                  "{\"role\":\"assistant\",\"content\":\" Ho \"},"
                                  "{\"role\":\"user\",\"content\":\"Again\"},"
                                  "{\"role\":\"assistant\",\"content\":\"Ho\"}]",
                                  0, NULL);

    assert_non_null(messages);
    if (!has_system)
        json_array_remove(messages, 0);
    return messages;
}

static void check_format(const struct expected *expected)
{
    json_t *messages = messages_of(expected->has_system);
    struct sotto_chat_text out = {0};
    enum sotto_chat chat;
    char why[SOTTO_FAULT_TEXT_MAX];
    char answers[128] = "";

    assert_int_equal(sotto_chat_parse(&chat, expected->name, NULL), SOTTO_OK);
    assert_int_equal(sotto_chat_write(&out, chat, messages, why), SOTTO_OK);
    sotto_text_add(&out.text, sotto_view_of("", 1));
    assert_string_equal((const char *)out.text.at, expected->text);
    for (size_t i = 0; i < out.answer_count; i++) {
        strncat(answers, (const char *)out.text.at + out.answers[i].first,
                out.answers[i].end - out.answers[i].first);
        strcat(answers, "|");
    }
    assert_string_equal(answers, expected->answers);
    sotto_chat_text_close(&out);
    json_decref(messages);
}

static void chat__each_format__is_its_models(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof expectations / sizeof expectations[0]; i++)
        check_format(&expectations[i]);
}

static void chat__system_message_where_the_format_has_none__is_refused(void **state)
{
    json_t *messages = messages_of(true);
    struct sotto_chat_text out = {0};
    char why[SOTTO_FAULT_TEXT_MAX];

    (void)state;
    assert_int_equal(sotto_chat_write(&out, SOTTO_CHAT_MISTRAL, messages, why), SOTTO_MALFORMED);
    assert_non_null(strstr(why, "'system'"));
    assert_non_null(strstr(why, "known are: user, assistant"));
    sotto_chat_text_close(&out);
    json_decref(messages);
}

static void chat__unknown_format__names_those_that_are_known(void **state)
{
    struct sotto_fault fault;
    enum sotto_chat chat;

    (void)state;
    assert_int_equal(sotto_chat_parse(&chat, "alpaca", &fault), SOTTO_MALFORMED);
    assert_non_null(strstr(fault.text, "'alpaca'"));
    assert_non_null(strstr(fault.text, "chatml"));
}

static void chat__tokeniser_without_the_tokens__is_refused(void **state)
{
    static const char json[] = "{\"added_tokens\":[{\"id\":1,\"content\":\"<|im_start|>\"}],"
                               "\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[]}}";
    struct sotto_tokeniser *tokeniser;
    struct sotto_fault fault = {0};

    (void)state;
    assert_int_equal(sotto_tokeniser_open(&tokeniser, sotto_view_text(json), "a", NULL), SOTTO_OK);
    assert_int_equal(sotto_chat_check(SOTTO_CHAT_CHATML, tokeniser, &fault), SOTTO_MISMATCH);
    assert_non_null(strstr(fault.text, "<|im_end|>"));
    assert_int_equal(sotto_chat_check(SOTTO_CHAT_NONE, tokeniser, NULL), SOTTO_OK);
    sotto_tokeniser_close(tokeniser);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chat__each_format__is_its_models),
        cmocka_unit_test(chat__system_message_where_the_format_has_none__is_refused),
        cmocka_unit_test(chat__unknown_format__names_those_that_are_known),
        cmocka_unit_test(chat__tokeniser_without_the_tokens__is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
