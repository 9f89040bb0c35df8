#include "participant/trainer/drive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "crypto/primitives/hash.h"
#include "models/adapter/manifest.h"
#include "participant/channel/note.h"
#include "participant/channel/start.h"
#include "participant/confinement/confinement.h"
#include "participant/trainer/session.h"
#include "participant/trainer/shelf.h"

static const size_t adapter_bytes_max = ((size_t)1 << 30) + SOTTO_MANIFEST_BYTES_MAX;

struct trainer {
    struct sotto_channel supervisor;
    struct sotto_channel sealer;
    struct sotto_trainer_start start;
    struct sotto_session session;
    struct sotto_clock clock;
};

static enum sotto_status post(const struct trainer *trainer, enum sotto_letter_kind kind,
                              const struct sotto_buffer *body, int descriptor)
{
    struct sotto_letter letter = {
        .kind = kind, .body = sotto_view_buffer(body), .descriptor = descriptor};

    return sotto_channel_send(&trainer->sealer, &letter);
}

static enum sotto_status say_ready(const struct trainer *trainer)
{
    uint8_t bytes[64];
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);
    enum sotto_status status = sotto_ready_encode(&buffer, &trainer->session.base_model);

    return status == SOTTO_OK ? post(trainer, SOTTO_LETTER_READY, &buffer, -1) : status;
}

/* The round is lost, the trainer is not: it is ready for the next one. */
static enum sotto_status fail(const struct trainer *trainer, const struct sotto_fault *fault)
{
    struct sotto_buffer nothing = {0};
    enum sotto_status status = SOTTO_OK;

    sotto_note_tell(&trainer->supervisor, SOTTO_NOTE_TROUBLE, fault->text);
    status = post(trainer, SOTTO_LETTER_FAILED, &nothing, -1);
    return status == SOTTO_OK ? say_ready(trainer) : status;
}

static enum sotto_status on_load(struct trainer *trainer, const struct sotto_letter *letter)
{
    struct sotto_version_bytes version = {.layout = letter->body};
    uint8_t bytes[128];
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_loaded loaded;
    struct sotto_fault fault = {0};
    bool had_examples = trainer->session.has_examples;
    enum sotto_status status =
        sotto_sealed_map(&version.adapter, letter->descriptor, adapter_bytes_max);

    if (status != SOTTO_OK)
        return status;
    status = sotto_session_load(&trainer->session, &loaded, &version, &fault);
    sotto_sealed_unmap(version.adapter);
    if (status != SOTTO_OK)
        return fail(trainer, &fault);
    if (!had_examples && trainer->session.examples.note[0] != '\0')
        sotto_note_tell(&trainer->supervisor, SOTTO_NOTE_READY, trainer->session.examples.note);
    status = sotto_loaded_encode(&buffer, &loaded);
    return status == SOTTO_OK ? post(trainer, SOTTO_LETTER_LOADED, &buffer, -1) : status;
}

static enum sotto_status send_update(const struct trainer *trainer, const float *delta,
                                     enum sotto_trained trained)
{
    size_t length = sotto_subset_count(&trainer->session.layout, trained) * sizeof *delta;
    uint8_t bytes[16];
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);
    int sealed = -1;
    enum sotto_status status =
        sotto_update_encode(&buffer, (uint32_t)trainer->session.examples.dataset.count);

    if (status == SOTTO_OK)
        status = sotto_sealed_open(&sealed, sotto_view_of(delta, length));
    if (status != SOTTO_OK)
        return status;
    status = post(trainer, SOTTO_LETTER_UPDATE, &buffer, sealed);
    close(sealed);
    return status;
}

static void tell_trained(const struct trainer *trainer, const struct sotto_train *train,
                         uint64_t start_ns)
{
    struct sotto_note note = {.kind = SOTTO_NOTE_TRAINED, .round = train->round};

    memcpy(note.campaign, train->campaign, sizeof note.campaign);
    note.seconds = (double)(sotto_clock_steady_ns(&trainer->clock) - start_ns) / 1e9;
    sotto_note_send(&trainer->supervisor, &note);
}

