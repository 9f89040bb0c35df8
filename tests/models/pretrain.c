/* sotto-pretrain as it is shipped: what it leaves, its exit codes, and what Ctrl-C leaves. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "models/trainer.h"
#include "tests/support/cmocka.h"
#include "tests/support/folder.h"

enum { SIDE = 8, PICTURES = 200, ARGUMENTS_MAX = 32, OUTPUT_MAX = 4096 };

/* Set by main from the command line. */
static const char *program;

/* Pictures in a temporary folder, and where the model shall be. */
struct site {
    struct folder folder;
    struct folder_path images;
    struct folder_path out;
};

static void site_open(struct site *site)
{
    static uint8_t bytes[16 + PICTURES * SIDE * SIDE] = {0, 0, 8, 3,    0, 0, 0, PICTURES,
                                                         0, 0, 0, SIDE, 0, 0, 0, SIDE};

    for (size_t i = 0; i < (size_t)PICTURES * SIDE * SIDE; i++)
        bytes[16 + i] = (uint8_t)((i % SIDE) * 20 + (i / 64) * 7);
    folder_open(&site->folder);
    folder_write(&site->folder, "images", sotto_view_of(bytes, sizeof bytes));
    site->images = folder_path(&site->folder, "images");
    site->out = folder_path(&site->folder, "model");
}

/* A started program; its standard error is read from `errors`. */
struct started {
    pid_t child;
    FILE *errors;
};

static struct started start(const struct site *site, const char *const *more)
{
    const char *arguments[ARGUMENTS_MAX] = {program,
                                            "--images",
                                            site->images.text,
                                            "--out",
                                            site->out.text,
                                            "--width",
                                            "16",
                                            "--blocks",
                                            "1",
                                            "--heads",
                                            "2",
                                            "--batch",
                                            "32",
                                            "--decoder-width",
                                            "16"};
    size_t count = 15;
    struct started started;
    int ends[2];

