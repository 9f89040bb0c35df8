/* The journal: what a start accepts, what it refuses, and what it says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coordinator/ledger/campaigns.h"
#include "coordinator/ledger/endorsements.h"
#include "coordinator/ledger/rounds.h"
#include "coordinator/ledger/shelf.h"
#include "coordinator/ledger/sites.h"
#include "coordinator/ledger/tokens.h"
#include "coordinator/ledger/versions.h"
#include "core/base/file.h"
#include "tests/support/cmocka.h"
#include "tests/support/folder.h"

struct fixture {
    struct folder folder;
    struct sotto_ledger ledger;
    struct sotto_fault fault;
};

static int fixture_open(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    assert_non_null(fixture);
    folder_open(&fixture->folder);
    assert_int_equal(sotto_ledger_create(fixture->folder.path, &fixture->fault), SOTTO_OK);
    assert_int_equal(sotto_ledger_open(&fixture->ledger, fixture->folder.path, &fixture->fault),
                     SOTTO_OK);
    *state = fixture;
    return 0;
}

static int fixture_close(void **state)
{
    struct fixture *fixture = *state;

    sotto_ledger_close(&fixture->ledger);
    folder_close(&fixture->folder);
    free(fixture);
    return 0;
}

static void entry_append(struct fixture *fixture, const char *kind)
{
    struct sotto_ledger_entry entry = {
        .at_ms = 5, .kind = kind, .campaign = "wards", .round = 1, .bytes = sotto_view_text(kind)};

    assert_int_equal(sotto_ledger_append(&fixture->ledger, &entry, &fixture->fault), SOTTO_OK);
}

static enum sotto_status reopen(struct fixture *fixture)
{
    sotto_ledger_close(&fixture->ledger);
    return sotto_ledger_open(&fixture->ledger, fixture->folder.path, &fixture->fault);
}

static void assert_says(const struct fixture *fixture, const char *words)
{
    if (strstr(fixture->fault.text, words) == NULL)
        fail_msg("'%s' is not in '%s'", words, fixture->fault.text);
}

static enum sotto_status kind_collect(void *context, const struct sotto_ledger_entry *entry)
{
    strcat(context, entry->kind);
    strcat(context, " ");
    return SOTTO_OK;
}

static void ledger__committed_entries__are_there_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    char kinds[64] = "";

    entry_append(fixture, "advert");
    entry_append(fixture, "shares");
    assert_int_equal(sotto_ledger_commit(&fixture->ledger, &fixture->fault), SOTTO_OK);
    entry_append(fixture, "upload");
    assert_int_equal(reopen(fixture), SOTTO_OK);
    assert_int_equal(fixture->ledger.head.sequence, 2);
    assert_int_equal(sotto_ledger_replay(&fixture->ledger, "wards", 1, kind_collect, kinds),
                     SOTTO_OK);
    assert_string_equal(kinds, "advert shares ");
}

/* Runs SQL on the journal behind the ledger's back. */
static void journal_alter(struct fixture *fixture, const char *sql)
{
    struct folder_path path = folder_path(&fixture->folder, "journal.sqlite");
    sqlite3 *database;

    sotto_ledger_close(&fixture->ledger);
    assert_int_equal(sqlite3_open(path.text, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}

static void three_entries(struct fixture *fixture)
{
    entry_append(fixture, "advert");
    entry_append(fixture, "shares");
    entry_append(fixture, "upload");
    assert_int_equal(sotto_ledger_commit(&fixture->ledger, &fixture->fault), SOTTO_OK);
}

static void ledger__any_column_altered__is_refused_and_named(void **state)
{
    static const char *const changes[] = {
        "at_ms = 6",  "kind = 'reveal'",         "campaign = 'other'", "round = 2",   "site = 9",
        "reason = 1", "digest = randomblob(32)", "bytes = x'00'",      "hash = x'00'"};
    char sql[128];

    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        void *fixture;

        assert_int_equal(fixture_open(&fixture), 0);
        three_entries(fixture);
        snprintf(sql, sizeof sql, "UPDATE events SET %s WHERE sequence = 2", changes[i]);
        journal_alter(fixture, sql);
        assert_int_equal(reopen(fixture), SOTTO_FORGED);
        assert_says(fixture, "entry 2");
        fixture_close(&fixture);
    }
}

static void ledger__tail_gone__says_that_acknowledged_events_were_lost(void **state)
{
    struct fixture *fixture = *state;

    three_entries(fixture);
    journal_alter(fixture, "DELETE FROM events WHERE sequence > 1");
    assert_int_equal(reopen(fixture), SOTTO_FORGED);
    assert_says(fixture, "journal lost acknowledged events 2 to 3");
    assert_says(fixture, "recover");
}

static void ledger__recover_after_a_lost_tail__opens_again(void **state)
{
    struct fixture *fixture = *state;

    three_entries(fixture);
    journal_alter(fixture, "DELETE FROM events WHERE sequence > 1");
    assert_int_equal(sotto_ledger_recover(&fixture->ledger, fixture->folder.path, &fixture->fault),
                     SOTTO_OK);
    assert_int_equal(reopen(fixture), SOTTO_OK);
    assert_int_equal(fixture->ledger.head.sequence, 1);
}

static void ledger__write_ahead_log_cut__says_that_events_were_lost(void **state)
{
    struct fixture *fixture = *state;
    struct folder copy;
    char command[2048];

    entry_append(fixture, "advert");
    assert_int_equal(sotto_ledger_commit(&fixture->ledger, &fixture->fault), SOTTO_OK);
    entry_append(fixture, "shares");
    assert_int_equal(sotto_ledger_commit(&fixture->ledger, &fixture->fault), SOTTO_OK);
    /* The files as a crash would leave them, with the log cut in its last frame. */
    folder_open(&copy);
    snprintf(command, sizeof command, "cp %s/journal.sqlite* %s/HEAD %s", fixture->folder.path,
             fixture->folder.path, copy.path);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command, "truncate -s -100 %s/journal.sqlite-wal", copy.path);
    assert_int_equal(system(command), 0);
    sotto_ledger_close(&fixture->ledger);
    assert_int_equal(sotto_ledger_open(&fixture->ledger, copy.path, &fixture->fault), SOTTO_FORGED);
    assert_says(fixture, "journal lost acknowledged events");
    folder_close(&copy);
}