static enum sotto_status on_train(struct trainer *trainer, const struct sotto_letter *letter)
{
    size_t length = trainer->session.layout.lane_count * sizeof(float);
    uint64_t start_ns = sotto_clock_steady_ns(&trainer->clock);
    struct sotto_train train;
    struct sotto_fault fault = {0};
    enum sotto_status status = sotto_train_decode(&train, letter->body);
    float *delta = NULL;

    if (status != SOTTO_OK)
        return status;
    delta = malloc(length + 1);
    if (delta == NULL)
        return SOTTO_NO_MEMORY;
    status = sotto_session_train(&trainer->session, delta, &train, &fault);
    if (status == SOTTO_OK) {
        tell_trained(trainer, &train, start_ns);
        status = send_update(trainer, delta, (enum sotto_trained)train.trained);
    } else {
        status = fail(trainer, &fault);
    }
    sotto_wipe(delta, length);
    free(delta);
    return status;
}

static enum sotto_status on_adopt(struct trainer *trainer, const struct sotto_letter *letter)
{
    struct sotto_adopt adopt;
    struct sotto_note note = {.kind = SOTTO_NOTE_ADOPTED};
    char path[SOTTO_SHELF_PATH_MAX];
    uint8_t bytes[8];
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_fault fault = {0};
    enum sotto_status status = sotto_adopt_decode(&adopt, letter->body);
    struct sotto_shelf_entry entry = {.shelf = trainer->start.adapters,
                                      .campaign = adopt.campaign,
                                      .base = {trainer->start.model, &trainer->session.base_model}};
    bool is_kept = false;

    if (status != SOTTO_OK || trainer->session.lanes == NULL)
        return SOTTO_UNEXPECTED;
    entry.round = adopt.round;
    is_kept = sotto_shelf_keep(path, &entry, trainer->session.lanes, &trainer->session.layout,
                               &fault) == SOTTO_OK;
    if (!is_kept)
        note.kind = SOTTO_NOTE_TROUBLE;
    note.round = adopt.round;
    memcpy(note.campaign, adopt.campaign, sizeof note.campaign);
    snprintf(note.text, sizeof note.text, "%.*s", SOTTO_NOTE_TEXT_MAX - 1,
             is_kept ? path : fault.text);
    sotto_note_send(&trainer->supervisor, &note);
    status = sotto_adopted_encode(&buffer, is_kept);
    return status == SOTTO_OK ? post(trainer, SOTTO_LETTER_ADOPTED, &buffer, -1) : status;
}

/* The channel lets nothing else through. */
static enum sotto_status on_letter(struct trainer *trainer, const struct sotto_letter *letter)
{
    switch (letter->kind) {
    case SOTTO_LETTER_LOAD: return on_load(trainer, letter);
    case SOTTO_LETTER_TRAIN: return on_train(trainer, letter);
    case SOTTO_LETTER_ADOPT: return on_adopt(trainer, letter);
    case SOTTO_LETTER_START:
    case SOTTO_LETTER_NOTE:
    case SOTTO_LETTER_READY:
    case SOTTO_LETTER_LOADED:
    case SOTTO_LETTER_UPDATE:
    case SOTTO_LETTER_ADOPTED:
    case SOTTO_LETTER_FAILED:
    case SOTTO_LETTER_MAIL:
    case SOTTO_LETTER_FETCH:
    case SOTTO_LETTER_FETCHED:
    case SOTTO_LETTER_ANSWER:
    case SOTTO_LETTER_UPLOAD:
    case SOTTO_LETTER_LEAVE:
    case SOTTO_LETTER_KIND_COUNT: break;
    }
    return SOTTO_UNEXPECTED;
}

