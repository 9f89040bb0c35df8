/*
 * NOTE: one event that a process tells the supervisor, for the log, status.json and rounds.jsonl.
 * No note carries a secret, an example or an update.
 */
#ifndef SOTTO_PARTICIPANT_CHANNEL_NOTE_H
#define SOTTO_PARTICIPANT_CHANNEL_NOTE_H

#include "core/base/bytes.h"
#include "core/wire/plan.h"
#include "participant/channel/channel.h"

enum sotto_note_kind {
    SOTTO_NOTE_CONFINED = 1, /* text: the layers that hold */
    SOTTO_NOTE_READY,        /* text */
    SOTTO_NOTE_TROUBLE,      /* text: one sentence */
    SOTTO_NOTE_UNREACHABLE,  /* text: once, until REACHABLE */
    SOTTO_NOTE_REACHABLE,
    SOTTO_NOTE_JOINED,   /* round: the advert is out */
    SOTTO_NOTE_TRAINED,  /* seconds: local training */
    SOTTO_NOTE_EXPANDED, /* seconds: the masks, made while the trainer worked */
    SOTTO_NOTE_MASKED,   /* seconds: clip, quantise, mask, pack, once the update was there */
    SOTTO_NOTE_UPLOADED, /* seconds: until the coordinator acknowledged the masked lanes */
    SOTTO_NOTE_TRAFFIC,  /* up, down: HTTP bytes since the last such note */
    SOTTO_NOTE_REFUSED,  /* code: an enum sotto_refusal */
    SOTTO_NOTE_ENDED,    /* text: "finished", "abandoned: ..."; seconds: since JOINED */
    SOTTO_NOTE_ADOPTED,  /* text: path of the adapter directory */
    SOTTO_NOTE_SPENT,    /* epsilon: of all uploads ever with noise; code: how many had none */
    SOTTO_NOTE_KIND_COUNT
};

enum { SOTTO_NOTE_TEXT_MAX = 600, SOTTO_NOTE_BYTES_MAX = 768 };

struct sotto_note {
    enum sotto_note_kind kind;
    char campaign[SOTTO_CAMPAIGN_NAME_MAX + 1]; /* "" where no round is meant */
    uint32_t round;
    uint32_t code;
    double seconds;
    double epsilon;
    uint64_t up;
    uint64_t down;
    char text[SOTTO_NOTE_TEXT_MAX];
};

/* Control characters in the text become '?'. */
SOTTO_CHECKED enum sotto_status sotto_note_encode(struct sotto_buffer *out,
                                                  const struct sotto_note *note);
/* To the supervisor; whether it arrives changes nothing for the sender. */
void sotto_note_send(const struct sotto_channel *supervisor, const struct sotto_note *note);
/* The same for a kind that has only a text. */
void sotto_note_tell(const struct sotto_channel *supervisor, enum sotto_note_kind kind,
                     const char *text);
/* SOTTO_MALFORMED, also for trailing bytes; note untouched. */
SOTTO_CHECKED enum sotto_status sotto_note_decode(struct sotto_note *note, struct sotto_view bytes);

#endif
