#include "participant/supervisor/board.h"

#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/file.h"
#include "crypto/secagg/refusal.h"

void sotto_board_init(struct sotto_board *board, const struct sotto_state_folder *folder,
                      const struct sotto_site_config *site, const struct sotto_log *log,
                      const struct sotto_clock *clock)
{
    *board = (struct sotto_board){.folder = folder,
                                  .site = site,
                                  .log = log,
                                  .clock = clock,
                                  .epsilon = NAN,
                                  .is_running = true};
}

/* A coordinator's words may be in it: what is shown must be UTF-8, or no JSON comes of it. */
static void text_copy(char out[SOTTO_NOTE_TEXT_MAX], const char *text)
{
    sotto_line_show(out, SOTTO_NOTE_TEXT_MAX, text);
}

static json_t *round_line(const struct sotto_board *board)
{
    const struct sotto_board_round *round = &board->round;
    double waiting =
        round->round_seconds - round->train_seconds - round->mask_seconds - round->upload_seconds;

    return json_pack("{s:s, s:I, s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:I, s:I}", "campaign",
                     round->campaign, "round", (json_int_t)round->round, "outcome", round->outcome,
                     "training_seconds", round->train_seconds, "expanding_seconds",
                     round->expand_seconds, "masking_seconds", round->mask_seconds,
                     "uploading_seconds", round->upload_seconds, "waiting_seconds",
                     waiting > 0 ? waiting : 0, "round_seconds", round->round_seconds, "bytes_up",
                     (json_int_t)round->bytes_up, "bytes_down", (json_int_t)round->bytes_down);
}

static void round_write(struct sotto_board *board)
{
    json_t *line = round_line(board);
    char *text = line == NULL ? NULL : json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(6));
    int file = open(board->folder->rounds, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    enum sotto_status status = SOTTO_IO;

    if (text != NULL && file >= 0)
        status = sotto_descriptor_write(file, sotto_view_text(text));
    if (status == SOTTO_OK)
        status = sotto_descriptor_write(file, sotto_view_text("\n"));
    if (status != SOTTO_OK)
        sotto_log_write(board->log, SOTTO_LOG_WARNING, "cannot write %s", board->folder->rounds);
    if (file >= 0)
        close(file);
    free(text);
    json_decref(line);
    board->round.is_open = false;
    board->round_count++;
}

static void round_close(struct sotto_board *board)
{
    if (board->round.is_open)
        round_write(board);
}

static void round_open(struct sotto_board *board, const struct sotto_note *note)
{
    if (board->round.is_open && board->round.outcome[0] == '\0')
        text_copy(board->round.outcome, "superseded");
    round_close(board);
    board->round = (struct sotto_board_round){.is_open = true};
    memcpy(board->round.campaign, note->campaign, sizeof board->round.campaign);
    board->round.round = note->round;
    board->round.bytes_up = board->spare_up;
    board->round.bytes_down = board->spare_down;
    board->spare_up = 0;
    board->spare_down = 0;
}

static bool is_of_round(const struct sotto_board *board, const struct sotto_note *note)
{
    return board->round.is_open && board->round.round == note->round &&
           strcmp(board->round.campaign, note->campaign) == 0;
}

void sotto_board_lose_round(struct sotto_board *board, const char *outcome)
{
    if (board->round.is_open && board->round.outcome[0] == '\0')
        text_copy(board->round.outcome, outcome);
    round_close(board);
}