static enum sotto_status answer_letters(struct trainer *trainer)
{
    enum sotto_status status = say_ready(trainer);

    while (status == SOTTO_OK) {
        struct sotto_letter letter;

        status = sotto_channel_receive(&trainer->sealer, &letter, -1);
        if (status == SOTTO_OK)
            status = on_letter(trainer, &letter);
        if (letter.descriptor >= 0)
            close(letter.descriptor);
    }
    return status;
}

static enum sotto_status started(struct trainer *trainer, struct sotto_fault *fault)
{
    struct sotto_letter letter;
    enum sotto_status status = sotto_channel_receive(&trainer->supervisor, &letter, -1);

    if (status == SOTTO_OK)
        status = sotto_trainer_start_decode(&trainer->start, letter.body);
    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "the trainer was started with a malformed letter");
    return SOTTO_OK;
}

static enum sotto_status confine(const struct trainer *trainer, struct sotto_fault *fault)
{
    const struct sotto_trainer_start *start = &trainer->start;
    struct sotto_confinement confinement = {
        .role = SOTTO_ROLE_TRAINER,
        .is_degraded_allowed = start->is_degraded_allowed,
        .readable = {start->model, start->examples, start->labels[0] ? start->labels : NULL},
        .writable = {start->adapters},
    };
    char layers[SOTTO_CONFINED_TEXT_MAX];
    struct sotto_digest warm;
    enum sotto_status status = SOTTO_OK;

    /* The first use of the crypto library reads its configuration: before the door is shut. */
    sotto_hash(&warm, NULL, 0);
    status = sotto_confine(layers, &confinement, fault);
    if (status == SOTTO_OK)
        sotto_note_tell(&trainer->supervisor, SOTTO_NOTE_CONFINED, layers);
    return status;
}

static enum sotto_status live(struct trainer *trainer, struct sotto_fault *fault)
{
    struct sotto_examples_place place = {.folder = trainer->start.examples,
                                         .chat = trainer->start.chat,
                                         .text_length = trainer->start.text_length};
    struct sotto_session_choice choice;
    enum sotto_status status = started(trainer, fault);

    if (status == SOTTO_OK)
        status = confine(trainer, fault);
    if (status != SOTTO_OK)
        return status;
    if (trainer->start.labels[0] != '\0')
        place = (struct sotto_examples_place){
            .folder = "", .images = trainer->start.examples, .labels = trainer->start.labels};
    choice = (struct sotto_session_choice){.thread_count = trainer->start.thread_count,
                                           .has_half_weights = trainer->start.has_half_weights};
    status = sotto_session_open(&trainer->session, trainer->start.model, &place, choice, fault);
    if (status != SOTTO_OK)
        return status;
    sotto_note_tell(&trainer->supervisor, SOTTO_NOTE_READY, trainer->start.model);
    status = answer_letters(trainer);
    return sotto_fault_set(fault, status, "the trainer stops: %s", sotto_status_name(status));
}

enum sotto_status sotto_trainer_serve(void)
{
    struct trainer *trainer = calloc(1, sizeof *trainer);
    struct sotto_fault fault = {0};
    enum sotto_status status = SOTTO_NO_MEMORY;

    if (trainer == NULL)
        return status;
    sotto_channel_init(&trainer->supervisor, SOTTO_SEAT_SUPERVISOR, SOTTO_PEER_TRAINER,
                       SOTTO_PEER_SUPERVISOR);
    sotto_channel_init(&trainer->sealer, SOTTO_SEAT_FIRST, SOTTO_PEER_TRAINER, SOTTO_PEER_SEALER);
    sotto_clock_init_system(&trainer->clock);
    status = live(trainer, &fault);
    if (status != SOTTO_IO)
        sotto_note_tell(&trainer->supervisor, SOTTO_NOTE_TROUBLE, fault.text);
    sotto_session_close(&trainer->session);
    free(trainer);
    return status;
}
