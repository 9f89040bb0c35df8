#include "participant/sealer/drive.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/wire/outcome.h"
#include "crypto/ring/lanes.h"
#include "participant/channel/note.h"
#include "participant/channel/post.h"
#include "participant/channel/work.h"
#include "participant/sealer/veil.h"

static const size_t item_bytes_max = (size_t)4 * SOTTO_LANES_MAX + SOTTO_MANIFEST_BYTES_MAX;

static struct sotto_note note_of(enum sotto_note_kind kind,
                                 const struct sotto_turn_effects *effects)
{
    struct sotto_note note = {.kind = kind, .round = effects->round};

    snprintf(note.campaign, sizeof note.campaign, "%s", effects->campaign);
    return note;
}

static double seconds_since(const struct sotto_sealer *sealer, uint64_t start_ns)
{
    return (double)(sotto_clock_steady_ns(&sealer->clock) - start_ns) / 1e9;
}

static void tell_refusal(const struct sotto_sealer *sealer,
                         const struct sotto_turn_effects *effects)
{
    struct sotto_note note = note_of(SOTTO_NOTE_REFUSED, effects);

    note.code = (uint32_t)effects->refusal;
    snprintf(note.text, sizeof note.text, "%s", effects->detail);
    sotto_note_send(&sealer->supervisor, &note);
}

/* An adapter that was to come home is not what its outcome names: no refusal, the round is over. */
static void tell_detail(const struct sotto_sealer *sealer, const struct sotto_turn_effects *effects)
{
    if (effects->detail[0] != '\0' && effects->refusal == SOTTO_REFUSAL_NONE)
        sotto_note_tell(&sealer->supervisor, SOTTO_NOTE_TROUBLE, effects->detail);
}

static void tell_spent(const struct sotto_sealer *sealer)
{
    struct sotto_note note = {.kind = SOTTO_NOTE_SPENT,
                              .epsilon = sotto_turn_epsilon(sealer->turn),
                              .code = sotto_turn_plain_count(sealer->turn)};

    sotto_note_send(&sealer->supervisor, &note);
}

/* The mail that ended a round in which this site took part. */
static void tell_outcome(const struct sotto_sealer *sealer, struct sotto_view mail_bytes,
                         const struct sotto_turn_effects *effects)
{
    struct sotto_note note = note_of(SOTTO_NOTE_ENDED, effects);
    struct sotto_mail mail;
    struct sotto_outcome outcome;

    if (sotto_mail_decode(&mail, mail_bytes) != SOTTO_OK || mail.kind != SOTTO_MAIL_OUTCOME ||
        sotto_outcome_decode(&outcome, mail.body) != SOTTO_OK)
        return;
    note.seconds = seconds_since(sealer, sealer->joined_ns);
    if (outcome.kind == SOTTO_OUTCOME_FINISHED)
        snprintf(note.text, sizeof note.text, "finished");
    else
        snprintf(note.text, sizeof note.text, "abandoned: %s", outcome.reason);
    sotto_note_send(&sealer->supervisor, &note);
}

static enum sotto_status post(const struct sotto_channel *to, enum sotto_letter_kind kind,
                              struct sotto_view body, int descriptor)
{
    struct sotto_letter letter = {.kind = kind, .body = body, .descriptor = descriptor};

    return sotto_channel_send(to, &letter);
}

static struct sotto_round_name round_name(const struct sotto_turn_effects *effects)
{
    struct sotto_round_name name = {.round = effects->round};

    snprintf(name.campaign, sizeof name.campaign, "%s", effects->campaign);
    return name;
}