static void ledger__head_missing__is_refused_and_named(void **state)
{
    struct fixture *fixture = *state;
    struct folder_path head = folder_path(&fixture->folder, "HEAD");

    three_entries(fixture);
    assert_int_equal(unlink(head.text), 0);
    assert_int_equal(reopen(fixture), SOTTO_NOT_FOUND);
    assert_says(fixture, "HEAD is missing");
}

static void ledger__head_of_another_journal__is_refused(void **state)
{
    struct fixture *fixture = *state;
    char head[160];

    three_entries(fixture);
    snprintf(head, sizeof head, "sotto head 1\n2 %064d\n", 7);
    folder_write(&fixture->folder, "HEAD", sotto_view_text(head));
    assert_int_equal(reopen(fixture), SOTTO_FORGED);
    assert_says(fixture, "not of the same moment");
}

static void ledger__head_damaged__is_refused_and_named(void **state)
{
    struct fixture *fixture = *state;

    folder_write(&fixture->folder, "HEAD", sotto_view_text("sotto head 1\n2 zz\n"));
    assert_int_equal(reopen(fixture), SOTTO_MALFORMED);
    assert_says(fixture, "HEAD is damaged");
}

/* A crash between commit and HEAD: what was not acknowledged may be there. */
static void ledger__head_one_commit_behind__is_accepted(void **state)
{
    struct fixture *fixture = *state;
    struct sotto_ledger_head before;
    struct folder_path path = folder_path(&fixture->folder, "HEAD");

    entry_append(fixture, "advert");
    assert_int_equal(sotto_ledger_commit(&fixture->ledger, &fixture->fault), SOTTO_OK);
    before = fixture->ledger.head;
    entry_append(fixture, "shares");
    assert_int_equal(sotto_ledger_commit(&fixture->ledger, &fixture->fault), SOTTO_OK);
    assert_int_equal(sotto_ledger_head_write(path.text, &before, &fixture->fault), SOTTO_OK);
    assert_int_equal(reopen(fixture), SOTTO_OK);
    assert_int_equal(fixture->ledger.head.sequence, 2);
}

