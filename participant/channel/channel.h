/*
 * The channels between a site's processes: SOCK_SEQPACKET pairs, one message a packet, at most one
 * descriptor with it.
 *
 *     trainer ══ sealer ══ courier       and supervisor ══ each of the three
 *
 * A table says which kind may go which way and whether a descriptor comes with it; a process that
 * gets anything else ends itself with one line, and the supervisor starts all three anew. Trainer
 * and courier have no channel between them.
 */
#ifndef SOTTO_PARTICIPANT_CHANNEL_CHANNEL_H
#define SOTTO_PARTICIPANT_CHANNEL_CHANNEL_H

#include <stdbool.h>

#include "core/base/bytes.h"

enum sotto_peer {
    SOTTO_PEER_SUPERVISOR,
    SOTTO_PEER_TRAINER,
    SOTTO_PEER_SEALER,
    SOTTO_PEER_COURIER
};

/* Encodings: start.h, note.h, work.h, post.h. */
enum sotto_letter_kind {
    SOTTO_LETTER_START =
        1, /* supervisor → each, first: what to work on; to the sealer with its ledger */
    SOTTO_LETTER_NOTE, /* each → supervisor: one event for the site's log and status */

    SOTTO_LETTER_READY,  /* trainer → sealer: base-model digest */
    SOTTO_LETTER_LOAD,   /* sealer → trainer: layout bytes; descriptor: adapter lanes */
    SOTTO_LETTER_LOADED, /* trainer → sealer: digests of the bytes loaded */
    SOTTO_LETTER_TRAIN,  /* sealer → trainer: recipe, shuffle seed */
    SOTTO_LETTER_UPDATE, /* trainer → sealer: weight; descriptor: float32 delta, sealed */
    /* sealer → trainer: campaign, round: the loaded adapter is now the site's */
    SOTTO_LETTER_ADOPT,
    SOTTO_LETTER_ADOPTED, /* trainer → sealer: done with it, kept or not */
    SOTTO_LETTER_FAILED,  /* trainer → sealer: it could not load or train */

    /* courier → sealer: an encoded mail; descriptor: its bytes, sealed, if a letter has no room */
    SOTTO_LETTER_MAIL,
    SOTTO_LETTER_FETCH, /* sealer → courier: item, digest */
    /* courier → sealer: item, digest; descriptor: its bytes, sealed; none: not there */
    SOTTO_LETTER_FETCHED,
    SOTTO_LETTER_ANSWER, /* sealer → courier: campaign, round, mail kind answered, bytes */
    /* sealer → courier: campaign, round, digest; descriptor: packed masked lanes, sealed */
    SOTTO_LETTER_UPLOAD,
    SOTTO_LETTER_LEAVE, /* sealer → courier: campaign, round, refusal number */
    SOTTO_LETTER_KIND_COUNT
};

/* Room for the longest answer of a protocol, and small enough for any socket. */
enum { SOTTO_LETTER_BYTES_MAX = 98 * 1024 };

/* Where a process finds its ends when it starts. */
enum {
    SOTTO_SEAT_SUPERVISOR = 3,
    SOTTO_SEAT_FIRST = 4,  /* the sealer, for trainer and courier; the trainer, for the sealer */
    SOTTO_SEAT_SECOND = 5, /* the courier, for the sealer */
};

struct sotto_letter {
    enum sotto_letter_kind kind;
    struct sotto_view body;
    int descriptor; /* -1: none; a received one is the receiver's to close */
};

struct sotto_channel {
    int descriptor;
    enum sotto_peer self;
    enum sotto_peer peer;
    uint8_t inbox[SOTTO_LETTER_BYTES_MAX + 1];
};

/* Was this process started by a supervisor? A person who starts it by hand is to be told. */
bool sotto_channel_is_seated(void);

/* A connected pair, close-on-exec. SOTTO_IO: no descriptors left. */
SOTTO_CHECKED enum sotto_status sotto_channel_pair(int descriptors[2]);

/* Takes the end `descriptor` into use; whoever made it closes it. */
void sotto_channel_init(struct sotto_channel *channel, int descriptor, enum sotto_peer self,
                        enum sotto_peer peer);

/*
 * Blocking; SIGPIPE never; may be called by several threads. SOTTO_REFUSED: the table does not let
 * `self` send this to `peer`; SOTTO_OVER_LIMIT: the body is too long; SOTTO_IO: peer gone.
 */
SOTTO_CHECKED enum sotto_status sotto_channel_send(const struct sotto_channel *channel,
                                                   const struct sotto_letter *letter);

/*
 * One letter; its body is borrowed from the channel until the next call. SOTTO_NOT_FOUND: nothing
 * within timeout_ms (-1: wait for ever); SOTTO_IO: the peer is gone; SOTTO_REFUSED,
 * SOTTO_MALFORMED: the peer broke the table. After other than SOTTO_OK no descriptor is left open
 * and letter->descriptor is -1.
 */
SOTTO_CHECKED enum sotto_status sotto_channel_receive(struct sotto_channel *channel,
                                                      struct sotto_letter *letter, int timeout_ms);

bool sotto_channel_allows(enum sotto_peer from, enum sotto_peer to, enum sotto_letter_kind kind);

#endif
