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
};

static const struct expected expectations[] = {
    {"chatml",
     "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
     "<|im_start|>assistant\n Ho <|im_end|>\n<|im_start|>user\nAgain<|im_end|>\n"
     "<|im_start|>assistant\nHo<|im_end|>\n",
     " Ho <|im_end|>|Ho<|im_end|>|"},
    {"llama2",
     "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST] Ho </s>"
     "<s>[INST] Again [/INST] Ho </s>",
     "Ho </s>|Ho </s>|"},
    {"llama3",
     "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
     "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
     "<|start_header_id|>assistant<|end_header_id|>\n\nHo<|eot_id|>"
     "<|start_header_id|>user<|end_header_id|>\n\nAgain<|eot_id|>"
     "<|start_header_id|>assistant<|end_header_id|>\n\nHo<|eot_id|>",
     "Ho<|eot_id|>|Ho<|eot_id|>|"},
    {"mistral", "<s> [INST] Be brief.\n\nHi [/INST]  Ho </s> [INST] Again [/INST] Ho</s>",
     " Ho </s>|Ho</s>|"},
    {"zephyr",
     "<|system|>\nBe brief.</s>\n<|user|>\nHi</s>\n<|assistant|>\n Ho </s>\n"
     "<|user|>\nAgain</s>\n<|assistant|>\nHo</s>\n",
     " Ho </s>|Ho</s>|"},
};

static json_t *messages_of(void)
{
    json_t *messages = json_loads("[{\"role\":\"system\",\"content\":\"Be brief.\"},"
                                  "{\"role\":\"user\",\"content\":\"Hi\"},"
                                  "{\"role\":\"assistant\",\"content\":\" Ho \"},"
                                  "{\"role\":\"user\",\"content\":\"Again\"},"
                                  "{\"role\":\"assistant\",\"content\":\"Ho\"}]",
                                  0, NULL);

    assert_non_null(messages);
    return messages;
}

