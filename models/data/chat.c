#include "models/data/chat.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "models/tokenise/unicode.h"

/* What stands around a message of one role. */
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
    bool is_nested;       /* a system message comes first and is written into the user's */
    struct turn_form system;
    struct turn_form user;
    struct turn_form assistant;
};

static const struct chat_form chat_forms[] = {
    [SOTTO_CHAT_NONE] = {.name = ""},
    [SOTTO_CHAT_CHATML] = {.name = "chatml",
                           .start = "",
                           .marks = {"<|im_start|>", "<|im_end|>"},
                           .system = {"<|im_start|>system\n", "<|im_end|>", "\n"},
                           .user = {"<|im_start|>user\n", "<|im_end|>", "\n"},
                           .assistant = {"<|im_start|>assistant\n", "<|im_end|>", "\n"}},
    [SOTTO_CHAT_LLAMA2] = {.name = "llama2",
                           .start = "",
                           .marks = {"<s>", "</s>"},
                           .trims = true,
                           .is_nested = true,
                           .system = {"<<SYS>>\n", "\n<</SYS>>\n\n", ""},
                           .user = {"<s>[INST] ", " [/INST]", ""},
                           .assistant = {" ", " </s>", ""}},
    [SOTTO_CHAT_LLAMA3] =
        {.name = "llama3",
         .start = "<|begin_of_text|>",
         .marks = {"<|start_header_id|>", "<|eot_id|>"},
         .trims = true,
         .system = {"<|start_header_id|>system<|end_header_id|>\n\n", "<|eot_id|>", ""},
         .user = {"<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>", ""},
         .assistant = {"<|start_header_id|>assistant<|end_header_id|>\n\n", "<|eot_id|>", ""}},
    [SOTTO_CHAT_MISTRAL] = {.name = "mistral",
                            .start = "<s>",
                            .marks = {"<s>", "</s>"},
                            .is_nested = true,
                            .system = {"", "\n\n", ""},
                            .user = {" [INST] ", " [/INST]", ""},
                            .assistant = {" ", "</s>", ""}},
    [SOTTO_CHAT_ZEPHYR] = {.name = "zephyr",
                           .start = "",
                           .marks = {"</s>", NULL},
                           .system = {"<|system|>\n", "</s>", "\n"},
                           .user = {"<|user|>\n", "</s>", "\n"},
                           .assistant = {"<|assistant|>\n", "</s>", "\n"}},
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

/* What Python's strip takes away, as the templates do by it. */
static bool is_stripped(uint32_t character)
{
    return sotto_unicode_is_space(character) || (character >= 0x1c && character <= 0x1f);
}

static struct sotto_view trimmed(struct sotto_view text)
{
    size_t length;

    while (text.length > 0 && is_stripped(sotto_utf8_first(text, &length)))
        text = sotto_view_after(text, length);
    while (text.length > 0 && is_stripped(sotto_utf8_last(text, &length)))
        text.length -= length;
    return text;
}

/* A conversation on its way to a text. */
struct writing {
    struct sotto_chat_text *out;
    const struct chat_form *form;
    struct sotto_view system; /* waits for the user's message; at NULL: none */
    size_t turn_count;        /* of user and assistant */
    char *why;
};

static enum sotto_status refuse(const struct writing *writing, const char *why)
{
    snprintf(writing->why, SOTTO_FAULT_TEXT_MAX, "%s", why);
    return SOTTO_MALFORMED;
}

static void add(struct sotto_chat_text *out, const char *text)
{
    sotto_text_add(&out->text, sotto_view_text(text));
}

static bool ends_with(const struct sotto_text *text, const char *end)
{
    size_t length = strlen(end);

    return text->length >= length && memcmp(text->at + text->length - length, end, length) == 0;
}

/* What stands before a message, without the space that the tokeniser puts there itself. */
static void add_before(const struct writing *writing, const char *before)
{
    struct sotto_chat_text *out = writing->out;
    bool is_after_mark = false;

    for (size_t i = 0; i < 2; i++) {
        const char *mark = writing->form->marks[i];

        is_after_mark = is_after_mark || (mark != NULL && ends_with(&out->text, mark));
    }
    add(out, before + (out->is_prepended && is_after_mark && before[0] == ' '));
}

static enum sotto_status add_turn(struct writing *writing, const struct turn_form *turn,
                                  struct sotto_view content)
{
    struct sotto_chat_text *out = writing->out;
    bool is_answer = turn == &writing->form->assistant;
    size_t first;

    add_before(writing, turn->before);
    first = out->text.length;
    sotto_text_add(&out->text, writing->form->trims ? trimmed(content) : content);
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
static enum sotto_status add_user(struct writing *writing, struct sotto_view content)
{
    const struct chat_form *form = writing->form;
    struct sotto_chat_text whole = {0};
    enum sotto_status status;

    if (writing->system.at == NULL)
        return add_turn(writing, &form->user, content);
    add(&whole, form->system.before);
    sotto_text_add(&whole.text, writing->system);
    add(&whole, form->system.end);
    sotto_text_add(&whole.text, content);
    writing->system = (struct sotto_view){NULL, 0};
    status = add_turn(writing, &form->user, sotto_text_view(&whole.text));
    writing->out->text.is_short = writing->out->text.is_short || whole.text.is_short;
    sotto_chat_text_close(&whole);
    return status;
}

static const struct turn_form *turn_of(const struct chat_form *form, const char *role)
{
    if (role != NULL && strcmp(role, "system") == 0)
        return &form->system;
    if (role != NULL && strcmp(role, "user") == 0)
        return &form->user;
    return role != NULL && strcmp(role, "assistant") == 0 ? &form->assistant : NULL;
}

/* Where the system message is nested, the order is strict, as it is in the models' templates. */
static enum sotto_status add_in_turn(struct writing *writing, const struct turn_form *turn,
                                     struct sotto_view content)
{
    const struct chat_form *form = writing->form;
    bool is_system = turn == &form->system;
    bool is_first = writing->turn_count == 0 && writing->system.at == NULL;

    if (form->is_nested && is_system && is_first) {
        writing->system = content;
        return SOTTO_OK;
    }
    if (form->is_nested && (is_system || (turn == &form->user) != (writing->turn_count % 2 == 0))) {
        snprintf(writing->why, SOTTO_FAULT_TEXT_MAX,
                 "the format %s takes a system message first, if any, and then user and assistant "
                 "in turn: put the messages in that order",
                 form->name);
        return SOTTO_MALFORMED;
    }
    writing->turn_count += !is_system;
    return turn == &form->user ? add_user(writing, content) : add_turn(writing, turn, content);
}

static enum sotto_status add_message(struct writing *writing, const json_t *message)
{
    const char *role = json_string_value(json_object_get(message, "role"));
    const json_t *content = json_object_get(message, "content");
    const struct turn_form *turn = turn_of(writing->form, role);
    struct sotto_view text = sotto_view_of(json_string_value(content), json_string_length(content));

    if (turn == NULL) {
        snprintf(writing->why, SOTTO_FAULT_TEXT_MAX,
                 "the role '%.40s' is not known to the format %s; known are: system, user, "
                 "assistant",
                 role == NULL ? "" : role, writing->form->name);
        return SOTTO_MALFORMED;
    }
    if (text.at == NULL)
        return refuse(writing, "the content of a message must be text: give it as a string");
    return add_in_turn(writing, turn, text);
}

enum sotto_status sotto_chat_write(struct sotto_chat_text *out, enum sotto_chat chat,
                                   const json_t *messages, char *why)
{
    struct writing writing = {.out = out, .form = &chat_forms[chat], .why = why};
    enum sotto_status status = SOTTO_OK;

    sotto_text_clear(&out->text);
    out->answer_count = 0;
    if (!json_is_array(messages))
        return refuse(&writing,
                      "messages must be a list: give [{\"role\": ..., \"content\": ...}, ...]");
    add(out, writing.form->start);
    for (size_t i = 0; i < json_array_size(messages) && status == SOTTO_OK; i++)
        status = add_message(&writing, json_array_get(messages, i));
    if (status == SOTTO_OVER_LIMIT)
        snprintf(why, SOTTO_FAULT_TEXT_MAX, "more than %d answers: split the conversation",
                 SOTTO_CHAT_ANSWERS_MAX);
    if (status == SOTTO_OK && out->answer_count == 0)
        return refuse(&writing, "no message has the role assistant: add the answer, or remove the "
                                "line");
    if (status == SOTTO_OK && out->text.is_short) {
        snprintf(why, SOTTO_FAULT_TEXT_MAX, "no memory");
        return SOTTO_NO_MEMORY;
    }
    return status;
}

enum sotto_status sotto_chat_ask(struct sotto_chat_text *out, enum sotto_chat chat,
                                 struct sotto_view system, struct sotto_view user)
{
    char why[SOTTO_FAULT_TEXT_MAX];
    struct writing writing = {.out = out, .form = &chat_forms[chat], .why = why};
    const struct turn_form *answer = &writing.form->assistant;
    enum sotto_status status = SOTTO_OK;

    sotto_text_clear(&out->text);
    out->answer_count = 0;
    add(out, writing.form->start);
    if (system.at != NULL)
        status = add_in_turn(&writing, &writing.form->system, system);
    if (status == SOTTO_OK)
        status = add_in_turn(&writing, &writing.form->user, user);
    assert(status == SOTTO_OK);
    /* A space before an answer is part of its first token. */
    if (strcmp(answer->before, " ") != 0)
        add_before(&writing, answer->before);
    return out->text.is_short ? SOTTO_NO_MEMORY : SOTTO_OK;
}

struct sotto_view sotto_chat_end(enum sotto_chat chat)
{
    const char *end = chat_forms[chat].assistant.end;

    return end == NULL ? sotto_view_of("", 0) : trimmed(sotto_view_text(end));
}
