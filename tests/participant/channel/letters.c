/* Each letter encodes and decodes to itself, and decodes at no other length. */
#include <stdio.h>
#include <string.h>

#include "participant/channel/note.h"
#include "participant/channel/post.h"
#include "participant/channel/start.h"
#include "participant/channel/work.h"
#include "tests/support/cmocka.h"

typedef enum sotto_status (*decoder)(struct sotto_view bytes);

/* A letter's bytes with a byte behind them that is not theirs. */
struct sample {
    uint8_t bytes[SOTTO_START_BYTES_MAX];
    struct sotto_buffer buffer;
};

static void sample_open(struct sample *sample)
{
    memset(sample, 0, sizeof *sample);
    sample->buffer = sotto_buffer_of(sample->bytes, sizeof sample->bytes - 1);
}

static void check_lengths(const struct sample *sample, decoder decode)
{
    assert_int_equal(decode(sotto_view_buffer(&sample->buffer)), SOTTO_OK);
    for (size_t length = 0; length <= sample->buffer.length + 1; length++)
        if (length != sample->buffer.length)
            assert_int_equal(decode(sotto_view_of(sample->bytes, length)), SOTTO_MALFORMED);
}

#define DECODER(name)                                                                              \
    static enum sotto_status decode_##name(struct sotto_view bytes)                                \
    {                                                                                              \
        struct sotto_##name value;                                                                 \
                                                                                                   \
        return sotto_##name##_decode(&value, bytes);                                               \
    }

DECODER(trainer_start)
DECODER(sealer_start)
DECODER(courier_start)
DECODER(note)
DECODER(loaded)
DECODER(train)
DECODER(adopt)
DECODER(fetch)
DECODER(post_answer)
DECODER(post_upload)
DECODER(post_leave)

static void start__of_each_role__decodes_at_its_own_length(void **state)
{
    struct sotto_trainer_start trainer = {.thread_count = 2,
                                          .model = "/srv/base",
                                          .examples = "/srv/photos",
                                          .chat = "chatml",
                                          .text_length = 128,
                                          .adapters = "/srv/adapters"};
    struct sotto_sealer_start sealer = {.id = 3, .policy = {(const uint8_t *)"policy", 6}};
    struct sotto_courier_start courier = {.is_degraded_allowed = true,
                                          .url = "https://hub.example:7443",
                                          .authority = "a",
                                          .certificate = "b",
                                          .key = "c"};
    struct sample sample;

    (void)state;
    sample_open(&sample);
    assert_int_equal(sotto_trainer_start_encode(&sample.buffer, &trainer), SOTTO_OK);
    check_lengths(&sample, decode_trainer_start);
    sample_open(&sample);
    assert_int_equal(sotto_sealer_start_encode(&sample.buffer, &sealer), SOTTO_OK);
    check_lengths(&sample, decode_sealer_start);
    sample_open(&sample);
    assert_int_equal(sotto_courier_start_encode(&sample.buffer, &courier), SOTTO_OK);
    check_lengths(&sample, decode_courier_start);
}

static void work__each_letter__decodes_at_its_own_length(void **state)
{
    struct sotto_loaded loaded = {.layout = {{1}}, .adapter = {{2}}};
    struct sotto_adopt adopt = {.campaign = "wards", .round = 3};
    struct sotto_train train = {.campaign = "wards",
                                .round = 3,
                                .seed = 9,
                                .recipe = {.epochs = 2, .batch = 32, .learning_rate_start = 1e-3}};
    struct sample sample;

    (void)state;
    sample_open(&sample);
    assert_int_equal(sotto_loaded_encode(&sample.buffer, &loaded), SOTTO_OK);
    check_lengths(&sample, decode_loaded);
    sample_open(&sample);
    assert_int_equal(sotto_adopt_encode(&sample.buffer, &adopt), SOTTO_OK);
    check_lengths(&sample, decode_adopt);
    sample_open(&sample);
    assert_int_equal(sotto_train_encode(&sample.buffer, &train), SOTTO_OK);
    check_lengths(&sample, decode_train);
}

static void train__no_epoch_or_batch__is_malformed(void **state)
{
    struct sotto_train train = {.campaign = "wards", .round = 3, .recipe = {.epochs = 2}};
    struct sample sample;

    (void)state;
    sample_open(&sample);
    assert_int_equal(sotto_train_encode(&sample.buffer, &train), SOTTO_OK);
    assert_int_equal(decode_train(sotto_view_buffer(&sample.buffer)), SOTTO_MALFORMED);
}

static void post__each_letter__decodes_at_its_own_length(void **state)
{
    struct sotto_round_name round = {.campaign = "wards", .round = 3};
    struct sotto_fetch fetch = {.item = 2, .digest = {{7}}};
    struct sotto_post_answer answer = {
        .round = round, .answers = SOTTO_MAIL_COHORT, .bytes = {(const uint8_t *)"shares", 6}};
    struct sotto_post_upload upload = {.round = round, .digest = {{8}}};
    struct sotto_post_leave leave = {.round = round, .refusal = 4};
    struct sample sample;

    (void)state;
    sample_open(&sample);
    assert_int_equal(sotto_fetch_encode(&sample.buffer, &fetch), SOTTO_OK);
    check_lengths(&sample, decode_fetch);
    sample_open(&sample);
    assert_int_equal(sotto_post_answer_encode(&sample.buffer, &answer), SOTTO_OK);
    check_lengths(&sample, decode_post_answer);
    sample_open(&sample);
    assert_int_equal(sotto_post_upload_encode(&sample.buffer, &upload), SOTTO_OK);
    check_lengths(&sample, decode_post_upload);
    sample_open(&sample);
    assert_int_equal(sotto_post_leave_encode(&sample.buffer, &leave), SOTTO_OK);
    check_lengths(&sample, decode_post_leave);
}

static void note__control_characters__are_shown_as_question_marks(void **state)
{
    struct sotto_note note = {.kind = SOTTO_NOTE_TROUBLE, .text = "a\nb\x7f"};
    struct sotto_note read;
    struct sample sample;

    (void)state;
    sample_open(&sample);
    assert_int_equal(sotto_note_encode(&sample.buffer, &note), SOTTO_OK);
    check_lengths(&sample, decode_note);
    assert_int_equal(sotto_note_decode(&read, sotto_view_buffer(&sample.buffer)), SOTTO_OK);
    assert_string_equal(read.text, "a?b?");
}

static void answer__to_a_mail_that_wants_none__is_malformed(void **state)
{
    struct sotto_post_answer answer = {.round = {.campaign = "wards", .round = 3},
                                       .answers = SOTTO_MAIL_NONE};
    struct sample sample;

    (void)state;
    sample_open(&sample);
    assert_int_equal(sotto_post_answer_encode(&sample.buffer, &answer), SOTTO_OK);
    assert_int_equal(decode_post_answer(sotto_view_buffer(&sample.buffer)), SOTTO_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(start__of_each_role__decodes_at_its_own_length),
        cmocka_unit_test(work__each_letter__decodes_at_its_own_length),
        cmocka_unit_test(train__no_epoch_or_batch__is_malformed),
        cmocka_unit_test(post__each_letter__decodes_at_its_own_length),
        cmocka_unit_test(note__control_characters__are_shown_as_question_marks),
        cmocka_unit_test(answer__to_a_mail_that_wants_none__is_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