static void check_format(const struct expected *expected)
{
    json_t *messages = messages_of();
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

/* Messages by their roles, each with the content that it is called by. */
static enum sotto_status write_roles(struct sotto_chat_text *out, enum sotto_chat chat,
                                     const char *roles, char *why)
{
    json_t *messages = json_array();
    enum sotto_status status;

    for (; *roles != '\0'; roles++) {
        const char *role = *roles == 's' ? "system" : *roles == 'u' ? "user" : "assistant";

        json_array_append_new(messages, json_pack("{s:s, s:s}", "role", role, "content", role));
    }
    status = sotto_chat_write(out, chat, messages, why);
    json_decref(messages);
    return status;
}

static void chat__order_that_the_format_does_not_have__is_refused(void **state)
{
    static const char *const orders[] = {"usa", "ssua", "sa", "uua", "uaa", "au", "uasua"};
    struct sotto_chat_text out = {0};
    char why[SOTTO_FAULT_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        assert_int_equal(write_roles(&out, SOTTO_CHAT_LLAMA2, orders[i], why), SOTTO_MALFORMED);
        assert_non_null(strstr(why, "put the messages in that order"));
        assert_int_equal(write_roles(&out, SOTTO_CHAT_MISTRAL, orders[i], why), SOTTO_MALFORMED);
        assert_int_equal(write_roles(&out, SOTTO_CHAT_CHATML, orders[i], why), SOTTO_OK);
    }
    assert_int_equal(write_roles(&out, SOTTO_CHAT_LLAMA2, "suauau", why), SOTTO_OK);
    sotto_chat_text_close(&out);
}

static void chat__tokeniser_that_prepends__puts_the_space_itself(void **state)
{
    struct sotto_chat_text out = {.is_prepended = true};
    char why[SOTTO_FAULT_TEXT_MAX];

    (void)state;
    assert_int_equal(write_roles(&out, SOTTO_CHAT_MISTRAL, "uau", why), SOTTO_OK);
    sotto_text_add(&out.text, sotto_view_of("", 1));
    assert_string_equal((const char *)out.text.at,
                        "<s>[INST] user [/INST] assistant</s>[INST] user [/INST]");
    sotto_chat_text_close(&out);
}

/* As Python's strip does. */
static void chat__trimmed_content__loses_any_white_space(void **state)
{
    json_t *messages =
        json_loads("[{\"role\":\"user\",\"content\":\"\\u00a0\\u001ca b\\u001f\\u3000\"},"
                   "{\"role\":\"assistant\",\"content\":\"\\u2009\\u200b\\u0085\"}]",
                   0, NULL);
    struct sotto_chat_text out = {0};
    char why[SOTTO_FAULT_TEXT_MAX];

    (void)state;
    assert_int_equal(sotto_chat_write(&out, SOTTO_CHAT_LLAMA2, messages, why), SOTTO_OK);
    sotto_text_add(&out.text, sotto_view_of("", 1));
    assert_string_equal((const char *)out.text.at, "<s>[INST] a b [/INST] \xe2\x80\x8b </s>");
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

/* A question ends where a conversation's answer begins, but for a space before it. */
static void check_question(const struct expected *expected, bool is_prepended)
{
    json_t *messages = messages_of();
    struct sotto_chat_text whole = {.is_prepended = is_prepended};
    struct sotto_chat_text asked = {.is_prepended = is_prepended};
    struct sotto_view end;
    enum sotto_chat chat;
    char why[SOTTO_FAULT_TEXT_MAX];
    size_t space;

    assert_int_equal(sotto_chat_parse(&chat, expected->name, NULL), SOTTO_OK);
    space = chat == SOTTO_CHAT_LLAMA2 || chat == SOTTO_CHAT_MISTRAL ? 1 : 0;
    assert_int_equal(sotto_chat_write(&whole, chat, messages, why), SOTTO_OK);
    assert_int_equal(
        sotto_chat_ask(&asked, chat, sotto_view_text("Be brief."), sotto_view_text("Hi")),
        SOTTO_OK);
    assert_int_equal(asked.text.length + space, whole.answers[0].first);
    assert_memory_equal(asked.text.at, whole.text.at, asked.text.length);
    end = sotto_chat_end(chat);
    assert_true(end.length > 3 && whole.answers[0].end > end.length);
    assert_memory_equal(whole.text.at + whole.answers[0].end - end.length, end.at, end.length);
    assert_int_equal(end.at[0], '<');
    sotto_chat_text_close(&whole);
    sotto_chat_text_close(&asked);
    json_decref(messages);
}

static void chat__question__goes_up_to_its_answer(void **state)
{
    struct sotto_chat_text asked = {0};

    (void)state;
    for (size_t i = 0; i < sizeof expectations / sizeof expectations[0]; i++) {
        check_question(&expectations[i], false);
        check_question(&expectations[i], true);
    }
    assert_int_equal(
        sotto_chat_ask(&asked, SOTTO_CHAT_CHATML, sotto_view_of(NULL, 0), sotto_view_text("Hi")),
        SOTTO_OK);
    assert_true(sotto_view_equal(
        sotto_text_view(&asked.text),
        sotto_view_text("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")));
    assert_int_equal(sotto_chat_end(SOTTO_CHAT_NONE).length, 0);
    sotto_chat_text_close(&asked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chat__each_format__is_its_models),
        cmocka_unit_test(chat__order_that_the_format_does_not_have__is_refused),
        cmocka_unit_test(chat__tokeniser_that_prepends__puts_the_space_itself),
        cmocka_unit_test(chat__trimmed_content__loses_any_white_space),
        cmocka_unit_test(chat__question__goes_up_to_its_answer),
        cmocka_unit_test(chat__unknown_format__names_those_that_are_known),
        cmocka_unit_test(chat__tokeniser_without_the_tokens__is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