static enum sotto_status send_answer(const struct sotto_sealer *sealer,
                                     const struct sotto_turn_effects *effects)
{
    uint8_t bytes[SOTTO_LETTER_BYTES_MAX];
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_post_answer answer = {
        .round = round_name(effects), .answers = effects->answers, .bytes = effects->send};
    struct sotto_post_leave leave = {.round = answer.round, .refusal = (uint8_t)effects->refusal};
    enum sotto_status status = SOTTO_OK;

    if (effects->send.length == 0)
        return SOTTO_OK;
    if (effects->is_refusal_notice) {
        tell_refusal(sealer, effects);
        status = sotto_post_leave_encode(&buffer, &leave);
    } else {
        status = sotto_post_answer_encode(&buffer, &answer);
    }
    if (status != SOTTO_OK)
        return status;
    return post(&sealer->courier,
                effects->is_refusal_notice ? SOTTO_LETTER_LEAVE : SOTTO_LETTER_ANSWER,
                sotto_view_buffer(&buffer), -1);
}

static void packed_close(struct sotto_sealer *sealer)
{
    if (sealer->packed >= 0)
        close(sealer->packed);
    sealer->packed = -1;
}

static enum sotto_status send_upload(struct sotto_sealer *sealer,
                                     const struct sotto_turn_effects *effects)
{
    uint8_t bytes[256];
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_post_upload upload = {.round = round_name(effects), .digest = effects->digest};
    enum sotto_status status = SOTTO_OK;

    if (!effects->is_upload)
        return SOTTO_OK;
    status = sotto_post_upload_encode(&buffer, &upload);
    if (status == SOTTO_OK)
        status =
            post(&sealer->courier, SOTTO_LETTER_UPLOAD, sotto_view_buffer(&buffer), sealer->packed);
    packed_close(sealer);
    return status;
}

static enum sotto_status send_fetches(struct sotto_sealer *sealer,
                                      const struct sotto_turn_effects *effects)
{
    for (unsigned index = 0; index < effects->fetch_count; index++) {
        uint8_t bytes[64];
        struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);
        struct sotto_fetch fetch = {.item = (uint32_t)effects->fetch[index].item,
                                    .digest = effects->fetch[index].digest};
        enum sotto_status status = sotto_fetch_encode(&buffer, &fetch);

        sealer->wanted[fetch.item - SOTTO_ITEM_ROSTER] = fetch.digest;
        if (status == SOTTO_OK)
            status = post(&sealer->courier, SOTTO_LETTER_FETCH, sotto_view_buffer(&buffer), -1);
        if (status != SOTTO_OK)
            return status;
    }
    return SOTTO_OK;
}

static enum sotto_status order_load(struct sotto_sealer *sealer)
{
    int lanes = -1;
    enum sotto_status status = sotto_sealed_open(&lanes, sotto_turn_adapter_bytes(sealer->turn));

    if (status != SOTTO_OK)
        return status;
    status =
        post(&sealer->trainer, SOTTO_LETTER_LOAD, sotto_turn_layout_bytes(sealer->turn), lanes);
    close(lanes);
    sealer->answers_due++;
    return status;
}

static enum sotto_status order_train(struct sotto_sealer *sealer,
                                     const struct sotto_turn_effects *effects)
{
    uint8_t bytes[256];
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_train train = {.round = effects->round,
                                .seed = sotto_entropy_u64(&sealer->entropy),
                                .trained = sotto_turn_plan(sealer->turn)->trained,
                                .recipe = sotto_turn_plan(sealer->turn)->recipe};
    struct sotto_note note = note_of(SOTTO_NOTE_JOINED, effects);
    enum sotto_status status = SOTTO_OK;

    snprintf(train.campaign, sizeof train.campaign, "%s", effects->campaign);
    sealer->joined_ns = sotto_clock_steady_ns(&sealer->clock);
    sealer->answers_due++;
    sotto_note_send(&sealer->supervisor, &note);
    status = sotto_train_encode(&buffer, &train);
    if (status != SOTTO_OK)
        return status;
    return post(&sealer->trainer, SOTTO_LETTER_TRAIN, sotto_view_buffer(&buffer), -1);
}

