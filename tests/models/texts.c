#include "models/data/texts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/file.h"
#include "models/data/csv.h"
#include "tests/support/folder.h"

static const char names[][48] = {"great", "other"};
static const struct sotto_label_names labels = {names, 2};

/* A vector of tests/vectors/tokenise, a folder for files, and what stands in the last fault. */
struct desk {
    struct folder folder;
    struct sotto_tokeniser *tokeniser;
    struct sotto_text_form form;
    struct sotto_text_report report;
    struct sotto_dataset dataset;
    struct sotto_fault fault;
};

static void open_desk(struct desk *desk, const char *vector, const struct sotto_label_names *chosen)
{
    uint8_t *bytes;
    size_t length;
    char path[128];

    *desk = (struct desk){0};
    folder_open(&desk->folder);
    snprintf(path, sizeof path, "tests/vectors/tokenise/%s.json", vector);
    assert_int_equal(sotto_file_read(&bytes, &length, path, SOTTO_TOKENISER_BYTES_MAX, NULL),
                     SOTTO_OK);
    assert_int_equal(
        sotto_tokeniser_open(&desk->tokeniser, sotto_view_of(bytes, length), path, NULL), SOTTO_OK);
    free(bytes);
    desk->form =
        (struct sotto_text_form){.tokeniser = desk->tokeniser, .length_max = 64, .labels = chosen};
}

static void close_desk(struct desk *desk)
{
    sotto_dataset_close(&desk->dataset);
    sotto_tokeniser_close(desk->tokeniser);
    folder_close(&desk->folder);
}

static enum sotto_status read_file(struct desk *desk, const char *name, const char *content)
{
    struct folder_path path = folder_path(&desk->folder, name);

    folder_write(&desk->folder, name, sotto_view_text(content));
    sotto_dataset_close(&desk->dataset);
    return sotto_dataset_open_text_file(&desk->dataset, &desk->report, path.text, &desk->form,
                                        &desk->fault);
}

static void texts__json_lines__become_tokens_and_labels(void **state)
{
    struct desk desk;

    (void)state;
    open_desk(&desk, "bert-uncased", &labels);
    assert_int_equal(read_file(&desk, "reviews.jsonl",
                               "{\"text\": \"a a\", \"label\": \"other\", \"id\": 7}\r\n"
                               "\n{\"label\": 0, \"text\": \"The dog\"}"),
                     SOTTO_OK);
    assert_int_equal(desk.dataset.kind, SOTTO_DATASET_TEXTS);
    assert_int_equal(desk.dataset.count, 2);
    assert_int_equal(desk.dataset.labels[0], 1);
    assert_int_equal(desk.dataset.labels[1], 0);
    assert_int_equal(desk.dataset.starts[1], 4);
    assert_int_equal(desk.dataset.tokens[0], 2);
    assert_int_equal(desk.dataset.tokens[1], desk.dataset.tokens[2]);
    assert_int_equal(desk.dataset.tokens[3], 3);
    assert_null(desk.dataset.is_answer);
    close_desk(&desk);
}

static void texts__csv__is_the_same_as_json_lines(void **state)
{
    struct desk desk;
    uint32_t tokens[64];
    size_t count;

    (void)state;
    open_desk(&desk, "bert-uncased", &labels);
    assert_int_equal(read_file(&desk, "a.jsonl",
                               "{\"text\":\"The \\\"dog\\\", lazy\\nfox\",\"label\":\"great\"}"),
                     SOTTO_OK);
    count = desk.dataset.starts[1];
    memcpy(tokens, desk.dataset.tokens, count * sizeof *tokens);
    assert_int_equal(read_file(&desk, "a.csv",
                               "\xef\xbb\xbflabel,id,text\r\n"
                               "great,7,\"The \"\"dog\"\", lazy\nfox\"\r\n\r\nother,8,a\r\n"),
                     SOTTO_OK);
    assert_int_equal(desk.dataset.count, 2);
    assert_int_equal(desk.dataset.starts[1], count);
    assert_memory_equal(desk.dataset.tokens, tokens, count * sizeof *tokens);
    assert_int_equal(desk.dataset.labels[0], 0);
    assert_int_equal(desk.dataset.labels[1], 1);
    close_desk(&desk);
}

