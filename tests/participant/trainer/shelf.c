#include "participant/trainer/shelf.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "models/adapter/peft.h"
#include "models/arch/arch.h"
#include "tests/support/cmocka.h"
#include "tests/support/folder.h"

enum { VALUES = 18 };

static const struct sotto_arch arch = {.width = 8,
                                       .mlp_width = 16,
                                       .block_count = 1,
                                       .head_count = 2,
                                       .kv_head_count = 2,
                                       .head_width = 4,
                                       .image_side = 8,
                                       .patch_side = 4,
                                       .channels = 1,
                                       .norm_epsilon = 1e-6,
                                       .has_qkv_bias = true,
                                       .has_out_bias = true,
                                       .has_mlp_bias = true};

/* An empty shelf and the layout of what is put there. */
struct stand {
    struct folder folder;
    struct sotto_layout layout;
    char path[SOTTO_SHELF_PATH_MAX];
};

static int stand_setup(void **state)
{
    struct sotto_adapter_choice choice = {
        .alpha = 1, .label_count = 2, .labels = {"left", "right"}};
    struct stand *stand = calloc(1, sizeof *stand);

    assert_non_null(stand);
    folder_open(&stand->folder);
    assert_int_equal(sotto_layout_derive(&stand->layout, &arch, &choice, NULL), SOTTO_OK);
    assert_int_equal(stand->layout.lane_count, VALUES);
    *state = stand;
    return 0;
}

static int stand_teardown(void **state)
{
    struct stand *stand = *state;

    folder_close(&stand->folder);
    free(stand);
    return 0;
}

static enum sotto_status keep(struct stand *stand, uint32_t round, float value,
                              struct sotto_fault *fault)
{
    struct sotto_shelf_entry entry = {
        .shelf = stand->folder.path, .campaign = "wards", .round = round, .base = {"base", NULL}};
    float lanes[VALUES];

    for (size_t lane = 0; lane < VALUES; lane++)
        lanes[lane] = value;
    return sotto_shelf_keep(stand->path, &entry, lanes, &stand->layout, fault);
}

/* The value of the adapter that is current. */
static float current_value(const struct stand *stand)
{
    struct folder_path current = folder_path(&stand->folder, "current");
    struct sotto_layout layout;
    float *lanes = NULL;
    float value = 0;

    assert_int_equal(sotto_peft_read(&lanes, &layout, current.text, &arch, NULL), SOTTO_OK);
    value = lanes[VALUES - 1];
    free(lanes);
    return value;
}

static void shelf__newer_adapter__becomes_current(void **state)
{
    struct stand *stand = *state;

    assert_int_equal(keep(stand, 1, 1, NULL), SOTTO_OK);
    assert_true(current_value(stand) == 1);
    assert_int_equal(keep(stand, 2, 2, NULL), SOTTO_OK);
    assert_true(current_value(stand) == 2);
    assert_non_null(strstr(stand->path, "wards/round-2"));
}

static void shelf__same_round_again__replaces_it(void **state)
{
    struct stand *stand = *state;

    assert_int_equal(keep(stand, 1, 1, NULL), SOTTO_OK);
    assert_int_equal(keep(stand, 1, 3, NULL), SOTTO_OK);
    assert_true(current_value(stand) == 3);
}

static void shelf__no_number__keeps_the_old_one(void **state)
{
    struct stand *stand = *state;

    assert_int_equal(keep(stand, 1, 1, NULL), SOTTO_OK);
    assert_int_equal(keep(stand, 2, 0.0f / 0.0f, NULL), SOTTO_MALFORMED);
    assert_true(current_value(stand) == 1);
}

/* Files may not grow any more: what a full disk does, to one process. */
static int keep_on_full_disk(struct stand *stand)
{
    struct rlimit full = {16, 16};
    struct sotto_fault fault = {0};
    pid_t child = fork();
    int status = 0;

    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &full);
        status = (int)keep(stand, 2, 2, &fault);
        _exit(fault.text[0] == '\0' ? 99 : status);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WEXITSTATUS(status);
}

static void shelf__full_disk__keeps_the_old_one(void **state)
{
    struct stand *stand = *state;
    struct folder campaign;

    assert_int_equal(keep(stand, 1, 1, NULL), SOTTO_OK);
    assert_int_equal(keep_on_full_disk(stand), SOTTO_IO);
    assert_true(current_value(stand) == 1);
    snprintf(campaign.path, sizeof campaign.path, "%.500s/wards", stand->folder.path);
    assert_int_equal(folder_count(&campaign), 1);
}

int main(void)
{
#define SHELF_TEST(test) cmocka_unit_test_setup_teardown(test, stand_setup, stand_teardown)
    const struct CMUnitTest tests[] = {
        SHELF_TEST(shelf__newer_adapter__becomes_current),
        SHELF_TEST(shelf__same_round_again__replaces_it),
        SHELF_TEST(shelf__no_number__keeps_the_old_one),
        SHELF_TEST(shelf__full_disk__keeps_the_old_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
