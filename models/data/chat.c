#include "models/data/chat.h"

#include <stdio.h>
#include <string.h>

/* What stands around a message of one role; before NULL: the format does not know the role. */
struct turn_form {
    const char *before;
    const char *end;  /* of an answer it is learnt too */
    const char *tail; /* after it */
};

struct chat_form {
    const char *name;
    const char *start;    /* of the whole text */
    const char *marks[2]; /* tokens that the tokeniser must have; NULL: none */
    bool trims;           /* contents lose white space at both ends */
    struct turn_form system;
    struct turn_form user;
    struct turn_form assistant;
};

static const struct chat_form chat_forms[] = {
    [SOTTO_CHAT_NONE] = {.name = ""},
    [SOTTO_CHAT_CHATML] = {"chatml",
                           "",
                           {"<|im_start|>", "<|im_end|>"},
                           false,
                           {"<|im_start|>system\n", "<|im_end|>", "\n"},
                           {"<|im_start|>user\n", "<|im_end|>", "\n"},
                           {"<|im_start|>assistant\n", "<|im_end|>", "\n"}},
    /* The system message stands in the first user's: add_user. */
    [SOTTO_CHAT_LLAMA2] = {"llama2",
                           "",
                           {"<s>", "</s>"},
                           true,
                           {"<<SYS>>\n", "\n<</SYS>>\n\n", ""},
                           {"<s>[INST] ", " [/INST]", ""},
                           {" ", " </s>", ""}},
    [SOTTO_CHAT_LLAMA3] = {"llama3",
                           "<|begin_of_text|>",
                           {"<|start_header_id|>", "<|eot_id|>"},
                           true,
                           {"<|start_header_id|>system<|end_header_id|>\n\n", "<|eot_id|>", ""},
                           {"<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>", ""},
                           {"<|start_header_id|>assistant<|end_header_id|>\n\n", "<|eot_id|>", ""}},
    [SOTTO_CHAT_MISTRAL] = {"mistral",
                            "<s>",
                            {"<s>", "</s>"},
                            false,
                            {NULL, NULL, NULL},
                            {"[INST] ", " [/INST]", ""},
                            {"", "</s>", ""}},
    [SOTTO_CHAT_ZEPHYR] = {"zephyr",
                           "",
                           {"</s>", NULL},
                           false,
                           {"<|system|>\n", "</s>", "\n"},
                           {"<|user|>\n", "</s>", "\n"},
                           {"<|assistant|>\n", "</s>", "\n"}},
};

enum sotto_status sotto_chat_parse(enum sotto_chat *chat, const char *name,
                                   struct sotto_fault *fault)
{
    for (size_t i = 0; i < sizeof chat_forms / sizeof chat_forms[0]; i++) {
        if (strcmp(name, chat_forms[i].name) == 0) {
            *chat = (enum sotto_chat)i;
            return SOTTO_OK;
        }
    }
    return sotto_fault_set(fault, SOTTO_MALFORMED,
                           "no chat format is called '%.40s'; known are: " SOTTO_CHAT_NAMES, name);
}

enum sotto_status sotto_chat_check(enum sotto_chat chat, const struct sotto_tokeniser *tokeniser,
                                   struct sotto_fault *fault)
{
    const struct chat_form *form = &chat_forms[chat];

    for (size_t i = 0; i < 2; i++) {
        if (form->marks[i] != NULL &&
            sotto_tokeniser_find(tokeniser, sotto_view_text(form->marks[i])) == SOTTO_TOKEN_NONE)
            return sotto_fault_set(fault, SOTTO_MISMATCH,
                                   "the chat format %s needs the token %s, which tokenizer.json "
                                   "lacks: use the format that the model was trained with",
                                   form->name, form->marks[i]);
    }
    return SOTTO_OK;
}