static enum sotto_status order_adopt(const struct sotto_sealer *sealer,
                                     const struct sotto_turn_effects *effects)
{
    uint8_t bytes[64];
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_adopt adopt = {.round = effects->round};
    enum sotto_status status = SOTTO_OK;

    snprintf(adopt.campaign, sizeof adopt.campaign, "%s", effects->campaign);
    status = sotto_adopt_encode(&buffer, &adopt);
    if (status != SOTTO_OK)
        return status;
    return post(&sealer->trainer, SOTTO_LETTER_ADOPT, sotto_view_buffer(&buffer), -1);
}

static enum sotto_status send_order(struct sotto_sealer *sealer,
                                    const struct sotto_turn_effects *effects)
{
    switch (effects->order) {
    case SOTTO_ORDER_NONE: return SOTTO_OK;
    case SOTTO_ORDER_LOAD: return order_load(sealer);
    case SOTTO_ORDER_TRAIN: return order_train(sealer, effects);
    case SOTTO_ORDER_ADOPT: return order_adopt(sealer, effects);
    }
    return SOTTO_UNEXPECTED;
}

/* All-zero digest: the update could not be hidden; the turn refuses. */
static struct sotto_digest contribute(struct sotto_sealer *sealer)
{
    const struct sotto_plan *plan = sotto_turn_plan(sealer->turn);
    size_t packed_bytes = sotto_lanes_packed_bytes(plan->lane_count, plan->ring_bits);
    uint32_t *lanes = calloc(plan->lane_count, sizeof *lanes);
    struct sotto_buffer packed = sotto_buffer_of(malloc(packed_bytes), packed_bytes);
    struct sotto_digest digest = {0};
    enum sotto_status status = SOTTO_NO_MEMORY;

    packed_close(sealer);
    if (lanes != NULL && packed.at != NULL)
        status = sotto_contribute(sealer->turn, lanes, &packed, &digest);
    if (status == SOTTO_OK)
        status = sotto_sealed_open(&sealer->packed, sotto_view_buffer(&packed));
    if (lanes != NULL)
        sotto_wipe(lanes, plan->lane_count * sizeof *lanes);
    free(lanes);
    free(packed.at);
    return status == SOTTO_OK ? digest : (struct sotto_digest){0};
}

static enum sotto_status store(struct sotto_sealer *sealer, struct sotto_view record)
{
    enum sotto_status status = sotto_ledger_append(&sealer->ledger, record);

    if (status != SOTTO_OK)
        sotto_note_tell(&sealer->supervisor, SOTTO_NOTE_TROUBLE,
                        "cannot write the ledger, so nothing more is sent: is the disk full?");
    return status;
}

static enum sotto_status carry_out(struct sotto_sealer *sealer,
                                   const struct sotto_turn_effects *effects)
{
    enum sotto_status status = SOTTO_OK;

    if (effects->store.length > 0)
        status = store(sealer, effects->store);
    tell_detail(sealer, effects);
    if (status == SOTTO_OK)
        status = send_answer(sealer, effects);
    if (status == SOTTO_OK)
        status = send_upload(sealer, effects);
    if (status == SOTTO_OK)
        status = send_fetches(sealer, effects);
    if (status == SOTTO_OK)
        status = send_order(sealer, effects);
    return status;
}

static enum sotto_status masked(struct sotto_sealer *sealer)
{
    struct sotto_turn_event event = {.kind = SOTTO_TURN_MASKED};
    struct sotto_turn_effects effects;
    struct sotto_note note;
    uint64_t start_ns = sotto_clock_steady_ns(&sealer->clock);

    event.digest = contribute(sealer);
    sotto_turn_step(sealer->turn, &event, &effects);
    note = note_of(SOTTO_NOTE_MASKED, &effects);
    note.seconds = seconds_since(sealer, start_ns);
    sotto_note_send(&sealer->supervisor, &note);
    tell_spent(sealer);
    return carry_out(sealer, &effects);
}

/* While the trainer works. Without memory for it the masks are made with the update. */
static void expand(struct sotto_sealer *sealer, const struct sotto_turn_effects *effects)
{
    struct sotto_note note = note_of(SOTTO_NOTE_EXPANDED, effects);
    uint64_t start_ns = sotto_clock_steady_ns(&sealer->clock);

    if (sotto_veil_expand(sealer->turn) != SOTTO_OK)
        return;
    note.seconds = seconds_since(sealer, start_ns);
    sotto_note_send(&sealer->supervisor, &note);
}