static void texts__byte_order_mark__is_passed_over(void **state)
{
    struct desk desk;

    (void)state;
    open_desk(&desk, "bert-uncased", &labels);
    assert_int_equal(read_file(&desk, "a.jsonl",
                               "\xef\xbb\xbf{\"text\":\"a\",\"label\":1}\n"
                               "{\"text\":\"a a\",\"label\":0}\n"),
                     SOTTO_OK);
    assert_int_equal(desk.dataset.count, 2);
    assert_int_equal(desk.dataset.labels[0], 1);
    close_desk(&desk);
}

static void texts__csv_with_indices__are_labels_unless_names_are_numbers(void **state)
{
    static const char numbers[][48] = {"1", "0"};
    static const struct sotto_label_names numbered = {numbers, 2};
    struct desk desk;

    (void)state;
    open_desk(&desk, "bert-uncased", &labels);
    assert_int_equal(read_file(&desk, "a.csv", "text,label\na,1\na,0\na,other\n"), SOTTO_OK);
    assert_int_equal(desk.dataset.labels[0], 1);
    assert_int_equal(desk.dataset.labels[1], 0);
    assert_int_equal(desk.dataset.labels[2], 1);
    desk.form.labels = &numbered;
    assert_int_equal(read_file(&desk, "a.csv", "text,label\na,1\na,0\n"), SOTTO_OK);
    assert_int_equal(desk.dataset.labels[0], 0);
    assert_int_equal(desk.dataset.labels[1], 1);
    close_desk(&desk);
}

struct refusal {
    const char *file;
    const char *content;
    enum sotto_status status;
    const char *named;
};

static const struct refusal refusals[] = {
    {"a.jsonl", "", SOTTO_NOT_FOUND, "no example"},
    {"a.jsonl", "{\"text\":\"a\",\"label\":0}\n{\"text\":", SOTTO_MALFORMED, "line 2"},
    {"a.jsonl", "[1]", SOTTO_MALFORMED, "line 1: a JSON array: give one object a line"},
    {"a.jsonl", " [\n{\"text\":\"a\",\"label\":0},\n]", SOTTO_MALFORMED, "line 1: a JSON array"},
    {"a.jsonl", "{\n\"text\":\"a\",\"label\":0}", SOTTO_MALFORMED, "give one whole JSON object"},
    {"a.jsonl", "{\"label\":0}", SOTTO_MALFORMED, "line 1: no text"},
    {"a.jsonl", "\n{\"text\":\"\",\"label\":0}", SOTTO_MALFORMED, "line 2: the text is empty"},
    {"a.jsonl", "{\"text\":\" \\u200b \",\"label\":0}", SOTTO_MALFORMED,
     "line 1: the text is empty"},
    {"a.jsonl", "{\"text\":\"a\",\"label\":\"good\"}", SOTTO_MISMATCH, "line 1: the label 'good'"},
    {"a.jsonl", "{\"text\":\"a\",\"label\":2}", SOTTO_MISMATCH, "line 1: the label 2"},
    {"a.jsonl", "{\"text\":\"a\",\"label\":-1}", SOTTO_MISMATCH, "line 1: the label -1"},
    {"a.jsonl", "{\"text\":\"a\",\"label\":0.5}", SOTTO_MALFORMED, "line 1: label must be"},
    {"a.jsonl", "{\"text\":\"a\"}", SOTTO_MALFORMED, "line 1: label must be"},
    {"a.jsonl", "{\"text\":\"\xff\",\"label\":0}", SOTTO_MALFORMED,
     "line 1: the text is not UTF-8"},
    {"a.csv", "text,label\na,2\n", SOTTO_MISMATCH, "line 2: the label 2 is not below 2"},
    {"a.csv", "text,label\na,-1\n", SOTTO_MISMATCH, "line 2: the label '-1'"},
    {"a.csv", "text,label\na,\n", SOTTO_MISMATCH, "line 2: the label ''"},
    {"a.csv", "text,label\na,18446744073709551617\n", SOTTO_MISMATCH, "line 2: the label '184"},
    {"a.csv", "text,mood\na,great\n", SOTTO_MALFORMED, "line 1: the header"},
    {"a.csv", "text,label\na,great\n\nb\n", SOTTO_MALFORMED, "line 4: fewer columns"},
    {"a.csv", "label,text\ngreat,a, b\n", SOTTO_MALFORMED, "line 2: more columns"},
    {"a.csv", "text,label\n\"a\nb\",great\nb,good\n", SOTTO_MISMATCH, "line 4: the label 'good'"},
    {"a.csv", "text,label\n\"a,great\n", SOTTO_MALFORMED, "line 2: a quote"},
    {"a.csv", "text,label\na\"b,great\n", SOTTO_MALFORMED, "line 2: a quote"},
    {"a.csv", "text,label\n\"a\"b,great\n", SOTTO_MALFORMED, "line 2: a quote"},
    {"a.csv", "text,label\n,great\n", SOTTO_MALFORMED, "line 2: the text is empty"},
    {"a.csv", "\r\n\r,,\n", SOTTO_MALFORMED, "line 2: a quote"},
    {"a.csv", "text,label\n\xc3(,great\n", SOTTO_MALFORMED, "line 2: the text is not UTF-8"},
};

