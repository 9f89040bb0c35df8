/* What the drive does beside the straight way: restarts, stops, revocations, disks that fail. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coordinator/ledger/versions.h"
#include "core/base/file.h"
#include "tests/coordinator/hub.h"
#include "tests/support/cmocka.h"

struct fixture {
    struct folder reference; /* where the script was recorded */
    struct folder folder;
    struct hub_script script;
    struct hub hub;
};

static int fixture_open(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    assert_non_null(fixture);
    folder_open(&fixture->reference);
    hub_script_record(&fixture->script, fixture->reference.path);
    folder_open(&fixture->folder);
    hub_make(fixture->folder.path);
    hub_open(&fixture->hub, fixture->folder.path);
    hub_start(&fixture->hub);
    *state = fixture;
    return 0;
}

static int fixture_close(void **state)
{
    struct fixture *fixture = *state;

    hub_close(&fixture->hub);
    folder_close(&fixture->folder);
    folder_close(&fixture->reference);
    free(fixture);
    return 0;
}

/* Plays the script up to the lines of `phase`, and `more` of those. */
static void play(struct fixture *fixture, enum sotto_round_phase phase, size_t more)
{
    size_t count = (size_t)phase * HUB_SITES + more;

    for (size_t i = 0; i < count; i++) {
        assert_true(hub_reach(&fixture->hub, hub_phase_of(&fixture->script.lines[i])));
        assert_int_equal(hub_deliver(&fixture->hub, &fixture->script.lines[i]), SOTTO_OK);
    }
    if (phase < SOTTO_ROUND_UNMASKING)
        assert_true(hub_reach(&fixture->hub, phase));
}

static void restart(struct fixture *fixture)
{
    hub_close(&fixture->hub);
    hub_open(&fixture->hub, fixture->folder.path);
}

static struct sotto_campaign campaign_now(struct fixture *fixture)
{
    struct sotto_campaign campaign;

    assert_int_equal(sotto_campaigns_find(&fixture->hub.ledger, "wards", &campaign), SOTTO_OK);
    return campaign;
}

static struct sotto_round_row row_now(struct fixture *fixture)
{
    struct sotto_round_row row;

    assert_int_equal(sotto_rounds_newest(&fixture->hub.ledger, "wards", &row), SOTTO_OK);
    return row;
}

/* The kind of mail for site 1 after what it has seen; NONE: nothing. */
static enum sotto_mail_kind mail_kind(struct fixture *fixture, struct sotto_mail_seen seen)
{
    uint8_t bytes[SOTTO_MAIL_BYTES_MAX + 1024];
    struct sotto_buffer out = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_mail mail;

    if (sotto_drive_mail(fixture->hub.drive, 1, &seen, &out) != SOTTO_OK)
        return SOTTO_MAIL_NONE;
    assert_int_equal(sotto_mail_decode(&mail, sotto_view_buffer(&out)), SOTTO_OK);
    return mail.kind;
}

static void drive__whole_script__finishes_campaign_and_removes_the_spool(void **state)
{
    struct fixture *fixture = *state;
    struct folder_path spool = folder_path(&fixture->folder, "spool/wards/1");
    struct sotto_digest adapter;
    struct sotto_round_row row;

    play(fixture, SOTTO_ROUND_UNMASKING, 0);
    hub_finish(&fixture->hub);
    adapter = hub_adapter(&fixture->hub);
    row = row_now(fixture);
    assert_true(sotto_digest_equal(&adapter, &fixture->script.adapter));
    assert_int_equal(campaign_now(fixture).state, SOTTO_CAMPAIGN_FINISHED);
    assert_string_equal(row.outcome, "finished");
    assert_int_equal(row.cohort, HUB_SITES);
    assert_int_equal(row.survivors, HUB_SITES);
    assert_true(row.has_chi2 && row.is_last);
    assert_int_equal(access(spool.text, F_OK), -1);
}

static void mail__after_the_end__everybody_hears_the_outcome_once(void **state)
{
    struct fixture *fixture = *state;

    play(fixture, SOTTO_ROUND_UNMASKING, 0);
    hub_finish(&fixture->hub);
    for (int life = 0; life < 2; life++) {
        assert_int_equal(
            mail_kind(fixture, (struct sotto_mail_seen){"wards", 1, SOTTO_MAIL_INCLUSIONS}),
            SOTTO_MAIL_OUTCOME);
        assert_int_equal(mail_kind(fixture, (struct sotto_mail_seen){"", 0, SOTTO_MAIL_NONE}),
                         SOTTO_MAIL_OUTCOME);
        assert_int_equal(
            mail_kind(fixture, (struct sotto_mail_seen){"wards", 1, SOTTO_MAIL_OUTCOME}),
            SOTTO_MAIL_NONE);
        restart(fixture);
    }
}

