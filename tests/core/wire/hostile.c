#include <string.h>

#include "tests/core/wire/codecs.h"
#include "tests/support/cmocka.h"
#include "tests/support/seed.h"

enum { BYTES_MAX = 4096, LONG = 512 };

/* One sample, with room to break it. */
struct sample {
    const struct codec *codec;
    uint8_t bytes[BYTES_MAX];
    size_t length;
};

static void sample_open(struct sample *sample, size_t index)
{
    struct sotto_buffer out = sotto_buffer_of(sample->bytes, sizeof sample->bytes);

    sample->codec = &codecs[index];
    assert_int_equal(sample->codec->encode_sample(&out), SOTTO_OK);
    sample->length = out.length;
}

/* Decodes; whatever passes must be spelled as it would be encoded. */
static enum sotto_status sample_decode(const struct sample *sample)
{
    uint8_t again[BYTES_MAX];
    struct sotto_buffer out = sotto_buffer_of(again, sizeof again);
    struct sotto_view bytes = sotto_view_of(sample->bytes, sample->length);
    enum sotto_status status = sample->codec->recode(&out, bytes);

    if (status == SOTTO_OK)
        assert_true(sotto_view_equal(sotto_view_buffer(&out), bytes));
    return status;
}

static void sample_refused(const struct sample *sample, const char *what)
{
    if (sample_decode(sample) == SOTTO_OK)
        fail_msg("%s: %s was let through", sample->codec->name, what);
}

static void message__as_encoded__passes(void **state)
{
    struct sample sample;

    (void)state;
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        sample_open(&sample, i);
        assert_int_equal(sample_decode(&sample), SOTTO_OK);
    }
}

static void message__every_truncation__is_malformed(void **state)
{
    struct sample sample;

    (void)state;
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        sample_open(&sample, i);
        while (sample.length-- > 0)
            assert_int_equal(sample_decode(&sample), SOTTO_MALFORMED);
    }
}

static void message__trailing_byte__is_refused(void **state)
{
    struct sample sample;

    (void)state;
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            sample_open(&sample, i);
            sample.bytes[sample.length++] = (uint8_t)byte;
            sample_refused(&sample, "a trailing byte");
        }
    }
}

/* Where the version is: after the array's header of one byte, or of three. */
static size_t version_at(const struct sample *sample)
{
    return sample->bytes[0] == 0xdc ? 3 : 1;
}

static void message__other_version__is_unsupported(void **state)
{
    struct sample sample;

    (void)state;
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        sample_open(&sample, i);
        sample.bytes[version_at(&sample)] = 2;
        assert_int_equal(sample_decode(&sample), SOTTO_UNSUPPORTED);
    }
}

static void message__number_of_another__is_malformed(void **state)
{
    struct sample sample;

    (void)state;
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        uint8_t own;

        sample_open(&sample, i);
        own = sample.bytes[version_at(&sample) + 1];
        for (uint8_t number = 0; number < 100; number++) {
            sample.bytes[version_at(&sample) + 1] = number;
            assert_int_equal(sample_decode(&sample), number == own ? SOTTO_OK : SOTTO_MALFORMED);
        }
    }
}

static void message__one_field_more_or_fewer__is_malformed(void **state)
{
    struct sample sample;

    (void)state;
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        size_t count_at;

        sample_open(&sample, i);
        count_at = version_at(&sample) - 1;
        sample.bytes[count_at]++;
        sample.bytes[sample.length++] = 0x01;
        assert_int_equal(sample_decode(&sample), SOTTO_MALFORMED);
        sample.length--;
        sample.bytes[count_at] = (uint8_t)(sample.bytes[count_at] - 2);
        assert_int_equal(sample_decode(&sample), SOTTO_MALFORMED);
    }
}

/*
 * Any byte replaced by any other, in a long message by every fifth other: refused, or a message
 * that is spelled in the one way.
 */
static void message__every_byte_replaced__is_refused_or_canonical(void **state)
{
    struct sample sample;

    (void)state;
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        unsigned stride;

        sample_open(&sample, i);
        stride = sample.length > LONG ? 5 : 1;
        for (size_t at = 0; at < sample.length; at++) {
            uint8_t before = sample.bytes[at];

            for (unsigned byte = (unsigned)at % stride; byte < 256; byte += stride) {
                sample.bytes[at] = (uint8_t)byte;
                (void)sample_decode(&sample);
            }
            sample.bytes[at] = before;
        }
    }
}

/* Nil, ext, map and a claim of gigabytes in the place of each byte. */
static void message__hostile_header_spliced_in__is_refused(void **state)
{
    const uint8_t headers[][6] = {{0xc0},
                                  {0xd4, 0x00, 0x00},
                                  {0x81, 0x00, 0x00},
                                  {0xdd, 0xff, 0xff, 0xff, 0xff},
                                  {0xc6, 0xff, 0xff, 0xff, 0xff},
                                  {0xc9, 0xff, 0xff, 0xff, 0xff, 0x00}};
    struct sample sample;

    (void)state;
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        for (size_t header = 0; header < sizeof headers / sizeof headers[0]; header++) {
            sample_open(&sample, i);
            memcpy(sample.bytes + version_at(&sample), headers[header], sizeof headers[header]);
            sample_refused(&sample, "a hostile header");
        }
    }
}

static void message__noise__is_refused_or_canonical(void **state)
{
    struct sotto_entropy entropy;
    struct sample sample;

    (void)state;
    seed_open(&entropy, __func__);
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        for (size_t turn = 0; turn < 200; turn++) {
            size_t head;

            sample_open(&sample, i);
            head = (size_t)sotto_entropy_below(&entropy, 8);
            sotto_entropy_fill(&entropy, sample.bytes + head, 64);
            (void)sample_decode(&sample);
        }
    }
}

static void message__no_room_to_encode__is_over_limit(void **state)
{
    struct sample sample;

    (void)state;
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        sample_open(&sample, i);
        for (size_t room = 0; room < sample.length; room++) {
            struct sotto_buffer out = sotto_buffer_of(sample.bytes, room);

            assert_int_equal(sample.codec->encode_sample(&out), SOTTO_OVER_LIMIT);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message__as_encoded__passes),
        cmocka_unit_test(message__every_truncation__is_malformed),
        cmocka_unit_test(message__trailing_byte__is_refused),
        cmocka_unit_test(message__other_version__is_unsupported),
        cmocka_unit_test(message__number_of_another__is_malformed),
        cmocka_unit_test(message__one_field_more_or_fewer__is_malformed),
        cmocka_unit_test(message__every_byte_replaced__is_refused_or_canonical),
        cmocka_unit_test(message__hostile_header_spliced_in__is_refused),
        cmocka_unit_test(message__noise__is_refused_or_canonical),
        cmocka_unit_test(message__no_room_to_encode__is_over_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
