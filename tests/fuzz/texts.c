#include "models/data/texts.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const char file[] =
    "{\"added_tokens\":[{\"id\":4,\"content\":\"<|im_start|>\",\"special\":true},"
    "{\"id\":5,\"content\":\"<|im_end|>\",\"special\":true},{\"id\":6,\"content\":\"<s>\"},"
    "{\"id\":7,\"content\":\"</s>\"}],\"pre_tokenizer\":{\"type\":"
    "\"ByteLevel\",\"add_prefix_space\":false},\"model\":{\"type\":\"BPE\",\"unk_token\":\"u\","
    "\"vocab\":{\"a\":0,\"b\":1,\"ab\":2,\"u\":3},\"merges\":[\"a b\"]}}";

static void read_as(const struct sotto_text_form *form, struct sotto_view bytes, const char *name)
{
    struct sotto_dataset dataset;
    struct sotto_text_report report;

    if (sotto_dataset_open_text_bytes(&dataset, &report, bytes, name, form, NULL) != SOTTO_OK)
        return;
    for (size_t i = 0; i < dataset.count; i++) {
        size_t length = dataset.starts[i + 1] - dataset.starts[i];

        if (length == 0 || length > form->length_max)
            abort();
        if (form->labels != NULL && dataset.labels[i] >= form->labels->count)
            abort();
        if (form->labels == NULL && dataset.is_answer[dataset.starts[i]] != 0)
            abort();
    }
    sotto_dataset_close(&dataset);
}

/* A file of texts to classify, as JSON lines and as CSV, and of a language model with chats. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const char names[][48] = {"yes", "no"};
    static const struct sotto_label_names labels = {names, 2};
    struct sotto_view view = sotto_view_of(bytes, length);
    struct sotto_tokeniser *tokeniser;

    if (sotto_tokeniser_open(&tokeniser, sotto_view_text(file), "file", NULL) != SOTTO_OK)
        abort();
    read_as(&(struct sotto_text_form){tokeniser, 24, &labels, SOTTO_CHAT_NONE}, view, "a.jsonl");
    read_as(&(struct sotto_text_form){tokeniser, 24, &labels, SOTTO_CHAT_NONE}, view, "a.csv");
    read_as(&(struct sotto_text_form){tokeniser, 24, NULL, SOTTO_CHAT_CHATML}, view, "a.jsonl");
    read_as(&(struct sotto_text_form){tokeniser, 24, NULL, SOTTO_CHAT_MISTRAL}, view, "a.jsonl");
    read_as(&(struct sotto_text_form){tokeniser, 24, NULL, SOTTO_CHAT_LLAMA2}, view, "a.jsonl");
    sotto_tokeniser_close(tokeniser);
    return 0;
}