static void mail__of_another_campaign_or_an_older_round__is_what_is_there_now(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(mail_kind(fixture, (struct sotto_mail_seen){"other", 9, SOTTO_MAIL_OUTCOME}),
                     SOTTO_MAIL_PLAN);
    assert_int_equal(mail_kind(fixture, (struct sotto_mail_seen){"wards", 1, SOTTO_MAIL_PLAN}),
                     SOTTO_MAIL_NONE);
    play(fixture, SOTTO_ROUND_SHARING, 0);
    assert_int_equal(mail_kind(fixture, (struct sotto_mail_seen){"wards", 1, SOTTO_MAIL_PLAN}),
                     SOTTO_MAIL_COHORT);
}

static void drive__event_of_another_round__is_not_found(void **state)
{
    struct fixture *fixture = *state;
    struct sotto_receipt receipt = {.done = NULL};
    struct sotto_round_event event = {.kind = SOTTO_ROUND_LEAVE, .site = 1, .reason = 1};

    sotto_drive_submit(fixture->hub.drive, "wards", 2, &event, &receipt);
    assert_int_equal(receipt.verdict, SOTTO_NOT_FOUND);
    sotto_drive_forget(fixture->hub.drive, &receipt);
    assert_int_equal(sotto_drive_settle(fixture->hub.drive), SOTTO_OK);
}

static void count_answer(struct sotto_receipt *receipt)
{
    int *answered = receipt->context;

    ++*answered;
}

static void drive__repeat_before_the_commit__is_answered_only_after_it(void **state)
{
    struct fixture *fixture = *state;
    int answered = 0;
    struct sotto_receipt receipt = {.done = count_answer, .context = &answered};
    struct sotto_receipt repeat = {.done = count_answer, .context = &answered};
    const struct hub_line *line = &fixture->script.lines[0];
    struct sotto_round_event event = {
        .kind = line->kind, .site = line->site, .bytes = sotto_view_of(line->bytes, line->length)};

    sotto_drive_submit(fixture->hub.drive, "wards", 1, &event, &receipt);
    sotto_drive_await(fixture->hub.drive, &repeat);
    assert_int_equal(answered, 0);
    assert_int_equal(sotto_drive_settle(fixture->hub.drive), SOTTO_OK);
    assert_int_equal(answered, 2);
    assert_int_equal(repeat.verdict, SOTTO_OK);
}

static void drive__stopped_by_hand__stays_stopped_after_a_restart(void **state)
{
    struct fixture *fixture = *state;

    play(fixture, SOTTO_ROUND_UPLOADING, 2);
    assert_int_equal(sotto_drive_stop(fixture->hub.drive, "wards", NULL), SOTTO_OK);
    assert_int_equal(sotto_drive_settle(fixture->hub.drive), SOTTO_OK);
    hub_finish(&fixture->hub);
    restart(fixture);
    assert_null(sotto_drive_live(fixture->hub.drive));
    assert_int_equal(campaign_now(fixture).state, SOTTO_CAMPAIGN_STOPPED);
    assert_string_equal(row_now(fixture).reason, "an administrator stopped the campaign");
    assert_int_equal(sotto_drive_start(fixture->hub.drive, "wards", false, NULL), SOTTO_OK);
    assert_int_equal(sotto_drive_settle(fixture->hub.drive), SOTTO_OK);
    assert_int_equal(row_now(fixture).round, 2);
}

static void drive__revoked_before_its_upload__is_not_waited_for(void **state)
{
    struct fixture *fixture = *state;

    play(fixture, SOTTO_ROUND_UPLOADING, HUB_SITES - 1);
    sotto_drive_revoke(fixture->hub.drive, HUB_SITES);
    assert_int_equal(sotto_drive_settle(fixture->hub.drive), SOTTO_OK);
    assert_true(hub_reach(&fixture->hub, SOTTO_ROUND_INCLUDING));
    assert_int_equal(sotto_round_survivor_count(sotto_drive_live(fixture->hub.drive)->round),
                     HUB_SITES - 1);
}