static void texts__bad_line__is_named_and_nothing_is_loaded(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct desk desk;

        open_desk(&desk, "bert-uncased", &labels);
        assert_int_equal(read_file(&desk, refusals[i].file, refusals[i].content),
                         refusals[i].status);
        if (strstr(desk.fault.text, refusals[i].named) == NULL)
            fail_msg("'%s' does not name '%s'", desk.fault.text, refusals[i].named);
        assert_non_null(strstr(desk.fault.text, refusals[i].file));
        assert_int_equal(desk.dataset.count, 0);
        assert_null(desk.dataset.tokens);
        close_desk(&desk);
    }
}

static void texts__missing_file__is_named(void **state)
{
    struct desk desk;

    (void)state;
    open_desk(&desk, "bert-uncased", &labels);
    assert_int_equal(sotto_dataset_open_text_file(&desk.dataset, &desk.report, "no/such.jsonl",
                                                  &desk.form, &desk.fault),
                     SOTTO_NOT_FOUND);
    assert_non_null(strstr(desk.fault.text, "no/such.jsonl"));
    close_desk(&desk);
}

static void texts__longer_than_the_context__are_cut_and_counted(void **state)
{
    struct desk desk;

    (void)state;
    open_desk(&desk, "bert-uncased", &labels);
    desk.form.length_max = 4;
    assert_int_equal(read_file(&desk, "a.jsonl",
                               "{\"text\":\"a a\",\"label\":0}\n{\"text\":\"a a a\",\"label\":0}\n"
                               "{\"text\":\"a a a a\",\"label\":0}\n"),
                     SOTTO_OK);
    assert_int_equal(desk.report.cut_count, 2);
    assert_int_equal(desk.dataset.starts[3], 12);
    close_desk(&desk);
}

static void texts__of_a_language_model__learn_all_but_the_first_token(void **state)
{
    struct desk desk;

    (void)state;
    open_desk(&desk, "llama3", NULL);
    assert_int_equal(read_file(&desk, "a.jsonl", "{\"text\":\"dog\"}\n{\"text\":\"a b\"}\n"),
                     SOTTO_OK);
    assert_int_equal(desk.dataset.count, 2);
    assert_int_equal(desk.dataset.labels[1], SOTTO_LABEL_NONE);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(desk.dataset.is_answer[desk.dataset.starts[i]], 0);
        for (size_t j = desk.dataset.starts[i] + 1; j < desk.dataset.starts[i + 1]; j++)
            assert_int_equal(desk.dataset.is_answer[j], 1);
    }
    close_desk(&desk);
}

