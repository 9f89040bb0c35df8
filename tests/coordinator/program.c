/* sotto-coordinator and sotto-admin as commands: exit codes, and one line that says what to do. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/cmocka.h"
#include "tests/support/folder.h"

enum { OUTPUT_MAX = 8192, ARGUMENTS_MAX = 12 };

/* Where the programs are: the test's arguments. */
struct programs {
    const char *coordinator;
    const char *admin;
};

struct fixture {
    const struct programs *programs;
    struct folder folder;
    char state[FOLDER_PATH_MAX];
    char output[OUTPUT_MAX]; /* of the last command: stdout and stderr */
};

/* Runs a program to its end; returns its exit code. Arguments end with NULL. */
static int run(struct fixture *fixture, const char *program, const char *const *arguments)
{
    const char *argv[ARGUMENTS_MAX + 2] = {program};
    size_t length = 0;
    int pipes[2], status;
    ssize_t got;
    pid_t child;

    for (size_t i = 0; arguments[i] != NULL; i++)
        argv[i + 1] = arguments[i];
    assert_int_equal(pipe(pipes), 0);
    child = fork();
    if (child == 0) {
        dup2(pipes[1], STDOUT_FILENO);
        dup2(pipes[1], STDERR_FILENO);
        close(pipes[0]);
        execv(program, (char *const *)argv);
        _exit(127);
    }
    close(pipes[1]);
    while ((got = read(pipes[0], fixture->output + length, OUTPUT_MAX - 1 - length)) > 0)
        length += (size_t)got;
    fixture->output[length] = '\0';
    close(pipes[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

#define COORDINATOR(...)                                                                           \
    run(fixture, fixture->programs->coordinator, (const char *const[]){__VA_ARGS__, NULL})
#define ADMIN(...) run(fixture, fixture->programs->admin, (const char *const[]){__VA_ARGS__, NULL})

static void assert_says(const struct fixture *fixture, const char *words)
{
    if (strstr(fixture->output, words) == NULL)
        fail_msg("'%s' is not in '%s'", words, fixture->output);
}

static int fixture_open(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    assert_non_null(fixture);
    fixture->programs = *state;
    folder_open(&fixture->folder);
    snprintf(fixture->state, sizeof fixture->state, "%s/hub", fixture->folder.path);
    *state = fixture;
    return 0;
}

static int fixture_close(void **state)
{
    struct fixture *fixture = *state;

    *state = (void *)fixture->programs;
    folder_close(&fixture->folder);
    free(fixture);
    return 0;
}

static void config_write(struct fixture *fixture, const char *text)
{
    struct folder_path path = folder_path(&fixture->folder, "hub/config.yaml");
    FILE *file = fopen(path.text, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void init__into_a_folder_that_holds_something__is_73_and_changes_nothing(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(COORDINATOR("init", "--state", fixture->state), 0);
    assert_int_equal(COORDINATOR("init", "--state", fixture->state), 73);
    assert_says(fixture, "is there already");
    assert_int_equal(folder_count(&fixture->folder), 1);
}

static void init__host_that_is_none__is_65_and_leaves_nothing(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(COORDINATOR("init", "--state", fixture->state, "--host", "no host!"), 65);
    assert_says(fixture, "no host!");
    assert_int_equal(folder_count(&fixture->folder), 0);
}

static void commands__used_wrongly__are_2(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(COORDINATOR("init"), 2);
    assert_says(fixture, "--state");
    assert_int_equal(COORDINATOR("dance", "--state", "x"), 2);
    assert_int_equal(COORDINATOR("init", "--state", "x", "--port", "70000"), 2);
    assert_says(fixture, "65535");
    assert_int_equal(COORDINATOR("serve", "--state", "x", "--port", "7"), 2);
    assert_int_equal(ADMIN("campaign", "dance"), 2);
    assert_says(fixture, "campaign dance");
    assert_int_equal(COORDINATOR("--version"), 0);
    assert_says(fixture, "sotto-coordinator ");
}

static void admin__help_of_a_command__needs_no_credential(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(ADMIN("--credential", fixture->state, "campaign", "create", "--help"), 0);
    assert_says(fixture, "--cohort-min");
    assert_int_equal(ADMIN("--credential", fixture->state, "status"), 66);
    assert_says(fixture, "--credential DIR");
}

static void admin__wrong_number__is_2_and_names_the_option(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(ADMIN("campaign", "create", "x", "--rank", "z"), 2);
    assert_says(fixture, "--rank z: give a whole number");
    assert_int_equal(ADMIN("campaign", "create", "x", "--alpha", "-1"), 2);
    assert_says(fixture, "--alpha -1: give a number");
    assert_int_equal(ADMIN("campaign", "wait", "x", "--timeout", "inf"), 2);
    assert_says(fixture, "--timeout inf");
}

static void serve__journal_gone_or_emptied__says_restore(void **state)
{
    struct fixture *fixture = *state;
    struct folder_path journal = folder_path(&fixture->folder, "hub/journal.sqlite");

    assert_int_equal(COORDINATOR("init", "--state", fixture->state), 0);
    assert_int_equal(unlink(journal.text), 0);
    assert_int_equal(COORDINATOR("serve", "--state", fixture->state), 66);
    assert_says(fixture, "restore it from a backup together with HEAD");
    assert_int_equal(close(open(journal.text, O_CREAT | O_WRONLY, 0600)), 0);
    assert_int_equal(COORDINATOR("serve", "--state", fixture->state), 65);
    assert_says(fixture, "restore it from a backup together with HEAD");
}

static void serve__config_with_a_wrong_url__is_65_and_names_it(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(COORDINATOR("init", "--state", fixture->state), 0);
    config_write(fixture, "address: \"127.0.0.1\"\nport: 7443\nurl: \"http://127.0.0.1\"\n");
    assert_int_equal(COORDINATOR("serve", "--state", fixture->state), 65);
    assert_says(fixture, "config.yaml: url has to be https://HOST:PORT");
}

static void serve__without_init__is_66_and_says_init(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(COORDINATOR("serve", "--state", fixture->folder.path), 66);
    assert_says(fixture, "sotto-coordinator init --state");
}

static void serve__config_with_a_wrong_key__is_65_and_names_line_and_key(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(COORDINATOR("init", "--state", fixture->state), 0);
    config_write(fixture, "address: \"127.0.0.1\"\nprot: 7443\nurl: \"https://127.0.0.1:7443\"\n");
    assert_int_equal(COORDINATOR("serve", "--state", fixture->state), 65);
    assert_says(fixture, "config.yaml:2");
    assert_says(fixture, "prot");
    config_write(fixture, "address: \"127.0.0.1\"\nport: 0\nurl: \"https://127.0.0.1:7443\"\n");
    assert_int_equal(COORDINATOR("serve", "--state", fixture->state), 65);
    assert_says(fixture, "port");
}

static void serve__port_taken__is_75_and_names_it(void **state)
{
    struct fixture *fixture = *state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int holder = socket(AF_INET, SOCK_STREAM, 0);
    char port[16];

    assert_int_equal(bind(holder, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(holder, 1), 0);
    assert_int_equal(getsockname(holder, (struct sockaddr *)&address, &length), 0);
    snprintf(port, sizeof port, "%u", ntohs(address.sin_port));
    assert_int_equal(
        COORDINATOR("init", "--state", fixture->state, "--host", "127.0.0.1", "--port", port), 0);
    assert_int_equal(COORDINATOR("serve", "--state", fixture->state), 75);
    assert_says(fixture, port);
    close(holder);
}

static void serve__journal_damaged__is_65_and_says_backup(void **state)
{
    struct fixture *fixture = *state;
    struct folder_path path = folder_path(&fixture->folder, "hub/journal.sqlite");

    assert_int_equal(COORDINATOR("init", "--state", fixture->state), 0);
    assert_int_equal(truncate(path.text, 100), 0);
    assert_int_equal(COORDINATOR("serve", "--state", fixture->state), 65);
    assert_says(fixture, "is damaged");
    assert_says(fixture, "backup");
}

/* HEAD knows of an entry that the journal has not: it was acknowledged and is lost. */
static void serve__journal_shorter_than_head__is_77_until_recover(void **state)
{
    struct fixture *fixture = *state;
    struct folder_path path = folder_path(&fixture->folder, "hub/HEAD");
    FILE *head;

    assert_int_equal(
        COORDINATOR("init", "--state", fixture->state, "--host", "127.0.0.1", "--port", "1"), 0);
    head = fopen(path.text, "w");
    fprintf(head, "sotto head 1\n3 %064d\n", 0);
    fclose(head);
    assert_int_equal(COORDINATOR("serve", "--state", fixture->state), 77);
    assert_says(fixture, "journal lost acknowledged events 1 to 3");
    assert_int_equal(COORDINATOR("recover", "--state", fixture->state), 0);
    assert_int_equal(COORDINATOR("recover", "--state", fixture->state), 0);
}

static void admin__no_credential__is_66_and_says_where(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(ADMIN("--credential", fixture->folder.path, "status"), 66);
    assert_says(fixture, "--credential DIR");
}

static void admin__nobody_serves__is_69(void **state)
{
    struct fixture *fixture = *state;
    struct folder_path admin = folder_path(&fixture->folder, "hub/admin");

    assert_int_equal(
        COORDINATOR("init", "--state", fixture->state, "--host", "127.0.0.1", "--port", "1"), 0);
    assert_int_equal(ADMIN("--credential", admin.text, "status"), 69);
    assert_says(fixture, "https://127.0.0.1:1");
}

static void admin__model_folder_without_a_model__is_66_and_names_the_file(void **state)
{
    struct fixture *fixture = *state;
    struct folder_path admin = folder_path(&fixture->folder, "hub/admin");

    assert_int_equal(
        COORDINATOR("init", "--state", fixture->state, "--host", "127.0.0.1", "--port", "1"), 0);
    assert_int_equal(ADMIN("--credential", admin.text, "campaign", "create", "wards", "--model",
                           fixture->state, "--labels", "cat,dog"),
                     66);
    assert_says(fixture, "config.json");
}

/* Models of every kind get as far as the hub, which nobody serves; labels belong to classes. */
static void admin__base_models_of_every_family__are_read(void **state)
{
    static const struct {
        const char *model;
        const char *labels;
        int code;
        const char *words;
    } rows[] = {
        {"tests/vectors/deit", "--labels=cat,dog", 69, "https://127.0.0.1:1"},
        {"tests/vectors/bert", "--labels=cat,dog", 69, "https://127.0.0.1:1"},
        {"tests/vectors/bert", "--rank=4", 65, "name the classes with --labels"},
        {"tests/vectors/llama", "--rank=4", 69, "https://127.0.0.1:1"},
        {"tests/vectors/llama3", "--rank=4", 69, "https://127.0.0.1:1"},
        {"tests/vectors/qwen2", "--labels=cat,dog", 65, "a language model has none"},
    };
    struct fixture *fixture = *state;
    struct folder_path admin = folder_path(&fixture->folder, "hub/admin");

    assert_int_equal(
        COORDINATOR("init", "--state", fixture->state, "--host", "127.0.0.1", "--port", "1"), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(ADMIN("--credential", admin.text, "campaign", "create", "wards", "--model",
                               rows[i].model, rows[i].labels),
                         rows[i].code);
        assert_says(fixture, rows[i].words);
    }
}

#define COMMAND(name)                                                                              \
    {                                                                                              \
#name, name, fixture_open, fixture_close, &programs                                        \
    }

int main(int argc, char **argv)
{
    struct programs programs = {.coordinator = argc > 1 ? argv[1] : NULL,
                                .admin = argc > 2 ? argv[2] : NULL};
    const struct CMUnitTest tests[] = {
        COMMAND(init__into_a_folder_that_holds_something__is_73_and_changes_nothing),
        COMMAND(init__host_that_is_none__is_65_and_leaves_nothing),
        COMMAND(commands__used_wrongly__are_2),
        COMMAND(admin__help_of_a_command__needs_no_credential),
        COMMAND(admin__wrong_number__is_2_and_names_the_option),
        COMMAND(serve__journal_gone_or_emptied__says_restore),
        COMMAND(serve__config_with_a_wrong_url__is_65_and_names_it),
        COMMAND(serve__without_init__is_66_and_says_init),
        COMMAND(serve__config_with_a_wrong_key__is_65_and_names_line_and_key),
        COMMAND(serve__port_taken__is_75_and_names_it),
        COMMAND(serve__journal_damaged__is_65_and_says_backup),
        COMMAND(serve__journal_shorter_than_head__is_77_until_recover),
        COMMAND(admin__no_credential__is_66_and_says_where),
        COMMAND(admin__nobody_serves__is_69),
        COMMAND(admin__base_models_of_every_family__are_read),
        COMMAND(admin__model_folder_without_a_model__is_66_and_names_the_file),
    };

    if (programs.admin == NULL) {
        fprintf(stderr, "usage: test_coordinator_program COORDINATOR ADMIN\n");
        return 2;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
