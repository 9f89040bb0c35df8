/* What a site shows of itself, when those who tell it choose their words badly. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "participant/supervisor/board.h"
#include "tests/support/cmocka.h"
#include "tests/support/folder.h"

static const char evil[] = "a \xff, a \xc2\x9b"
                           "2J and na\xc3\xafve";
static const char shown[] = "a \\xff, a \\xc2\\x9b2J and na\xc3\xafve";

static void assert_tells(const char *path, const char *key, const char *text)
{
    json_t *told = json_load_file(path, 0, NULL);
    const char *value = json_string_value(json_object_get(told, key));

    assert_non_null(value);
    assert_string_equal(value, text);
    json_decref(told);
}

static void board__words_that_are_no_text__are_shown_all_the_same(void **state)
{
    struct folder folder;
    struct sotto_state_folder home = {0};
    struct sotto_site_config site = {0};
    struct sotto_log log;
    struct sotto_clock clock;
    struct sotto_board board;
    struct sotto_note note = {.kind = SOTTO_NOTE_JOINED, .campaign = "wards", .round = 1};

    (void)state;
    folder_open(&folder);
    snprintf(home.status, sizeof home.status, "%s", folder_path(&folder, "status").text);
    snprintf(home.rounds, sizeof home.rounds, "%s", folder_path(&folder, "rounds").text);
    sotto_clock_init_system(&clock);
    sotto_log_init(&log, stderr, "site");
    sotto_board_init(&board, &home, &site, &log, &clock);
    sotto_board_take(&board, SOTTO_PEER_COURIER, &note);
    snprintf(note.text, sizeof note.text, "%s", evil);
    note.kind = SOTTO_NOTE_ENDED;
    sotto_board_take(&board, SOTTO_PEER_SEALER, &note);
    note.kind = SOTTO_NOTE_UNREACHABLE;
    sotto_board_take(&board, SOTTO_PEER_COURIER, &note);
    sotto_board_publish(&board);
    assert_tells(home.rounds, "outcome", shown);
    assert_tells(home.status, "trouble", shown);
    folder_close(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(board__words_that_are_no_text__are_shown_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