static void drive__spooled_upload_damaged_while_down__abandons_the_round(void **state)
{
    struct fixture *fixture = *state;
    struct sotto_round_row row;

    play(fixture, SOTTO_ROUND_UPLOADING, 2);
    hub_close(&fixture->hub);
    folder_write(&fixture->folder, "spool/wards/1/2.upload", sotto_view_text("other bytes"));
    hub_open(&fixture->hub, fixture->folder.path);
    while (sotto_rounds_newest_ended(&fixture->hub.ledger, "wards", &row) != SOTTO_OK)
        uv_run(&fixture->hub.loop, UV_RUN_NOWAIT);
    assert_string_equal(row.outcome, "abandoned");
    assert_non_null(strstr(row.reason, "is not what was acknowledged"));
}

/* Stops the campaign and gives it a version of its round, which is the adapter it began with. */
static void version_put(struct fixture *fixture)
{
    struct hub *hub = &fixture->hub;
    const struct sotto_plan *plan = sotto_round_plan(sotto_drive_live(hub->drive)->round);
    struct sotto_version version = {.campaign = "wards",
                                    .round = plan->round,
                                    .adapter = plan->adapter,
                                    .layout = plan->layout};
    struct sotto_signature signature;

    sotto_version_sign(&signature, &version, &hub->keys.signing);
    assert_int_equal(sotto_versions_add(&hub->ledger, &version, &signature, NULL), SOTTO_OK);
    assert_int_equal(sotto_drive_stop(hub->drive, "wards", NULL), SOTTO_OK);
    assert_int_equal(sotto_drive_settle(hub->drive), SOTTO_OK);
    hub_finish(hub);
}

static void start_again(struct fixture *fixture, bool is_renewed)
{
    assert_int_equal(sotto_drive_start(fixture->hub.drive, "wards", is_renewed, NULL), SOTTO_OK);
    assert_int_equal(sotto_drive_settle(fixture->hub.drive), SOTTO_OK);
}

/* Without them the sum of a whole round could not be applied. */
static void drive__moments_missing_or_damaged__pauses_before_a_round(void **state)
{
    struct fixture *fixture = *state;
    struct sotto_campaign campaign;

    version_put(fixture);
    for (int is_there = 0; is_there < 2; is_there++) {
        if (is_there)
            folder_write(&fixture->folder, "moments/wards/1", sotto_view_text("short"));
        else
            assert_int_equal(
                sotto_folder_make(folder_path(&fixture->folder, "moments/wards").text, NULL),
                SOTTO_OK);
        start_again(fixture, false);
        campaign = campaign_now(fixture);
        assert_int_equal(campaign.state, SOTTO_CAMPAIGN_PAUSED);
        assert_non_null(strstr(campaign.reason, is_there
                                                    ? "are damaged, moments/wards/1: restore"
                                                    : "are missing, moments/wards/1: restore"));
        assert_null(sotto_drive_live(fixture->hub.drive));
        assert_int_equal(row_now(fixture).round, 1);
    }
    assert_non_null(strstr(campaign.reason, "or start it with --new-moments"));
}

static void drive__adapter_damaged_or_missing__pauses_before_a_round(void **state)
{
    struct fixture *fixture = *state;
    const struct sotto_round *round = sotto_drive_live(fixture->hub.drive)->round;
    char hex[SOTTO_DIGEST_HEX], name[SOTTO_DIGEST_HEX + 16];
    float zeros[COHORT_ADAPTER] = {0};
    struct sotto_view adapter = cohort_adapter(zeros);
    struct sotto_campaign campaign;

    sotto_digest_hex(hex, &sotto_round_plan(round)->adapter);
    snprintf(name, sizeof name, "items/adapter/%s", hex);
    version_put(fixture);
    zeros[COHORT_VALUES - 1] = 1;
    folder_write(&fixture->folder, name, adapter);
    for (int is_there = 1; is_there >= 0; is_there--) {
        if (!is_there)
            assert_int_equal(unlink(folder_path(&fixture->folder, name).text), 0);
        start_again(fixture, false);
        campaign = campaign_now(fixture);
        assert_int_equal(campaign.state, SOTTO_CAMPAIGN_PAUSED);
        assert_non_null(strstr(campaign.reason, is_there ? "tensor base_model.model.classifier.bias"
                                                         : "is missing: restore items/"));
        assert_null(sotto_drive_live(fixture->hub.drive));
    }
}