    for (; *more != NULL; more++)
        arguments[count++] = *more;
    assert_true(count < ARGUMENTS_MAX);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    started.child = fork();
    assert_int_not_equal(started.child, -1);
    if (started.child == 0) {
        dup2(ends[1], STDERR_FILENO);
        dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
        execv(program, (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    close(ends[1]);
    started.errors = fdopen(ends[0], "r");
    assert_non_null(started.errors);
    return started;
}

/* Its exit code; the last of what it said is in out[OUTPUT_MAX]. */
static int finish(struct started *started, char *out)
{
    int status = 0;
    size_t length = fread(out, 1, OUTPUT_MAX - 1, started->errors);

    out[length] = 0;
    while (fgetc(started->errors) != EOF)
        continue;
    fclose(started->errors);
    assert_int_equal(waitpid(started->child, &status, 0), started->child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int run(const struct site *site, const char *const *more, char *out)
{
    struct started started = start(site, more);

    return finish(&started, out);
}

#define FLAGS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void pretrain__directory__opens_as_a_model(void **state)
{
    struct site site;
    struct sotto_model *model;
    struct sotto_fault fault = {0};
    char said[OUTPUT_MAX];

    (void)state;
    site_open(&site);
    assert_int_equal(run(&site, FLAGS("--epochs", "2"), said), 0);
    assert_non_null(strstr(said, "step 12 of 12"));
    if (sotto_model_open(&model, site.out.text, &fault) != SOTTO_OK)
        fail_msg("%s", fault.text);
    assert_int_equal(sotto_model_arch(model)->width, 16);
    assert_int_equal(sotto_model_arch(model)->image_side, SIDE);
    assert_int_equal(sotto_model_picture_form(model).channels, 1);
    sotto_model_close(model);
    assert_int_equal(folder_count(&site.folder), 2);
    folder_close(&site.folder);
}

static uint8_t *read_model(const struct site *site, size_t *length)
{
    struct folder_path path = folder_path(&site->folder, "model/model.safetensors");
    uint8_t *bytes = malloc(1 << 20);
    FILE *file = fopen(path.text, "rb");

    assert_non_null(bytes);
    assert_non_null(file);
    *length = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    return bytes;
}

static void pretrain__same_flags__same_bytes(void **state)
{
    char said[OUTPUT_MAX];
    uint8_t *models[3];
    size_t lengths[3];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct site site;

        site_open(&site);
        assert_int_equal(run(&site, FLAGS("--epochs", "1", "--seed", i == 2 ? "8" : "7"), said), 0);
        models[i] = read_model(&site, &lengths[i]);
        folder_close(&site.folder);
    }
    assert_int_equal(lengths[0], lengths[1]);
    assert_memory_equal(models[0], models[1], lengths[0]);
    assert_memory_not_equal(models[0], models[2], lengths[0]);
    for (size_t i = 0; i < 3; i++)
        free(models[i]);
}

static void pretrain__interrupted__leaves_nothing_and_exits_130(void **state)
{
    struct site site;
    struct started started;
    char said[OUTPUT_MAX];

    (void)state;
    site_open(&site);
    started = start(&site, FLAGS("--epochs", "100000"));
    assert_non_null(fgets(said, sizeof said, started.errors));
    assert_int_equal(kill(started.child, SIGINT), 0);
    assert_int_equal(finish(&started, said), 130);
    assert_non_null(strstr(said, "interrupted, nothing was written"));
    assert_int_equal(folder_count(&site.folder), 1);
    folder_close(&site.folder);
}

static void pretrain__bad_flags__are_usage_errors(void **state)
{
    static const char *const bad[][2] = {
        {"--width", "x"},       {"--width", "18"},        {"--epochs", "0"},
        {"--batch", "-1"},      {"--mask-ratio", "1"},    {"--learning-rate", "nan"},
        {"--threads", "99999"}, {"--dtype", "float"},     {"--count", "0"},
        {"--heads", "3"},       {"--decoder-width", "6"}, {"--unknown", "1"},
    };
    struct site site;
    char said[OUTPUT_MAX];

    (void)state;
    site_open(&site);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (run(&site, FLAGS(bad[i][0], bad[i][1]), said) != 2)
            fail_msg("%s %s is no usage error: %s", bad[i][0], bad[i][1], said);
        assert_non_null(strstr(said, bad[i][0]));
    }
    assert_int_equal(folder_count(&site.folder), 1);
    folder_close(&site.folder);
}

static void pretrain__bad_input__is_one_line_with_its_exit_code(void **state)
{
    struct site site;
    char said[OUTPUT_MAX];

    (void)state;
    site_open(&site);
    assert_int_equal(run(&site, FLAGS("--images", "no/such/file"), said), 66);
    assert_non_null(strstr(said, "no/such/file"));
    assert_int_equal(run(&site, FLAGS("--patch", "3"), said), 65);
    assert_non_null(strstr(said, "--patch: 3 does not divide"));
    assert_int_equal(run(&site, FLAGS("--count", "8"), said), 65);
    assert_non_null(strstr(said, "--batch: 32 is above the 8 pictures"));
    assert_int_equal(run(&site, FLAGS("--first", "200"), said), 76);
    assert_non_null(strstr(said, "has 200 items"));
    assert_int_equal(run(&site, FLAGS("--out", site.folder.path), said), 74);
    assert_non_null(strstr(said, "exists and is not replaced"));
    assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
    folder_close(&site.folder);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pretrain__directory__opens_as_a_model),
        cmocka_unit_test(pretrain__same_flags__same_bytes),
        cmocka_unit_test(pretrain__interrupted__leaves_nothing_and_exits_130),
        cmocka_unit_test(pretrain__bad_flags__are_usage_errors),
        cmocka_unit_test(pretrain__bad_input__is_one_line_with_its_exit_code),
    };

    if (argc != 2) {
        fprintf(stderr, "usage: test_models_pretrain PATH-OF-SOTTO-PRETRAIN\n");
        return 2;
    }
    program = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
