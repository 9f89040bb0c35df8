#include "core/wire/roster.h"

#include <string.h>

#include "core/wire/message.h"
#include "tests/support/cmocka.h"

static uint8_t bytes[SOTTO_ROSTER_BYTES_MAX];
static struct sotto_roster_message roster;
static struct sotto_roster_message back;

static void roster_fill(size_t count)
{
    memset(&roster, 0, sizeof roster);
    roster.organisation_count = count;
    roster.epoch = UINT64_MAX;
    roster.count = count;
    for (size_t i = 0; i < count; i++) {
        roster.lines[i].id = UINT32_MAX - (uint32_t)(count - 1 - i);
        memset(roster.lines[i].identity, (int)i, sizeof roster.lines[i].identity);
        roster.lines[i].organisation = (uint32_t)(count - 1 - i);
        memset(roster.organisations[i], 'x', SOTTO_ORGANISATION_MAX);
        roster.organisations[i][0] = (char)('A' + i / (26 * 26));
        roster.organisations[i][1] = (char)('a' + i / 26 % 26);
        roster.organisations[i][2] = (char)('a' + i % 26);
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
        assert_int_equal(back.organisation_count, counts[i]);
        assert_memory_equal(back.organisations, roster.organisations,
                            counts[i] * sizeof roster.organisations[0]);
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

static void roster__organisations_not_ascending__is_malformed(void **state)
{
    (void)state;
    roster_fill(3);
    memcpy(roster.organisations[1], roster.organisations[0], sizeof roster.organisations[0]);
    assert_int_equal(pass(), SOTTO_MALFORMED);
    roster_fill(3);
    roster.organisations[2][0] = '!';
    assert_int_equal(pass(), SOTTO_MALFORMED);
}

static void roster__line_of_no_organisation__is_malformed(void **state)
{
    (void)state;
    roster_fill(3);
    roster.lines[1].organisation = 3;
    assert_int_equal(pass(), SOTTO_MALFORMED);
}

static void roster__organisation_without_a_good_name__is_malformed(void **state)
{
    static const char *const bad[] = {"", " x", "x ", "a\nb", "a\x7f", "\xc3\xa9"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *const names[] = {bad[i]};

        roster_fill(1);
        strcpy(roster.organisations[0], bad[i]);
        assert_int_equal(pass(), SOTTO_MALFORMED);
        assert_int_equal(sotto_roster_organise(&roster, names), SOTTO_MALFORMED);
    }
}

static void roster__organised__numbers_follow_the_order_of_names(void **state)
{
    const char *const names[] = {"South", "a", "North Hospital", "South", "South Wing"};
    const uint32_t numbers[] = {1, 3, 0, 1, 2};

    (void)state;
    roster_fill(5);
    assert_int_equal(sotto_roster_organise(&roster, names), SOTTO_OK);
    assert_int_equal(roster.organisation_count, 4);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(roster.lines[i].organisation, numbers[i]);
        assert_string_equal(roster.organisations[numbers[i]], names[i]);
    }
    assert_int_equal(pass(), SOTTO_OK);
}

static void roster__too_many__is_over_limit_and_untouched(void **state)
{
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_packer packer;

    (void)state;
    sotto_message_begin(&packer, &buffer, SOTTO_MESSAGE_ROSTER, 3);
    sotto_pack_u64(&packer, 1);
    sotto_pack_array(&packer, 0);
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
        cmocka_unit_test(roster__organisations_not_ascending__is_malformed),
        cmocka_unit_test(roster__line_of_no_organisation__is_malformed),
        cmocka_unit_test(roster__organisation_without_a_good_name__is_malformed),
        cmocka_unit_test(roster__organised__numbers_follow_the_order_of_names),
        cmocka_unit_test(roster__too_many__is_over_limit_and_untouched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
