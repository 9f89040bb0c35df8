/*
 * Real processes: each child confines itself as its role does, tries one thing, and exits with the
 * errno.
 */
#include "participant/confinement/confinement.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/file.h"
#include "tests/support/cmocka.h"
#include "tests/support/folder.h"

enum { EXIT_NOT_CONFINED = 99, CALL_CREATE_RULESET = 444 };

/* A site in small: examples that the courier must not see, adapters that the trainer writes. */
struct place {
    struct folder folder;
    struct folder_path examples;
    struct folder_path photo;
    struct folder_path adapters;
    struct folder_path kept;
    int open_file; /* inherited, as the ledger is */
};

typedef int (*attempt)(const struct place *place);

static int place_setup(void **state)
{
    static struct place place;

    folder_open(&place.folder);
    place.examples = folder_path(&place.folder, "examples");
    place.photo = folder_path(&place.folder, "examples/photo.png");
    place.adapters = folder_path(&place.folder, "adapters");
    place.kept = folder_path(&place.folder, "adapters/kept");
    assert_int_equal(mkdir(place.examples.text, 0700), 0);
    assert_int_equal(mkdir(place.adapters.text, 0700), 0);
    assert_int_equal(sotto_file_replace(place.photo.text, sotto_view_text("photo"), 0600, NULL),
                     SOTTO_OK);
    place.open_file = open(place.photo.text, O_RDWR | O_APPEND | O_CLOEXEC);
    assert_true(place.open_file >= 0);
    *state = &place;
    return 0;
}

static int place_teardown(void **state)
{
    struct place *place = *state;

    close(place->open_file);
    folder_close(&place->folder);
    return 0;
}

