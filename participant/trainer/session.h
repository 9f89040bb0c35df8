/*
 * The trainer's state over a site's life: one base model, the adapter that was last loaded, the
 * examples under its labels.
 */
#ifndef SOTTO_PARTICIPANT_TRAINER_SESSION_H
#define SOTTO_PARTICIPANT_TRAINER_SESSION_H

#include "core/wire/plan.h"
#include "models/trainer.h"
#include "participant/channel/work.h"
#include "participant/trainer/examples.h"

struct sotto_session {
    struct sotto_examples_place place;
    struct sotto_threads *threads; /* that share the training */
    struct sotto_model *model;
    struct sotto_digest base_model;
    struct sotto_layout layout;
    bool has_layout;
    struct sotto_trainer *trainer; /* for batches of up to batch_max */
    uint32_t batch_max;
    float *lanes; /* [layout.lane_count] as loaded */
    struct sotto_examples examples;
    bool has_examples;
};

/* How a site computes. */
struct sotto_session_choice {
    uint32_t thread_count;
    bool has_half_weights; /* SOTTO_WEIGHTS_BFLOAT16 */
};

/*
 * The statuses of sotto_model_open_on, and SOTTO_NO_MEMORY where the threads
 * cannot be had; the session is then empty and safe to close.
 */
SOTTO_CHECKED enum sotto_status sotto_session_open(struct sotto_session *session,
                                                   const char *model_folder,
                                                   const struct sotto_examples_place *place,
                                                   struct sotto_session_choice choice,
                                                   struct sotto_fault *fault);
void sotto_session_close(struct sotto_session *session);

/* What the sealer hands over: canonical layout bytes, and lanes with their manifest. */
struct sotto_version_bytes {
    struct sotto_view layout;
    struct sotto_view adapter;
};

/*
 * Loads a version and, where its labels differ from those before, the examples.
 *
 *   loaded  out  digests of the bytes that were loaded
 *
 * SOTTO_MALFORMED (layout), SOTTO_MISMATCH (another model's shape), and those of
 * sotto_manifest_check and sotto_examples_open: no version is loaded; the fault says why.
 */
SOTTO_CHECKED enum sotto_status sotto_session_load(struct sotto_session *session,
                                                   struct sotto_loaded *loaded,
                                                   const struct sotto_version_bytes *version,
                                                   struct sotto_fault *fault);

/*
 * Trains on all examples, from the adapter as loaded.
 *
 *   delta  out  [layout.lane_count], of which the first sotto_subset_count are after - before of
 *               the trained lanes, and the rest is garbage
 *
 * SOTTO_UNEXPECTED: nothing is loaded; those of sotto_trainer_fit. The loaded adapter stays as it
 * is.
 */
SOTTO_CHECKED enum sotto_status sotto_session_train(struct sotto_session *session, float *delta,
                                                    const struct sotto_train *train,
                                                    struct sotto_fault *fault);

#endif
