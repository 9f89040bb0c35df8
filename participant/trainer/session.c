#include "participant/trainer/session.h"

#include <stdlib.h>
#include <string.h>

#include "core/threads/threads.h"
#include "crypto/primitives/hash.h"
#include "models/adapter/manifest.h"
#include "participant/trainer/base.h"

enum { BATCH_FIRST = 32 };

_Static_assert((int)SOTTO_PLAN_TRAINED_MAX == (int)SOTTO_TRAINED_COUNT - 1,
               "a plan's numbers are those of enum sotto_trained");

enum sotto_status sotto_session_open(struct sotto_session *session, const char *model_folder,
                                     const struct sotto_examples_place *place,
                                     struct sotto_session_choice choice, struct sotto_fault *fault)
{
    struct sotto_view parts[SOTTO_MODEL_PARTS_MAX];
    enum sotto_status status = SOTTO_OK;

    *session = (struct sotto_session){.place = *place, .batch_max = BATCH_FIRST};
    if (sotto_threads_open(&session->threads, choice.thread_count) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY,
                               "the system gives no %u threads: set a smaller number of threads",
                               choice.thread_count);
    status = sotto_model_open_on(
        &session->model, model_folder, NULL,
        choice.has_half_weights ? SOTTO_WEIGHTS_BFLOAT16 : SOTTO_WEIGHTS_FLOAT32, fault);
    if (status != SOTTO_OK) {
        sotto_session_close(session);
        return status;
    }
    sotto_base_digest(&session->base_model, parts, sotto_model_parts(session->model, parts));
    return SOTTO_OK;
}

static void examples_drop(struct sotto_session *session)
{
    if (session->has_examples && session->trainer != NULL)
        sotto_trainer_forget(session->trainer);
    if (session->has_examples)
        sotto_examples_close(&session->examples);
    session->has_examples = false;
}

static void version_drop(struct sotto_session *session)
{
    if (session->trainer != NULL)
        sotto_trainer_close(session->trainer);
    session->trainer = NULL;
    free(session->lanes);
    session->lanes = NULL;
    session->has_layout = false;
}

void sotto_session_close(struct sotto_session *session)
{
    examples_drop(session);
    version_drop(session);
    if (session->model != NULL)
        sotto_model_close(session->model);
    session->model = NULL;
    sotto_threads_close(session->threads);
    session->threads = NULL;
}

static bool has_same_labels(const struct sotto_layout *left, const struct sotto_layout *right)
{
    if (left->choice.label_count != right->choice.label_count)
        return false;
    for (uint32_t index = 0; index < left->choice.label_count; index++)
        if (strcmp(left->choice.labels[index], right->choice.labels[index]) != 0)
            return false;
    return true;
}

static enum sotto_status trainer_open(struct sotto_session *session, uint32_t batch_max,
                                      struct sotto_fault *fault)
{
    enum sotto_status status = SOTTO_OK;

    if (session->trainer != NULL)
        sotto_trainer_close(session->trainer);
    session->trainer = NULL;
    status = sotto_trainer_open(&session->trainer, session->model, &session->layout, batch_max,
                                session->threads, fault);
    if (status == SOTTO_OK)
        session->batch_max = batch_max;
    return status;
}

/* Whether a version of this layout is loaded: its trainer then goes on, with what it has kept. */
static bool has_layout(const struct sotto_session *session, struct sotto_view bytes)
{
    uint8_t canonical[SOTTO_LAYOUT_BYTES_MAX];
    struct sotto_buffer own = sotto_buffer_of(canonical, sizeof canonical);

    return session->has_layout && session->trainer != NULL &&
           sotto_layout_encode(&own, &session->layout) == SOTTO_OK &&
           sotto_view_equal(sotto_view_buffer(&own), bytes);
}

static enum sotto_status layout_take(struct sotto_session *session, struct sotto_view bytes,
                                     struct sotto_fault *fault)
{
    struct sotto_layout layout;
    bool keeps_examples = false;

    if (has_layout(session, bytes)) {
        free(session->lanes);
        session->lanes = NULL;
        return SOTTO_OK;
    }
    if (sotto_layout_decode(&layout, bytes) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_MALFORMED, "the adapter's layout does not parse");
    keeps_examples = session->has_examples && has_same_labels(&layout, &session->layout);
    if (!keeps_examples)
        examples_drop(session);
    version_drop(session);
    session->layout = layout;
    session->has_layout = true;
    return SOTTO_OK;
}

