#include "core/wire/roster.h"

#include <string.h>

#include "core/wire/message.h"
#include "tests/support/cmocka.h"

static uint8_t bytes[SOTTO_PACK_BYTES_MAX];
static struct sotto_roster_message roster;
static struct sotto_roster_message back;

static void roster_fill(size_t count)
{
    memset(&roster, 0, sizeof roster);
    roster.epoch = UINT64_MAX;
    roster.count = count;
    for (size_t i = 0; i < count; i++) {
        roster.lines[i].id = UINT32_MAX - (uint32_t)(count - 1 - i);
        memset(roster.lines[i].identity, (int)i, sizeof roster.lines[i].identity);
        memset(roster.lines[i].certificate.bytes, (int)i + 1, SOTTO_DIGEST_BYTES);
    }
}

static enum sotto_status pass(void)
{
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);

    assert_int_equal(sotto_roster_encode(&buffer, &roster), SOTTO_OK);
    return sotto_roster_decode(&back, sotto_view_buffer(&buffer));
}

static void roster__none_to_the_most__comes_back(void **state)
{
    const size_t counts[] = {0, 1, 15, 16, SOTTO_ROSTER_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        roster_fill(counts[i]);
        assert_int_equal(pass(), SOTTO_OK);
        assert_int_equal(back.count, counts[i]);
        assert_true(back.epoch == UINT64_MAX);
        assert_memory_equal(back.lines, roster.lines, counts[i] * sizeof roster.lines[0]);
    }
}

static void roster__ids_not_ascending__is_malformed(void **state)
{
    (void)state;
    roster_fill(3);
    roster.lines[1].id = roster.lines[0].id;
    assert_int_equal(pass(), SOTTO_MALFORMED);
    roster_fill(3);
    roster.lines[2].id = 1;
    assert_int_equal(pass(), SOTTO_MALFORMED);
    roster_fill(3);
    roster.lines[0].id = 0;
    assert_int_equal(pass(), SOTTO_MALFORMED);
}

static void roster__too_many__is_over_limit_and_untouched(void **state)
{
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_packer packer;

    (void)state;
    sotto_message_begin(&packer, &buffer, SOTTO_MESSAGE_ROSTER, 2);
    sotto_pack_u64(&packer, 1);
    sotto_pack_array(&packer, SOTTO_ROSTER_MAX + 1);
    for (size_t i = 0; i <= SOTTO_ROSTER_MAX; i++)
        sotto_pack_array(&packer, 0);
    assert_int_equal(sotto_packer_finish(&packer), SOTTO_OK);
    back.count = 77;
    assert_int_equal(sotto_roster_decode(&back, sotto_view_buffer(&buffer)), SOTTO_OVER_LIMIT);
    assert_int_equal(back.count, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roster__none_to_the_most__comes_back),
        cmocka_unit_test(roster__ids_not_ascending__is_malformed),
        cmocka_unit_test(roster__too_many__is_over_limit_and_untouched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