static json_t *status_line(const struct sotto_board *board)
{
    char when[32];
    time_t now_s = (time_t)(sotto_clock_wall_ms(board->clock) / 1000);
    struct tm calendar;

    gmtime_r(&now_s, &calendar);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &calendar);
    return json_pack(
        "{s:s, s:I, s:s, s:I, s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:s, s:{s:s, s:s, s:s}}", "site",
        board->site->name, "id", (json_int_t)board->site->id, "state",
        board->is_running ? "running" : "stopped", "process", (json_int_t)getpid(), "coordinator",
        board->site->url, "connection", board->is_unreachable ? "unreachable" : "ok", "campaign",
        board->round.campaign, "round", (json_int_t)board->round.round, "rounds_ended",
        (json_int_t)board->round_count, "restarts", (json_int_t)board->restart_count, "trouble",
        board->trouble, "updated", when, "confinement", "trainer", board->layers[0], "sealer",
        board->layers[1], "courier", board->layers[2]);
}

void sotto_board_publish(const struct sotto_board *board)
{
    json_t *line = status_line(board);
    char *text = NULL;
    struct sotto_fault fault = {.text = "no memory"};
    enum sotto_status status = SOTTO_NO_MEMORY;

    if (line != NULL) {
        json_object_set_new(line, "adapter", json_string(board->adapter));
        json_object_set_new(line, "epsilon",
                            isnan(board->epsilon) ? json_null() : json_real(board->epsilon));
        json_object_set_new(line, "uploads_without_noise",
                            json_integer((json_int_t)board->plain_upload_count));
        json_object_set_new(line, "epsilon_max", json_real(board->site->policy.epsilon_max));
        json_object_set_new(line, "delta", json_real(board->site->policy.delta));
    }
    text = line == NULL ? NULL : json_dumps(line, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    if (text != NULL)
        status = sotto_file_replace(board->folder->status, sotto_view_text(text), 0600, &fault);
    if (status != SOTTO_OK)
        sotto_log_write(board->log, SOTTO_LOG_WARNING, "%s", fault.text);
    free(text);
    json_decref(line);
}

static const char *peer_name(enum sotto_peer peer)
{
    static const char *const names[] = {"supervisor", "trainer", "sealer", "courier"};

    return names[peer];
}

static void take_trouble(struct sotto_board *board, enum sotto_peer from,
                         const struct sotto_note *note)
{
    text_copy(board->trouble, note->text);
    sotto_log_write(board->log, SOTTO_LOG_ERROR, "%s: %s", peer_name(from), note->text);
}

static void take_refusal(struct sotto_board *board, const struct sotto_note *note)
{
    enum sotto_refusal refusal =
        note->code < SOTTO_REFUSAL_COUNT ? (enum sotto_refusal)note->code : SOTTO_REFUSAL_NONE;
    char trouble[SOTTO_NOTE_TEXT_MAX];

    snprintf(trouble, sizeof trouble, "%s%s%.384s", sotto_refusal_sentence(refusal),
             note->text[0] == '\0' ? "" : "; ", note->text);
    text_copy(board->trouble, trouble);
    sotto_log_write(board->log, SOTTO_LOG_WARNING, "round %u of %s refused (%s): %s", note->round,
                    note->campaign, sotto_refusal_name(refusal), board->trouble);
    if (!is_of_round(board, note))
        round_open(board, note);
    snprintf(board->round.outcome, sizeof board->round.outcome, "refused: %s",
             sotto_refusal_name(refusal));
    round_close(board);
}

static void take_traffic(struct sotto_board *board, const struct sotto_note *note)
{
    bool counts = board->round.is_open;

    *(counts ? &board->round.bytes_up : &board->spare_up) += note->up;
    *(counts ? &board->round.bytes_down : &board->spare_down) += note->down;
}

static void take_end(struct sotto_board *board, const struct sotto_note *note)
{
    if (!is_of_round(board, note))
        return;
    text_copy(board->round.outcome, note->text);
    board->round.round_seconds = note->seconds;
    sotto_log_write(board->log, SOTTO_LOG_INFO, "round %u of %s %s after %.1f s", note->round,
                    note->campaign, note->text, note->seconds);
    if (strcmp(note->text, "finished") != 0)
        round_close(board);
}

static void take_adopted(struct sotto_board *board, const struct sotto_note *note)
{
    text_copy(board->adapter, note->text);
    sotto_log_write(board->log, SOTTO_LOG_INFO, "the adapter of round %u of %s is home: %s",
                    note->round, note->campaign, note->text);
    round_close(board);
}

static void take_connection(struct sotto_board *board, const struct sotto_note *note)
{
    board->is_unreachable = note->kind == SOTTO_NOTE_UNREACHABLE;
    if (board->is_unreachable)
        text_copy(board->trouble, note->text);
    sotto_log_write(board->log, board->is_unreachable ? SOTTO_LOG_WARNING : SOTTO_LOG_INFO,
                    board->is_unreachable ? "%s; still trying" : "the coordinator answers again%s",
                    note->text);
}

/* Where in the round's line a note's seconds go; NULL: nowhere. */
static double *seconds_of(struct sotto_board_round *round, enum sotto_note_kind kind)
{
    switch (kind) {
    case SOTTO_NOTE_TRAINED: return &round->train_seconds;
    case SOTTO_NOTE_EXPANDED: return &round->expand_seconds;
    case SOTTO_NOTE_MASKED: return &round->mask_seconds;
    case SOTTO_NOTE_UPLOADED: return &round->upload_seconds;
    case SOTTO_NOTE_CONFINED:
    case SOTTO_NOTE_READY:
    case SOTTO_NOTE_TROUBLE:
    case SOTTO_NOTE_UNREACHABLE:
    case SOTTO_NOTE_REACHABLE:
    case SOTTO_NOTE_JOINED:
    case SOTTO_NOTE_TRAFFIC:
    case SOTTO_NOTE_REFUSED:
    case SOTTO_NOTE_ENDED:
    case SOTTO_NOTE_ADOPTED:
    case SOTTO_NOTE_SPENT:
    case SOTTO_NOTE_KIND_COUNT: break;
    }
    return NULL;
}

static void take_seconds(struct sotto_board *board, const struct sotto_note *note)
{
    double *seconds = seconds_of(&board->round, note->kind);

    if (seconds != NULL && is_of_round(board, note))
        *seconds = note->seconds;
}

void sotto_board_take(struct sotto_board *board, enum sotto_peer from,
                      const struct sotto_note *note)
{
    switch (note->kind) {
    case SOTTO_NOTE_CONFINED:
        text_copy(board->layers[from - SOTTO_PEER_TRAINER], note->text);
        sotto_log_write(board->log, SOTTO_LOG_INFO, "%s confined: %s", peer_name(from), note->text);
        break;
    case SOTTO_NOTE_READY:
        sotto_log_write(board->log, SOTTO_LOG_INFO, "%s ready: %s", peer_name(from), note->text);
        break;
    case SOTTO_NOTE_TROUBLE: take_trouble(board, from, note); break;
    case SOTTO_NOTE_UNREACHABLE:
    case SOTTO_NOTE_REACHABLE: take_connection(board, note); break;
    case SOTTO_NOTE_JOINED:
        round_open(board, note);
        sotto_log_write(board->log, SOTTO_LOG_INFO, "joined round %u of %s", note->round,
                        note->campaign);
        break;
    case SOTTO_NOTE_TRAINED:
    case SOTTO_NOTE_EXPANDED:
    case SOTTO_NOTE_MASKED:
    case SOTTO_NOTE_UPLOADED: take_seconds(board, note); break;
    case SOTTO_NOTE_SPENT:
        board->epsilon = note->epsilon;
        board->plain_upload_count = note->code;
        break;
    case SOTTO_NOTE_TRAFFIC: take_traffic(board, note); return;
    case SOTTO_NOTE_REFUSED: take_refusal(board, note); break;
    case SOTTO_NOTE_ENDED: take_end(board, note); break;
    case SOTTO_NOTE_ADOPTED: take_adopted(board, note); break;
    case SOTTO_NOTE_KIND_COUNT: return;
    }
    sotto_board_publish(board);
}
