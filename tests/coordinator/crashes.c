/*
 * SIGKILL at every journal write: before a commit, after it but before HEAD, and after HEAD but
 * before anybody hears of it. The next start always succeeds, nothing acknowledged is lost, and the
 * round ends with the adapter that it would have had.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/primitives/hash.h"
#include "tests/coordinator/hub.h"
#include "tests/support/cmocka.h"

enum crash_place { CRASH_BEFORE_COMMIT, CRASH_BEFORE_HEAD, CRASH_BEFORE_ANSWER, CRASH_PLACE_COUNT };

struct crash {
    enum crash_place place;
    unsigned left; /* writes until it strikes; 0: never */
};

/* What a life of the hub tells its test, in order. */
struct report {
    enum { REPORT_ACKNOWLEDGED, REPORT_SURVIVORS, REPORT_ADAPTER } kind;
    struct sotto_digest digest;
};

struct life {
    size_t acknowledged;
    bool has_survivors;
    struct sotto_digest survivors;
    bool is_finished;
    struct sotto_digest adapter;
};

static void strike(struct crash *crash)
{
    if (crash->left > 0 && --crash->left == 0)
        kill(getpid(), SIGKILL);
}

static int on_commit(void *context)
{
    strike(context);
    return 0;
}

static int on_log_written(void *context, sqlite3 *connection, const char *name, int pages)
{
    (void)connection;
    (void)name;
    (void)pages;
    strike(context);
    return SQLITE_OK;
}

static void tell(int pipe, const struct report *report)
{
    if (write(pipe, report, sizeof *report) != sizeof *report)
        _exit(2);
}

/* What everybody may have been told of the survivors. */
static void survivors_tell(struct hub *hub, int pipe)
{
    uint8_t bytes[SOTTO_MAIL_BYTES_MAX + 1024];
    struct sotto_buffer out = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_mail_seen seen = {.campaign = "wards", .round = 1, .kind = SOTTO_MAIL_INBOX};
    struct report report = {.kind = REPORT_SURVIVORS};
    struct sotto_view mail;

    if (sotto_round_phase(sotto_drive_live(hub->drive)->round) != SOTTO_ROUND_INCLUDING ||
        sotto_drive_mail(hub->drive, 1, &seen, &out) != SOTTO_OK)
        return;
    mail = sotto_view_buffer(&out);
    sotto_hash(&report.digest, &mail, 1);
    tell(pipe, &report);
}

/* What a site's answer comes with. */
struct answering {
    struct crash *crash;
    int pipe;
};

static void on_answer(void *context)
{
    struct answering *answering = context;

    if (answering->crash->place == CRASH_BEFORE_ANSWER)
        strike(answering->crash);
    tell(answering->pipe, &(struct report){.kind = REPORT_ACKNOWLEDGED});
}

/*
 * One life of the hub, in a process of its own: goes on with the script wherever the journal
 * stands.
 */
static void live(const char *folder, const struct hub_script *script, struct crash *crash, int pipe)
{
    struct answering answering = {.crash = crash, .pipe = pipe};
    struct report end = {.kind = REPORT_ADAPTER};
    struct hub hub;

    hub_open(&hub, folder);
    hub.on_answer = on_answer;
    hub.context = &answering;
    if (crash->place == CRASH_BEFORE_COMMIT)
        sqlite3_commit_hook(hub.ledger.database.connection, on_commit, crash);
    if (crash->place == CRASH_BEFORE_HEAD)
        sqlite3_wal_hook(hub.ledger.database.connection, on_log_written, crash);
    hub_start(&hub);
    for (size_t i = 0; i < script->count; i++) {
        const struct hub_line *line = &script->lines[i];

        if (!hub_reach(&hub, hub_phase_of(line)))
            break;
        survivors_tell(&hub, pipe);
        if (sotto_round_phase(sotto_drive_live(hub.drive)->round) == hub_phase_of(line))
            assert_int_equal(hub_deliver(&hub, line), SOTTO_OK);
    }
    hub_finish(&hub);
    end.digest = hub_adapter(&hub);
    tell(pipe, &end);
    hub_close(&hub);
}