void sotto_chat_text_close(struct sotto_chat_text *out)
{
    sotto_text_close(&out->text);
    out->answer_count = 0;
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static struct sotto_view trimmed(struct sotto_view text)
{
    while (text.length > 0 && is_blank(text.at[0]))
        text = sotto_view_after(text, 1);
    while (text.length > 0 && is_blank(text.at[text.length - 1]))
        text.length--;
    return text;
}

static void add(struct sotto_chat_text *out, const char *text)
{
    sotto_text_add(&out->text, sotto_view_text(text));
}

/* Whether the system message is written into the user's that follows it. */
static bool is_nested(const struct chat_form *form)
{
    return form == &chat_forms[SOTTO_CHAT_LLAMA2];
}

static enum sotto_status add_turn(struct sotto_chat_text *out, const struct chat_form *form,
                                  const struct turn_form *turn, struct sotto_view content)
{
    bool is_answer = turn == &form->assistant;
    size_t first;

    add(out, turn->before);
    first = out->text.length;
    sotto_text_add(&out->text, form->trims ? trimmed(content) : content);
    add(out, turn->end);
    if (is_answer && out->answer_count == SOTTO_CHAT_ANSWERS_MAX)
        return SOTTO_OVER_LIMIT;
    if (is_answer) {
        out->answers[out->answer_count].first = first;
        out->answers[out->answer_count].end = out->text.length;
        out->answer_count++;
    }
    add(out, turn->tail);
    return SOTTO_OK;
}

/* A user's message, with the system message in it where that is nested. */
static enum sotto_status add_user(struct sotto_chat_text *out, const struct chat_form *form,
                                  struct sotto_view content, struct sotto_view *system)
{
    struct sotto_chat_text whole = {0};
    enum sotto_status status;

    if (system->at == NULL)
        return add_turn(out, form, &form->user, content);
    add(&whole, form->system.before);
    sotto_text_add(&whole.text, *system);
    add(&whole, form->system.end);
    sotto_text_add(&whole.text, content);
    *system = (struct sotto_view){NULL, 0};
    status = add_turn(out, form, &form->user, sotto_text_view(&whole.text));
    out->text.is_short = out->text.is_short || whole.text.is_short;
    sotto_chat_text_close(&whole);
    return status;
}

static const struct turn_form *turn_of(const struct chat_form *form, const char *role)
{
    if (role != NULL && strcmp(role, "system") == 0 && form->system.before != NULL)
        return &form->system;
    if (role != NULL && strcmp(role, "user") == 0)
        return &form->user;
    return role != NULL && strcmp(role, "assistant") == 0 ? &form->assistant : NULL;
}

static enum sotto_status add_message(struct sotto_chat_text *out, const struct chat_form *form,
                                     const json_t *message, struct sotto_view *system, char *why)
{
    const char *role = json_string_value(json_object_get(message, "role"));
    const json_t *content = json_object_get(message, "content");
    const struct turn_form *turn = turn_of(form, role);
    struct sotto_view text = sotto_view_of(json_string_value(content), json_string_length(content));

    if (turn == NULL) {
        snprintf(why, SOTTO_FAULT_TEXT_MAX,
                 "the role '%.40s' is not known to the format %s; known are: %suser, assistant",
                 role == NULL ? "" : role, form->name,
                 form->system.before == NULL ? "" : "system, ");
        return SOTTO_MALFORMED;
    }
    if (text.at == NULL) {
        snprintf(why, SOTTO_FAULT_TEXT_MAX,
                 "the content of a message must be text: give it as a string");
        return SOTTO_MALFORMED;
    }
    if (turn == &form->system && is_nested(form)) {
        *system = text;
        return SOTTO_OK;
    }
    if (turn == &form->user)
        return add_user(out, form, text, system);
    return add_turn(out, form, turn, text);
}

enum sotto_status sotto_chat_write(struct sotto_chat_text *out, enum sotto_chat chat,
                                   const json_t *messages, char *why)
{
    const struct chat_form *form = &chat_forms[chat];
    struct sotto_view system = {NULL, 0};
    enum sotto_status status = SOTTO_OK;

    sotto_text_clear(&out->text);
    out->answer_count = 0;
    if (!json_is_array(messages)) {
        snprintf(why, SOTTO_FAULT_TEXT_MAX,
                 "messages must be a list: give [{\"role\": ..., \"content\": ...}, ...]");
        return SOTTO_MALFORMED;
    }
    add(out, form->start);
    for (size_t i = 0; i < json_array_size(messages) && status == SOTTO_OK; i++)
        status = add_message(out, form, json_array_get(messages, i), &system, why);
    if (status == SOTTO_OVER_LIMIT)
        snprintf(why, SOTTO_FAULT_TEXT_MAX, "more than %d answers: split the conversation",
                 SOTTO_CHAT_ANSWERS_MAX);
    if (status == SOTTO_OK && out->answer_count == 0) {
        snprintf(why, SOTTO_FAULT_TEXT_MAX,
                 "no message has the role assistant: add the answer, or remove the "
                 "line");
        return SOTTO_MALFORMED;
    }
    if (status == SOTTO_OK && out->text.is_short) {
        snprintf(why, SOTTO_FAULT_TEXT_MAX, "no memory");
        return SOTTO_NO_MEMORY;
    }
    return status;
}