/* The tokens that are learnt are just those of the answers by themselves. */
static void check_answers(const char *vector, enum sotto_chat chat, const char *answers)
{
    struct desk desk;
    struct sotto_encoder *encoder;
    struct sotto_encoding encoding;
    size_t found = 0;

    open_desk(&desk, vector, NULL);
    desk.form.chat = chat;
    desk.form.length_max = 512;
    assert_int_equal(read_file(&desk, "a.jsonl",
                               "{\"messages\":[{\"role\":\"user\",\"content\":\"the dog 12\"},"
                               "{\"role\":\"assistant\",\"content\":\"a fox\"},"
                               "{\"role\":\"user\",\"content\":\"assistant fox\"},"
                               "{\"role\":\"assistant\",\"content\":\"not the lazy dog\"}]}"),
                     SOTTO_OK);
    assert_int_equal(sotto_encoder_open(&encoder, desk.tokeniser), SOTTO_OK);
    assert_int_equal(sotto_encoder_run(encoder, &encoding, sotto_view_text(answers),
                                       (struct sotto_encoding_form){0}),
                     SOTTO_OK);
    for (size_t i = 0; i < desk.dataset.starts[1]; i++) {
        if (desk.dataset.is_answer[i] == 0)
            continue;
        assert_true(found < encoding.count);
        assert_int_equal(desk.dataset.tokens[i], encoding.tokens[found++]);
    }
    assert_int_equal(found, encoding.count);
    sotto_encoder_close(encoder);
    close_desk(&desk);
}

static void texts__conversation__learns_the_answers_alone(void **state)
{
    (void)state;
    check_answers("gpt2", SOTTO_CHAT_CHATML, "a fox<|im_end|>not the lazy dog<|im_end|>");
    check_answers("llama3", SOTTO_CHAT_CHATML, "a fox<|im_end|>not the lazy dog<|im_end|>");
    check_answers("gpt2", SOTTO_CHAT_MISTRAL, " a fox</s> not the lazy dog</s>");
    /* Here the space before a word is part of it, and one is put before each part. */
    check_answers("llama2", SOTTO_CHAT_LLAMA2, "a fox </s>not the lazy dog </s>");
    check_answers("llama2", SOTTO_CHAT_MISTRAL, "a fox</s>not the lazy dog</s>");
    check_answers("mistral", SOTTO_CHAT_MISTRAL, " a fox</s> not the lazy dog</s>");
}

static void texts__conversation_cut_before_its_answer__is_dropped_and_counted(void **state)
{
    struct desk desk;

    (void)state;
    open_desk(&desk, "gpt2", NULL);
    desk.form.chat = SOTTO_CHAT_CHATML;
    desk.form.length_max = 12;
    assert_int_equal(read_file(&desk, "a.jsonl",
                               "{\"messages\":[{\"role\":\"user\",\"content\":\"long long long\"},"
                               "{\"role\":\"assistant\",\"content\":\"a\"}]}\n{\"text\":\"a b\"}"),
                     SOTTO_OK);
    assert_int_equal(desk.dataset.count, 1);
    assert_int_equal(desk.report.dropped_count, 1);
    assert_int_equal(desk.report.cut_count, 0);
    close_desk(&desk);
}

static void texts__no_answer_left__names_the_length(void **state)
{
    struct desk desk;

    (void)state;
    open_desk(&desk, "gpt2", NULL);
    desk.form.chat = SOTTO_CHAT_CHATML;
    desk.form.length_max = 2;
    assert_int_equal(read_file(&desk, "a.jsonl",
                               "{\"messages\":[{\"role\":\"user\",\"content\":\"long\"},"
                               "{\"role\":\"assistant\",\"content\":\"a\"}]}"),
                     SOTTO_OVER_LIMIT);
    assert_non_null(strstr(desk.fault.text, "of all 1 conversations"));
    assert_non_null(strstr(desk.fault.text, "--text-length"));
    close_desk(&desk);
}