static int wait_for(pid_t child)
{
    int status = 0;

    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int try_as(const struct sotto_confinement *confinement, const struct place *place,
                  attempt what)
{
    pid_t child = fork();
    char layers[SOTTO_CONFINED_TEXT_MAX];

    assert_true(child >= 0);
    if (child == 0) {
        if (sotto_confine(layers, confinement, NULL) != SOTTO_OK)
            _exit(EXIT_NOT_CONFINED);
        _exit(what(place));
    }
    return wait_for(child);
}

static int as_trainer(const struct place *place, attempt what)
{
    const struct sotto_confinement confinement = {.role = SOTTO_ROLE_TRAINER,
                                                  .readable = {place->examples.text},
                                                  .writable = {place->adapters.text}};

    return try_as(&confinement, place, what);
}

static int as_sealer(const struct place *place, attempt what)
{
    const struct sotto_confinement confinement = {.role = SOTTO_ROLE_SEALER};

    return try_as(&confinement, place, what);
}

static int as_courier(const struct place *place, attempt what)
{
    const struct sotto_confinement confinement = {
        .role = SOTTO_ROLE_COURIER,
        .readable = {"/etc/nsswitch.conf", "/etc/passwd"},
    };

    return try_as(&confinement, place, what);
}

static int as_numeric_courier(const struct place *place, attempt what)
{
    const struct sotto_confinement confinement = {.role = SOTTO_ROLE_COURIER,
                                                  .opens_nothing = true};

    return try_as(&confinement, place, what);
}

static int result(long returned)
{
    return returned < 0 ? errno : 0;
}

static int open_internet(const struct place *place)
{
    (void)place;
    return result(socket(AF_INET, SOCK_STREAM, 0));
}

static int open_local(const struct place *place)
{
    (void)place;
    return result(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int open_vsock(const struct place *place)
{
    (void)place;
    return result(socket(AF_VSOCK, SOCK_STREAM, 0));
}

static int open_pair(const struct place *place)
{
    int ends[2];

    (void)place;
    return result(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
}

static int open_ring(const struct place *place)
{
    uint8_t parameters[256] = {0};

    (void)place;
    return result(syscall(SYS_io_uring_setup, 4, parameters));
}

static int run_program(const struct place *place)
{
    char *arguments[] = {(char *)(uintptr_t) "true", NULL};

    (void)place;
    return result(execv("/bin/true", arguments));
}

static int trace_parent(const struct place *place)
{
    (void)place;
    return result(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int read_parent(const struct place *place)
{
    (void)place;
    return result(syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0));
}

static int new_namespace(const struct place *place)
{
    (void)place;
    return result(syscall(SYS_unshare, 0x10000000));
}

static int read_photo(const struct place *place)
{
    return result(open(place->photo.text, O_RDONLY | O_CLOEXEC));
}

static int list_examples(const struct place *place)
{
    return result(open(place->examples.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int overwrite_photo(const struct place *place)
{
    return result(open(place->photo.text, O_WRONLY | O_CLOEXEC));
}

static int keep_adapter(const struct place *place)
{
    return sotto_file_replace(place->kept.text, sotto_view_text("adapter"), 0600, NULL) == SOTTO_OK
               ? 0
               : EIO;
}

static int read_resolver_file(const struct place *place)
{
    (void)place;
    return result(open("/etc/nsswitch.conf", O_RDONLY | O_CLOEXEC));
}

static int read_elsewhere(const struct place *place)
{
    (void)place;
    return result(open("/proc/self/maps", O_RDONLY | O_CLOEXEC));
}

static int append_to_open_file(const struct place *place)
{
    if (sotto_descriptor_write(place->open_file, sotto_view_text("x")) != SOTTO_OK)
        return errno;
    return result(fsync(place->open_file));
}

static int pass_sealed_bytes(const struct place *place)
{
    struct sotto_view mapped;
    int sealed = -1;

    (void)place;
    if (sotto_sealed_open(&sealed, sotto_view_text("lanes")) != SOTTO_OK)
        return errno;
    return sotto_sealed_map(&mapped, sealed, 5) == SOTTO_OK ? 0 : EIO;
}

static int make_code(const struct place *place)
{
    (void)place;
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                0) == MAP_FAILED
               ? errno
               : 0;
}

static void *socket_in_thread(void *argument)
{
    int *error = argument;

    *error = result(socket(AF_INET, SOCK_STREAM, 0));
    return NULL;
}

static int open_in_thread(const struct place *place)
{
    pthread_t thread;
    int error = -1;

    (void)place;
    if (pthread_create(&thread, NULL, socket_in_thread, &error) != 0)
        return EAGAIN;
    pthread_join(thread, NULL);
    return error;
}

static void *file_in_thread(void *argument)
{
    int *error = argument;

    *error = read_resolver_file(NULL);
    return NULL;
}

/* As training does: threads that are started once the process is confined. */
static int read_in_thread(const struct place *place)
{
    pthread_t thread;
    int error = -1;

    (void)place;
    if (pthread_create(&thread, NULL, file_in_thread, &error) != 0)
        return EAGAIN;
    pthread_join(thread, NULL);
    return error;
}

static void trainer__any_socket__is_denied(void **state)
{
    assert_int_equal(as_trainer(*state, open_internet), EPERM);
    assert_int_equal(as_trainer(*state, open_local), EPERM);
    assert_int_equal(as_trainer(*state, open_vsock), EPERM);
    assert_int_equal(as_trainer(*state, open_pair), EPERM);
    assert_int_equal(as_trainer(*state, open_in_thread), EPERM);
}

static void trainer__its_own_folders__are_open(void **state)
{
    assert_int_equal(as_trainer(*state, read_photo), 0);
    assert_int_equal(as_trainer(*state, list_examples), 0);
    assert_int_equal(as_trainer(*state, keep_adapter), 0);
}

static void trainer__everything_else__is_shut(void **state)
{
    assert_int_equal(as_trainer(*state, read_resolver_file), EACCES);
    assert_int_equal(as_trainer(*state, read_in_thread), EACCES);
    assert_int_equal(as_trainer(*state, overwrite_photo), EACCES);
    assert_int_equal(as_trainer(*state, run_program), EPERM);
}

static void sealer__any_socket__is_denied(void **state)
{
    assert_int_equal(as_sealer(*state, open_internet), EPERM);
    assert_int_equal(as_sealer(*state, open_local), EPERM);
    assert_int_equal(as_sealer(*state, open_vsock), EPERM);
    assert_int_equal(as_sealer(*state, open_pair), EPERM);
}

static void sealer__any_file__is_denied(void **state)
{
    assert_int_equal(as_sealer(*state, read_photo), EPERM);
    assert_int_equal(as_sealer(*state, read_resolver_file), EPERM);
    assert_int_equal(as_sealer(*state, list_examples), EPERM);
    assert_int_equal(as_sealer(*state, read_elsewhere), EPERM);
}

static void sealer__its_work__is_possible(void **state)
{
    assert_int_equal(as_sealer(*state, append_to_open_file), 0);
    assert_int_equal(as_sealer(*state, pass_sealed_bytes), 0);
    assert_int_equal(as_sealer(*state, make_code), EPERM);
}

static void courier__examples__are_shut(void **state)
{
    assert_int_equal(as_courier(*state, read_photo), EACCES);
    assert_int_equal(as_courier(*state, list_examples), EACCES);
    assert_int_equal(as_courier(*state, overwrite_photo), EPERM);
    assert_int_equal(as_courier(*state, read_elsewhere), EACCES);
    assert_int_equal(as_courier(*state, read_resolver_file), 0);
}

static void courier__numeric_address__opens_nothing(void **state)
{
    assert_int_equal(as_numeric_courier(*state, read_photo), EPERM);
    assert_int_equal(as_numeric_courier(*state, list_examples), EPERM);
    assert_int_equal(as_numeric_courier(*state, read_resolver_file), EPERM);
}

static void courier__internet_sockets__are_its_work(void **state)
{
    assert_int_equal(as_courier(*state, open_internet), 0);
    assert_int_equal(as_courier(*state, open_in_thread), 0);
    assert_int_equal(as_courier(*state, open_local), EPERM);
    assert_int_equal(as_courier(*state, open_vsock), EPERM);
}

static void everyone__ways_round__are_denied(void **state)
{
    static int (*const roles[])(const struct place *, attempt) = {as_trainer, as_sealer, as_courier,
                                                                  as_numeric_courier};
    static const attempt ways[] = {open_ring, run_program, trace_parent, read_parent,
                                   new_namespace};

    for (size_t role = 0; role < sizeof roles / sizeof *roles; role++)
        for (size_t way = 0; way < sizeof ways / sizeof *ways; way++)
            assert_int_equal(roles[role](*state, ways[way]), EPERM);
}

/* As an older kernel answers. */
static void forget_landlock(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (filter == NULL ||
        seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), CALL_CREATE_RULESET, 0) != 0 ||
        seccomp_load(filter) != 0)
        _exit(EXIT_NOT_CONFINED);
}

static int confine_without_landlock(const struct sotto_confinement *confinement,
                                    const struct place *place, attempt what)
{
    pid_t child = fork();
    char layers[SOTTO_CONFINED_TEXT_MAX];
    struct sotto_fault fault = {0};

    assert_true(child >= 0);
    if (child != 0)
        return wait_for(child);
    forget_landlock();
    if (sotto_confine(layers, confinement, &fault) != SOTTO_OK)
        _exit(strstr(fault.text, "sandbox: degraded") != NULL ? ENOSYS : EXIT_NOT_CONFINED);
    if (strstr(layers, "no Landlock") == NULL)
        _exit(EXIT_NOT_CONFINED);
    _exit(what(place));
}

static void missing_layer__full_sandbox__is_refused(void **state)
{
    const struct sotto_confinement confinement = {.role = SOTTO_ROLE_SEALER};

    assert_int_equal(confine_without_landlock(&confinement, *state, read_photo), ENOSYS);
}

static void missing_layer__degraded_sandbox__keeps_the_others(void **state)
{
    const struct sotto_confinement sealer = {.role = SOTTO_ROLE_SEALER,
                                             .is_degraded_allowed = true};
    const struct sotto_confinement courier = {
        .role = SOTTO_ROLE_COURIER, .is_degraded_allowed = true, .opens_nothing = true};

    assert_int_equal(confine_without_landlock(&sealer, *state, open_internet), EPERM);
    assert_int_equal(confine_without_landlock(&courier, *state, read_photo), EPERM);
    assert_int_equal(confine_without_landlock(&courier, *state, open_internet), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trainer__any_socket__is_denied),
        cmocka_unit_test(trainer__its_own_folders__are_open),
        cmocka_unit_test(trainer__everything_else__is_shut),
        cmocka_unit_test(sealer__any_socket__is_denied),
        cmocka_unit_test(sealer__any_file__is_denied),
        cmocka_unit_test(sealer__its_work__is_possible),
        cmocka_unit_test(courier__examples__are_shut),
        cmocka_unit_test(courier__numeric_address__opens_nothing),
        cmocka_unit_test(courier__internet_sockets__are_its_work),
        cmocka_unit_test(everyone__ways_round__are_denied),
        cmocka_unit_test(missing_layer__full_sandbox__is_refused),
        cmocka_unit_test(missing_layer__degraded_sandbox__keeps_the_others),
    };

    return cmocka_run_group_tests(tests, place_setup, place_teardown);
}