static enum sotto_status step(struct sotto_sealer *sealer, const struct sotto_turn_event *event)
{
    bool had_plan = sotto_turn_plan(sealer->turn) != NULL;
    struct sotto_turn_effects effects;
    enum sotto_status status = SOTTO_OK;

    sotto_turn_step(sealer->turn, event, &effects);
    if (event->kind == SOTTO_TURN_MAIL && had_plan && sotto_turn_plan(sealer->turn) == NULL)
        tell_outcome(sealer, event->bytes, &effects);
    status = carry_out(sealer, &effects);
    if (status == SOTTO_OK && effects.run_expand)
        expand(sealer, &effects);
    if (status == SOTTO_OK && effects.run_contribute)
        status = masked(sealer);
    return status;
}

static enum sotto_status on_loaded(struct sotto_sealer *sealer, const struct sotto_letter *letter)
{
    struct sotto_turn_event event = {.kind = SOTTO_TURN_LOADED};
    struct sotto_loaded loaded;
    enum sotto_status status = sotto_loaded_decode(&loaded, letter->body);

    if (status != SOTTO_OK || sealer->answers_due == 0)
        return SOTTO_MALFORMED;
    if (--sealer->answers_due > 0)
        return SOTTO_OK;
    event.layout = loaded.layout;
    event.adapter = loaded.adapter;
    return step(sealer, &event);
}

static enum sotto_status on_update(struct sotto_sealer *sealer, const struct sotto_letter *letter)
{
    struct sotto_turn_event event = {.kind = SOTTO_TURN_UPDATE};
    struct sotto_view mapped = {0};
    enum sotto_status status = sotto_update_decode(&event.weight, letter->body);

    if (status != SOTTO_OK || sealer->answers_due == 0)
        return SOTTO_MALFORMED;
    if (--sealer->answers_due > 0)
        return SOTTO_OK;
    status = sotto_sealed_map(&mapped, letter->descriptor, item_bytes_max);
    if (status != SOTTO_OK)
        return SOTTO_MALFORMED;
    event.values = (const float *)(const void *)mapped.at;
    event.value_count = mapped.length / sizeof(float);
    status = mapped.length % sizeof(float) == 0 ? step(sealer, &event) : SOTTO_MALFORMED;
    sotto_sealed_unmap(mapped);
    return status;
}

static enum sotto_status on_failed(struct sotto_sealer *sealer)
{
    struct sotto_turn_event event = {.kind = SOTTO_TURN_TRAINER_LOST};

    if (sealer->answers_due == 0)
        return SOTTO_MALFORMED;
    return --sealer->answers_due > 0 ? SOTTO_OK : step(sealer, &event);
}

static enum sotto_status on_ready(struct sotto_sealer *sealer, const struct sotto_letter *letter)
{
    struct sotto_turn_event event = {.kind = SOTTO_TURN_TRAINER_READY};
    enum sotto_status status = sotto_ready_decode(&event.base_model, letter->body);

    return status == SOTTO_OK ? step(sealer, &event) : status;
}

static enum sotto_status on_adopted(struct sotto_sealer *sealer, const struct sotto_letter *letter)
{
    struct sotto_turn_event event = {.kind = SOTTO_TURN_ADOPTED};
    enum sotto_status status = sotto_adopted_decode(&event.is_kept, letter->body);

    return status == SOTTO_OK ? step(sealer, &event) : status;
}

static enum sotto_status on_fetched(struct sotto_sealer *sealer, const struct sotto_letter *letter)
{
    struct sotto_turn_event event = {.kind = SOTTO_TURN_NOT_FETCHED};
    struct sotto_fetch fetch;
    struct sotto_view mapped = {0};
    enum sotto_status status = sotto_fetch_decode(&fetch, letter->body);