static void texts__length_without_room__is_named(void **state)
{
    struct desk desk;

    (void)state;
    open_desk(&desk, "bert-uncased", &labels);
    desk.form.length_max = 2;
    assert_int_equal(read_file(&desk, "a.jsonl", "{\"text\":\"a\",\"label\":0}"), SOTTO_OVER_LIMIT);
    assert_non_null(strstr(desk.fault.text, "raise --text-length"));
    close_desk(&desk);
    open_desk(&desk, "gpt2", NULL);
    desk.form.length_max = 1;
    assert_int_equal(read_file(&desk, "a.jsonl", "{\"text\":\"a dog\"}"), SOTTO_MALFORMED);
    assert_non_null(strstr(desk.fault.text, "raise --text-length"));
    assert_int_equal(read_file(&desk, "a.jsonl", "{\"text\":\"a\"}"), SOTTO_MALFORMED);
    assert_non_null(strstr(desk.fault.text, "remove the line"));
    close_desk(&desk);
}

static const struct refusal chat_refusals[] = {
    {"a.jsonl", "{\"messages\":{}}", SOTTO_MALFORMED, "line 1: messages must be a list"},
    {"a.jsonl", "{\"messages\":[]}", SOTTO_MALFORMED, "line 1: no message has the role assistant"},
    {"a.jsonl", "{\"messages\":[{\"role\":\"tool\",\"content\":\"\"}]}", SOTTO_MALFORMED,
     "'tool' is not known to the format chatml; known are: system, user, assistant"},
    {"a.jsonl", "{\"messages\":[{\"role\":\"assistant\"}]}", SOTTO_MALFORMED, "content"},
    {"a.jsonl", "{\"prompt\":\"a\"}", SOTTO_MALFORMED, "line 1: neither"},
};

static void texts__bad_conversation__is_named(void **state)
{
    struct desk desk;

    (void)state;
    open_desk(&desk, "gpt2", NULL);
    desk.form.chat = SOTTO_CHAT_CHATML;
    for (size_t i = 0; i < sizeof chat_refusals / sizeof chat_refusals[0]; i++) {
        assert_int_equal(read_file(&desk, "a.jsonl", chat_refusals[i].content),
                         chat_refusals[i].status);
        if (strstr(desk.fault.text, chat_refusals[i].named) == NULL)
            fail_msg("'%s' does not name '%s'", desk.fault.text, chat_refusals[i].named);
    }
    desk.form.chat = SOTTO_CHAT_NONE;
    assert_int_equal(read_file(&desk, "a.jsonl", "{\"messages\":[]}"), SOTTO_MALFORMED);
    assert_non_null(strstr(desk.fault.text, "--chat (chat in site.yaml), one of chatml, llama2"));
    close_desk(&desk);
}

static void texts__single_text__can_be_classified(void **state)
{
    struct desk desk;

    (void)state;
    open_desk(&desk, "bert-uncased", &labels);
    assert_int_equal(sotto_dataset_open_text(&desk.dataset, sotto_view_text("a a"), "text 1",
                                             &desk.form, &desk.fault),
                     SOTTO_OK);
    assert_int_equal(desk.dataset.count, 1);
    assert_int_equal(desk.dataset.starts[1], 4);
    sotto_dataset_close(&desk.dataset);
    assert_int_equal(sotto_dataset_open_text(&desk.dataset, sotto_view_text(""), "text 1",
                                             &desk.form, &desk.fault),
                     SOTTO_MALFORMED);
    close_desk(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts__json_lines__become_tokens_and_labels),
        cmocka_unit_test(texts__csv__is_the_same_as_json_lines),
        cmocka_unit_test(texts__byte_order_mark__is_passed_over),
        cmocka_unit_test(texts__csv_with_indices__are_labels_unless_names_are_numbers),
        cmocka_unit_test(texts__bad_line__is_named_and_nothing_is_loaded),
        cmocka_unit_test(texts__missing_file__is_named),
        cmocka_unit_test(texts__longer_than_the_context__are_cut_and_counted),
        cmocka_unit_test(texts__of_a_language_model__learn_all_but_the_first_token),
        cmocka_unit_test(texts__conversation__learns_the_answers_alone),
        cmocka_unit_test(texts__conversation_cut_before_its_answer__is_dropped_and_counted),
        cmocka_unit_test(texts__no_answer_left__names_the_length),
        cmocka_unit_test(texts__length_without_room__is_named),
        cmocka_unit_test(texts__bad_conversation__is_named),
        cmocka_unit_test(texts__single_text__can_be_classified),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