static enum sotto_status lanes_take(struct sotto_session *session, struct sotto_view adapter,
                                    struct sotto_fault *fault)
{
    size_t count = session->layout.lane_count;
    enum sotto_status status = sotto_manifest_check(adapter, &session->layout, sotto_hash, fault);

    if (status != SOTTO_OK)
        return status;
    session->lanes = malloc(count * sizeof *session->lanes);
    if (session->lanes == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory for the adapter");
    memcpy(session->lanes, adapter.at, count * sizeof *session->lanes);
    return sotto_trainer_load(session->trainer, session->lanes, count);
}

static enum sotto_status examples_take(struct sotto_session *session, struct sotto_fault *fault)
{
    enum sotto_status status = SOTTO_OK;

    if (session->has_examples)
        return SOTTO_OK;
    status = sotto_examples_open(&session->examples, &session->place, &session->layout.choice,
                                 session->model, fault);
    session->has_examples = status == SOTTO_OK;
    return status;
}

enum sotto_status sotto_session_load(struct sotto_session *session, struct sotto_loaded *loaded,
                                     const struct sotto_version_bytes *version,
                                     struct sotto_fault *fault)
{
    struct sotto_view parts[] = {version->layout, {0}};
    enum sotto_status status = layout_take(session, version->layout, fault);

    if (status == SOTTO_OK && session->trainer == NULL)
        status = trainer_open(session, session->batch_max, fault);
    if (status == SOTTO_OK)
        status = lanes_take(session, version->adapter, fault);
    if (status == SOTTO_OK)
        status = examples_take(session, fault);
    if (status != SOTTO_OK) {
        version_drop(session);
        return status;
    }
    parts[1] = sotto_manifest_of(version->adapter, &session->layout);
    sotto_hash_list(&loaded->layout, "sotto/1 layout", parts, 1);
    sotto_hash_list(&loaded->adapter, "sotto/1 adapter", parts, 2);
    return SOTTO_OK;
}

static enum sotto_status fit(struct sotto_session *session, const struct sotto_train *train,
                             struct sotto_fault *fault)
{
    struct sotto_fit fit = {
        .epochs = train->recipe.epochs,
        .batch = train->recipe.batch,
        .learning_rate_start = train->recipe.learning_rate_start,
        .learning_rate_end = train->recipe.learning_rate_end,
        .weight_decay = train->recipe.weight_decay,
        .keeps_rows = true,
        .proximal = train->recipe.proximal,
        .dropout = train->recipe.dropout,
        .trained = (enum sotto_trained)train->trained,
        .seed = train->seed,
    };
    struct sotto_fit_result result;
    enum sotto_status status =
        sotto_trainer_fit(session->trainer, &session->examples.dataset, &fit, &result);

    if (status == SOTTO_MALFORMED)
        return sotto_fault_set(fault, status,
                               "training left the finite numbers: the campaign's learning rate "
                               "is too high for these examples");
    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status,
                               "cannot train (%s): where memory is short, set fewer threads or a "
                               "smaller text_length",
                               sotto_status_name(status));
    return SOTTO_OK;
}

enum sotto_status sotto_session_train(struct sotto_session *session, float *delta,
                                      const struct sotto_train *train, struct sotto_fault *fault)
{
    size_t lane_count = session->layout.lane_count;
    enum sotto_status status = SOTTO_OK;

    if (session->trainer == NULL)
        return sotto_fault_set(fault, SOTTO_UNEXPECTED, "no adapter is loaded");
    if (train->recipe.batch > session->batch_max)
        status = trainer_open(session, train->recipe.batch, fault);
    if (status == SOTTO_OK)
        status = sotto_trainer_load(session->trainer, session->lanes, lane_count);
    if (status == SOTTO_OK)
        status = fit(session, train, fault);
    if (status != SOTTO_OK)
        return status;
    sotto_trainer_save(session->trainer, delta);
    for (size_t lane = 0; lane < lane_count; lane++)
        delta[lane] -= session->lanes[lane];
    sotto_subset_gather(delta, delta, &session->layout, (enum sotto_trained)train->trained);
    return SOTTO_OK;
}