static void report_take(struct life *life, const struct report *report)
{
    switch (report->kind) {
    case REPORT_ACKNOWLEDGED: life->acknowledged++; return;
    case REPORT_SURVIVORS:
        life->has_survivors = true;
        life->survivors = report->digest;
        return;
    case REPORT_ADAPTER:
        life->is_finished = true;
        life->adapter = report->digest;
        return;
    }
}

/* true: it ended by itself; false: it was killed. Anything else fails the test. */
static bool life_watch(const char *folder, const struct hub_script *script, struct crash crash,
                       struct life *life)
{
    int pipes[2], status;
    struct report report;
    pid_t child;

    *life = (struct life){0};
    assert_int_equal(pipe(pipes), 0);
    child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        live(folder, script, &crash, pipes[1]);
        _exit(0);
    }
    close(pipes[1]);
    while (read(pipes[0], &report, sizeof report) == sizeof report)
        report_take(life, &report);
    close(pipes[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return false;
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return true;
}

/* Messages of sites that stand in the journal. */
static enum sotto_status message_count(void *context, const struct sotto_ledger_entry *entry)
{
    size_t *count = context;

    *count += entry->site != 0;
    return SOTTO_OK;
}

static size_t messages_kept(const char *folder)
{
    struct sotto_ledger ledger;
    struct sotto_fault fault;
    size_t count = 0;

    if (sotto_ledger_open(&ledger, folder, &fault) != SOTTO_OK)
        fail_msg("the start after a crash: %s", fault.text);
    assert_int_equal(sotto_ledger_replay(&ledger, "wards", 1, message_count, &count), SOTTO_OK);
    sotto_ledger_close(&ledger);
    return count;
}

/* Kills one life at the given write, then lives on. false: there are fewer writes than that. */
static bool crash_once(const struct hub_script *script, enum crash_place place, unsigned at)
{
    struct crash crash = {.place = place, .left = at}, never = {0};
    struct folder folder;
    struct life first, second;
    bool is_whole;

    folder_open(&folder);
    hub_make(folder.path);
    is_whole = life_watch(folder.path, script, crash, &first);
    assert_in_range(messages_kept(folder.path), first.acknowledged, script->count);
    if (!is_whole) {
        assert_true(life_watch(folder.path, script, never, &second));
        assert_true(second.is_finished);
        assert_true(sotto_digest_equal(&second.adapter, &script->adapter));
        if (first.has_survivors && second.has_survivors)
            assert_true(sotto_digest_equal(&first.survivors, &second.survivors));
    }
    folder_close(&folder);
    return !is_whole;
}

static void crashes(enum crash_place place, unsigned at_least)
{
    struct hub_script *script = calloc(1, sizeof *script);
    struct folder folder;
    unsigned at = 1;

    assert_non_null(script);
    folder_open(&folder);
    hub_script_record(script, folder.path);
    assert_int_not_equal(script->adapter.bytes[0] | script->adapter.bytes[1], 0);
    while (crash_once(script, place, at))
        at++;
    print_message("%u crash points\n", at - 1);
    assert_in_range(at - 1, at_least, 1000);
    folder_close(&folder);
    free(script);
}

static void hub__killed_before_any_commit__goes_on_to_the_same_adapter(void **state)
{
    (void)state;
    crashes(CRASH_BEFORE_COMMIT, HUB_SCRIPT_MAX);
}

static void hub__killed_between_any_commit_and_head__goes_on_to_the_same_adapter(void **state)
{
    (void)state;
    crashes(CRASH_BEFORE_HEAD, HUB_SCRIPT_MAX);
}

static void hub__killed_before_any_answer__goes_on_to_the_same_adapter(void **state)
{
    (void)state;
    crashes(CRASH_BEFORE_ANSWER, HUB_SCRIPT_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hub__killed_before_any_commit__goes_on_to_the_same_adapter),
        cmocka_unit_test(hub__killed_between_any_commit_and_head__goes_on_to_the_same_adapter),
        cmocka_unit_test(hub__killed_before_any_answer__goes_on_to_the_same_adapter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