static void drive__moments_renewed__goes_on(void **state)
{
    struct fixture *fixture = *state;

    version_put(fixture);
    start_again(fixture, false);
    assert_int_equal(campaign_now(fixture).state, SOTTO_CAMPAIGN_PAUSED);
    start_again(fixture, true);
    assert_int_equal(campaign_now(fixture).state, SOTTO_CAMPAIGN_RUNNING);
    assert_int_equal(row_now(fixture).round, 2);
    assert_int_equal(sotto_drive_live(fixture->hub.drive)->start_round, 1);
    assert_int_equal(sotto_drive_stop(fixture->hub.drive, "wards", NULL), SOTTO_OK);
    assert_int_equal(sotto_drive_settle(fixture->hub.drive), SOTTO_OK);
    start_again(fixture, false);
    assert_int_equal(row_now(fixture).round, 3);
}

/* As one that another version of Sotto left: the hub goes on, and does so after a restart. */
static void drive__definition_that_does_not_parse__pauses_and_stops_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct sotto_campaign old = {.name = "old", .definition = "{}", .created_ms = 4};

    assert_int_equal(sotto_drive_stop(fixture->hub.drive, "wards", NULL), SOTTO_OK);
    assert_int_equal(sotto_drive_settle(fixture->hub.drive), SOTTO_OK);
    hub_finish(&fixture->hub);
    assert_int_equal(sotto_campaigns_add(&fixture->hub.ledger, &old, NULL), SOTTO_OK);
    assert_int_equal(sotto_drive_start(fixture->hub.drive, "old", false, NULL), SOTTO_OK);
    for (int life = 0; life < 2; life++) {
        assert_int_equal(sotto_drive_settle(fixture->hub.drive), SOTTO_OK);
        assert_int_equal(sotto_campaigns_find(&fixture->hub.ledger, "old", &old), SOTTO_OK);
        assert_int_equal(old.state, SOTTO_CAMPAIGN_PAUSED);
        assert_non_null(strstr(old.reason, "another version of Sotto wrote it"));
        restart(fixture);
    }
    assert_int_equal(sotto_drive_start(fixture->hub.drive, "old", true, NULL), SOTTO_MALFORMED);
    start_again(fixture, false);
    assert_int_equal(campaign_now(fixture).state, SOTTO_CAMPAIGN_RUNNING);
}

/* In a child: the limit on file sizes stands for a full disk under the journal. */
static int full_disk_life(struct fixture *fixture)
{
    struct rlimit limit = {.rlim_cur = 1, .rlim_max = 1};
    struct sotto_receipt receipt = {.done = NULL};
    struct sotto_receipt repeat = {.done = NULL};
    const struct hub_line *line = &fixture->script.lines[0];
    struct sotto_round_event event = {
        .kind = line->kind, .site = line->site, .bytes = sotto_view_of(line->bytes, line->length)};

    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    sotto_drive_submit(fixture->hub.drive, "wards", 1, &event, &receipt);
    sotto_drive_await(fixture->hub.drive, &repeat);
    if (sotto_drive_settle(fixture->hub.drive) != SOTTO_IO)
        return 1;
    if (!fixture->hub.is_broken)
        return 2;
    return mail_kind(fixture, (struct sotto_mail_seen){"", 0, SOTTO_MAIL_NONE}) == SOTTO_MAIL_NONE
               ? 0
               : 3;
}

/* The receipts have no `done`: answering one would crash the child. */
static void drive__journal_cannot_be_written__answers_nobody_any_more(void **state)
{
    struct fixture *fixture = *state;
    int status;
    pid_t child = fork();

    if (child == 0)
        _exit(full_disk_life(fixture));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

#define DRIVEN(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DRIVEN(drive__whole_script__finishes_campaign_and_removes_the_spool),
        DRIVEN(mail__after_the_end__everybody_hears_the_outcome_once),
        DRIVEN(mail__of_another_campaign_or_an_older_round__is_what_is_there_now),
        DRIVEN(drive__event_of_another_round__is_not_found),
        DRIVEN(drive__repeat_before_the_commit__is_answered_only_after_it),
        DRIVEN(drive__stopped_by_hand__stays_stopped_after_a_restart),
        DRIVEN(drive__revoked_before_its_upload__is_not_waited_for),
        DRIVEN(drive__spooled_upload_damaged_while_down__abandons_the_round),
        DRIVEN(drive__moments_missing_or_damaged__pauses_before_a_round),
        DRIVEN(drive__adapter_damaged_or_missing__pauses_before_a_round),
        DRIVEN(drive__moments_renewed__goes_on),
        DRIVEN(drive__definition_that_does_not_parse__pauses_and_stops_nothing),
        DRIVEN(drive__journal_cannot_be_written__answers_nobody_any_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