    if (status != SOTTO_OK)
        return status;
    if (!sotto_digest_equal(&fetch.digest, &sealer->wanted[fetch.item - SOTTO_ITEM_ROSTER]))
        return SOTTO_OK;
    event.item = (enum sotto_item_kind)fetch.item;
    if (letter->descriptor >= 0) {
        status = sotto_sealed_map(&mapped, letter->descriptor, item_bytes_max);
        if (status != SOTTO_OK)
            return SOTTO_MALFORMED;
        event.kind = SOTTO_TURN_FETCHED;
        event.bytes = mapped;
    }
    status = step(sealer, &event);
    sotto_sealed_unmap(mapped);
    return status;
}

static enum sotto_status on_mail(struct sotto_sealer *sealer, const struct sotto_letter *letter)
{
    struct sotto_turn_event event = {.kind = SOTTO_TURN_MAIL, .bytes = letter->body};
    struct sotto_view mapped = {0};
    enum sotto_status status;

    if (letter->descriptor >= 0) {
        if (letter->body.length > 0 ||
            sotto_sealed_map(&mapped, letter->descriptor, SOTTO_MAIL_BYTES_MAX) != SOTTO_OK)
            return SOTTO_MALFORMED;
        event.bytes = mapped;
    }
    status = step(sealer, &event);
    sotto_sealed_unmap(mapped);
    return status;
}

/* The channel lets nothing else through. */
static enum sotto_status on_letter(struct sotto_sealer *sealer, const struct sotto_letter *letter)
{
    switch (letter->kind) {
    case SOTTO_LETTER_READY: return on_ready(sealer, letter);
    case SOTTO_LETTER_LOADED: return on_loaded(sealer, letter);
    case SOTTO_LETTER_UPDATE: return on_update(sealer, letter);
    case SOTTO_LETTER_ADOPTED: return on_adopted(sealer, letter);
    case SOTTO_LETTER_FAILED: return on_failed(sealer);
    case SOTTO_LETTER_MAIL: return on_mail(sealer, letter);
    case SOTTO_LETTER_FETCHED: return on_fetched(sealer, letter);
    case SOTTO_LETTER_START:
    case SOTTO_LETTER_NOTE:
    case SOTTO_LETTER_LOAD:
    case SOTTO_LETTER_TRAIN:
    case SOTTO_LETTER_ADOPT:
    case SOTTO_LETTER_FETCH:
    case SOTTO_LETTER_ANSWER:
    case SOTTO_LETTER_UPLOAD:
    case SOTTO_LETTER_LEAVE:
    case SOTTO_LETTER_KIND_COUNT: break;
    }
    return SOTTO_UNEXPECTED;
}

static enum sotto_status hear(struct sotto_sealer *sealer, struct sotto_channel *channel)
{
    struct sotto_letter letter;
    enum sotto_status status = sotto_channel_receive(channel, &letter, 0);

    if (status == SOTTO_NOT_FOUND)
        return SOTTO_OK;
    if (status == SOTTO_OK)
        status = on_letter(sealer, &letter);
    if (letter.descriptor >= 0)
        close(letter.descriptor);
    return status;
}

enum sotto_status sotto_sealer_run(struct sotto_sealer *sealer, struct sotto_fault *fault)
{
    struct sotto_channel *channels[] = {&sealer->supervisor, &sealer->trainer, &sealer->courier};
    struct pollfd ready[3];
    enum sotto_status status = SOTTO_OK;

    sealer->packed = -1;
    tell_spent(sealer);
    while (status == SOTTO_OK) {
        for (size_t index = 0; index < 3; index++)
            ready[index] = (struct pollfd){.fd = channels[index]->descriptor, .events = POLLIN};
        if (poll(ready, 3, -1) < 0 && errno != EINTR)
            status = SOTTO_IO;
        for (size_t index = 0; index < 3 && status == SOTTO_OK; index++)
            if (ready[index].revents != 0)
                status = hear(sealer, channels[index]);
    }
    packed_close(sealer);
    return sotto_fault_set(fault, status, "the sealer stops: %s", sotto_status_name(status));
}