static void ledger__not_a_database__says_that_it_is_damaged(void **state)
{
    struct fixture *fixture = *state;
    static uint8_t noise[8192];

    sotto_ledger_close(&fixture->ledger);
    memset(noise, 0x5a, sizeof noise);
    folder_write(&fixture->folder, "journal.sqlite", sotto_view_of(noise, sizeof noise));
    assert_int_equal(sotto_ledger_open(&fixture->ledger, fixture->folder.path, &fixture->fault),
                     SOTTO_MALFORMED);
    assert_says(fixture, "is damaged");
    assert_says(fixture, "backup");
}

static void ledger__second_coordinator__is_told_the_process(void **state)
{
    struct fixture *fixture = *state;
    struct sotto_ledger second;
    int status;
    pid_t child = fork();

    if (child == 0)
        _exit(sotto_ledger_open(&second, fixture->folder.path, &fixture->fault) == SOTTO_BUSY &&
                      strstr(fixture->fault.text, "in use by process") != NULL
                  ? 0
                  : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void ledger__folder_without_a_journal__says_init(void **state)
{
    struct fixture *fixture = *state;
    struct sotto_ledger ledger;
    struct folder empty;

    folder_open(&empty);
    assert_int_equal(sotto_ledger_open(&ledger, empty.path, &fixture->fault), SOTTO_NOT_FOUND);
    assert_says(fixture, "sotto-coordinator init");
    folder_close(&empty);
}

static struct sotto_site site_named(const char *name, uint8_t certificate)
{
    struct sotto_site site = {.enrolled_ms = 9, .organisation = "North Hospital"};

    snprintf(site.name, sizeof site.name, "%s", name);
    memset(site.certificate.bytes, certificate, sizeof site.certificate.bytes);
    return site;
}

static void sites__revoked_name__may_enrol_anew_with_another_id(void **state)
{
    struct fixture *fixture = *state;
    struct sotto_site first = site_named("ward-1", 1), second = site_named("ward-1", 2), found;
    uint64_t epoch;

    assert_int_equal(sotto_sites_add(&fixture->ledger, &first, &fixture->fault), SOTTO_OK);
    assert_int_equal(sotto_sites_add(&fixture->ledger, &second, &fixture->fault), SOTTO_MISMATCH);
    assert_says(fixture, "ward-1 is enrolled already");
    assert_int_equal(sotto_sites_revoke(&fixture->ledger, "ward-1", 10, &found, &fixture->fault),
                     SOTTO_OK);
    assert_int_equal(sotto_sites_add(&fixture->ledger, &second, &fixture->fault), SOTTO_OK);
    assert_int_equal(second.id, 2);
    assert_int_equal(sotto_sites_epoch(&fixture->ledger, &epoch), SOTTO_OK);
    assert_int_equal(epoch, 3);
    assert_int_equal(sotto_sites_by_certificate(&fixture->ledger, &first.certificate, &found),
                     SOTTO_OK);
    assert_int_equal(found.revoked_ms, 10);
    assert_string_equal(found.organisation, "North Hospital");
}

static struct sotto_endorsement endorsement_of(uint64_t epoch)
{
    struct sotto_endorsement endorsement = {.endorsed.epoch = epoch, .kept_ms = 12};

    memset(&endorsement.endorsed.roster, 1, sizeof endorsement.endorsed.roster);
    memset(&endorsement.authority, 2, sizeof endorsement.authority);
    memset(&endorsement.signature, (int)epoch, sizeof endorsement.signature);
    return endorsement;
}

static void endorsements__kept__the_newest_holds_until_it_is_released(void **state)
{
    struct fixture *fixture = *state;
    struct sotto_endorsement first = endorsement_of(5), second = endorsement_of(7), found = {0};

    assert_int_equal(sotto_endorsements_newest(&fixture->ledger, &found), SOTTO_NOT_FOUND);
    assert_int_equal(sotto_endorsements_keep(&fixture->ledger, &first, &fixture->fault), SOTTO_OK);
    assert_int_equal(sotto_endorsements_keep(&fixture->ledger, &second, &fixture->fault), SOTTO_OK);
    assert_int_equal(sotto_ledger_commit(&fixture->ledger, &fixture->fault), SOTTO_OK);
    assert_int_equal(reopen(fixture), SOTTO_OK);
    assert_int_equal(sotto_endorsements_newest(&fixture->ledger, &found), SOTTO_OK);
    assert_memory_equal(&found, &second, sizeof found);
    assert_int_equal(sotto_endorsements_release(&fixture->ledger, 20, &fixture->fault), SOTTO_OK);
    assert_int_equal(sotto_endorsements_newest(&fixture->ledger, &found), SOTTO_NOT_FOUND);
    assert_int_equal(sotto_endorsements_release(&fixture->ledger, 21, &fixture->fault),
                     SOTTO_NOT_FOUND);
}

static void ledger__of_another_format__is_refused(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(
        sotto_database_change(&fixture->ledger.database, "PRAGMA user_version = 1", NULL, 0, NULL),
        SOTTO_OK);
    assert_int_equal(sotto_ledger_commit(&fixture->ledger, &fixture->fault), SOTTO_OK);
    assert_int_equal(sotto_database_commit(&fixture->ledger.database, NULL), SOTTO_OK);
    assert_int_equal(reopen(fixture), SOTTO_UNSUPPORTED);
    assert_says(fixture, "another version of this program (format 1");
}

static void tokens__used_expired_or_unknown__are_told_apart(void **state)
{
    struct fixture *fixture = *state;
    struct sotto_token token = {
        .site = "ward-1", .organisation = "North Hospital", .expires_s = 100, .secret = {7}};
    uint8_t unknown[32] = {8};
    struct sotto_invitation found;

    assert_int_equal(sotto_tokens_issue(&fixture->ledger, &token, 1, &fixture->fault), SOTTO_OK);
    assert_int_equal(sotto_tokens_check(&fixture->ledger, &found, unknown, 1, &fixture->fault),
                     SOTTO_REFUSED);
    assert_says(fixture, "no token has this secret");
    assert_int_equal(
        sotto_tokens_check(&fixture->ledger, &found, token.secret, 100000, &fixture->fault),
        SOTTO_REFUSED);
    assert_says(fixture, "expired");
    assert_int_equal(
        sotto_tokens_check(&fixture->ledger, &found, token.secret, 99999, &fixture->fault),
        SOTTO_OK);
    assert_string_equal(found.site, "ward-1");
    assert_string_equal(found.organisation, "North Hospital");
    assert_int_equal(sotto_tokens_use(&fixture->ledger, token.secret, 2, &fixture->fault),
                     SOTTO_OK);
    assert_int_equal(sotto_tokens_check(&fixture->ledger, &found, token.secret, 3, &fixture->fault),
                     SOTTO_REFUSED);
    assert_says(fixture, "has been used");
}

/* The secret itself is nowhere in the file. */
static void tokens__issued__keep_no_secret_on_disk(void **state)
{
    struct fixture *fixture = *state;
    struct sotto_token token = {.site = "ward-1", .expires_s = 100};
    struct folder_path path = folder_path(&fixture->folder, "journal.sqlite");
    uint8_t *bytes;
    size_t length;

    memset(token.secret, 0xc3, sizeof token.secret);
    assert_int_equal(sotto_tokens_issue(&fixture->ledger, &token, 1, &fixture->fault), SOTTO_OK);
    assert_int_equal(sotto_ledger_commit(&fixture->ledger, &fixture->fault), SOTTO_OK);
    sotto_ledger_close(&fixture->ledger);
    assert_int_equal(sotto_file_read(&bytes, &length, path.text, 1 << 24, NULL), SOTTO_OK);
    assert_null(memmem(bytes, length, token.secret, sizeof token.secret));
    assert_non_null(memmem(bytes, length, "ward-1", 6));
    free(bytes);
    assert_int_equal(reopen(fixture), SOTTO_OK);
}

static void campaigns__states__are_kept_with_their_reasons(void **state)
{
    struct fixture *fixture = *state;
    struct sotto_campaign campaign = {.name = "wards", .definition = "{}", .created_ms = 4}, found;
    uint64_t started_ms;

    assert_int_equal(sotto_campaigns_add(&fixture->ledger, &campaign, &fixture->fault), SOTTO_OK);
    assert_int_equal(sotto_campaigns_add(&fixture->ledger, &campaign, &fixture->fault),
                     SOTTO_MISMATCH);
    assert_int_equal(sotto_campaigns_running(&fixture->ledger, &found), SOTTO_NOT_FOUND);
    assert_int_equal(sotto_campaigns_set(&fixture->ledger, "wards", SOTTO_CAMPAIGN_RUNNING, "", 8,
                                         &fixture->fault),
                     SOTTO_OK);
    assert_int_equal(sotto_campaigns_running(&fixture->ledger, &found), SOTTO_OK);
    assert_int_equal(sotto_campaigns_started_ms(&fixture->ledger, "wards", &started_ms), SOTTO_OK);
    assert_int_equal(started_ms, 8);
    assert_int_equal(sotto_campaigns_set(&fixture->ledger, "wards", SOTTO_CAMPAIGN_PAUSED, "why", 9,
                                         &fixture->fault),
                     SOTTO_OK);
    assert_int_equal(sotto_campaigns_find(&fixture->ledger, "wards", &found), SOTTO_OK);
    assert_int_equal(found.state, SOTTO_CAMPAIGN_PAUSED);
    assert_string_equal(found.reason, "why");
}

static void bytes_of_first_site(void *context, const struct sotto_round_site *site)
{
    struct sotto_round_site *out = context;

    *out = *site;
}

static void rounds__notes_of_a_site__add_up(void **state)
{
    struct fixture *fixture = *state;
    struct sotto_round_site note = {.site = 3, .bytes_in = 10, .bytes_out = 4, .answered = true};
    struct sotto_round_site second = {
        .site = 3, .bytes_in = 5, .survived = true, .has_chi2 = true, .chi2 = 251};
    struct sotto_round_site found = {0};

    assert_int_equal(sotto_rounds_note_site(&fixture->ledger, "wards", 1, &note, &fixture->fault),
                     SOTTO_OK);
    assert_int_equal(sotto_rounds_note_site(&fixture->ledger, "wards", 1, &second, &fixture->fault),
                     SOTTO_OK);
    assert_int_equal(
        sotto_rounds_walk_sites(&fixture->ledger, "wards", 1, bytes_of_first_site, &found),
        SOTTO_OK);
    assert_int_equal(found.bytes_in, 15);
    assert_int_equal(found.bytes_out, 4);
    assert_true(found.answered && found.survived && found.has_chi2);
    assert_true(found.chi2 == 251);
}

static void versions__signature__is_over_every_field(void **state)
{
    struct sotto_secret signing = {{1}};
    struct sotto_ed25519_public signer;
    struct sotto_version version = {.campaign = "wards", .round = 3};
    struct sotto_version other;
    struct sotto_signature signature;

    (void)state;
    sotto_ed25519_public_of(&signer, &signing);
    sotto_version_sign(&signature, &version, &signing);
    assert_int_equal(sotto_version_verify(&signature, &version, &signer), SOTTO_OK);
    other = version;
    other.campaign = "ward";
    assert_int_equal(sotto_version_verify(&signature, &other, &signer), SOTTO_FORGED);
    other = version;
    other.round = 4;
    assert_int_equal(sotto_version_verify(&signature, &other, &signer), SOTTO_FORGED);
    other = version;
    other.adapter.bytes[31] = 1;
    assert_int_equal(sotto_version_verify(&signature, &other, &signer), SOTTO_FORGED);
    other = version;
    other.layout.bytes[0] = 1;
    assert_int_equal(sotto_version_verify(&signature, &other, &signer), SOTTO_FORGED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ledger__committed_entries__are_there_after_a_restart),
        cmocka_unit_test(ledger__any_column_altered__is_refused_and_named),
        TEST(ledger__tail_gone__says_that_acknowledged_events_were_lost),
        TEST(ledger__recover_after_a_lost_tail__opens_again),
        TEST(ledger__write_ahead_log_cut__says_that_events_were_lost),
        TEST(ledger__head_missing__is_refused_and_named),
        TEST(ledger__head_of_another_journal__is_refused),
        TEST(ledger__head_damaged__is_refused_and_named),
        TEST(ledger__head_one_commit_behind__is_accepted),
        TEST(ledger__not_a_database__says_that_it_is_damaged),
        TEST(ledger__second_coordinator__is_told_the_process),
        TEST(ledger__of_another_format__is_refused),
        TEST(ledger__folder_without_a_journal__says_init),
        TEST(sites__revoked_name__may_enrol_anew_with_another_id),
        TEST(endorsements__kept__the_newest_holds_until_it_is_released),
        TEST(tokens__used_expired_or_unknown__are_told_apart),
        TEST(tokens__issued__keep_no_secret_on_disk),
        TEST(campaigns__states__are_kept_with_their_reasons),
        TEST(rounds__notes_of_a_site__add_up),
        cmocka_unit_test(versions__signature__is_over_every_field),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
