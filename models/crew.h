/*
 * The workers of a trainer and how a batch is shared out among them: cut into groups, each taken
 * through forward, loss and backward by one worker, the groups' results added in their order.
 */
#ifndef SOTTO_MODELS_CREW_H
#define SOTTO_MODELS_CREW_H

#include "models/worker.h"

struct sotto_threads;

struct sotto_crew {
    struct sotto_workshop workshop;
    uint32_t batch_max;
    struct sotto_threads *threads;        /* borrowed; NULL: one worker, on the caller's thread */
    struct sotto_worker *workers;         /* [sotto_threads_width] */
    struct sotto_workspace workspace;     /* the workers' memory, for workshop.room */
    bool has_dropout_room;                /* in the workspace */
    uint32_t *examples;                   /* [batch_max] of a batch, their indices in the dataset */
    uint32_t *firsts;                     /* [batch_max + 1] where a batch's groups begin */
    struct sotto_device_float *gradients; /* [lane_count] of the last batch, borrowed */
    struct sotto_device_loss *loss;       /* of the last batch, borrowed */
    /* [label_count] for every group, borrowed; NULL: none. */
    const struct sotto_device_float *log_shares;
    struct sotto_prefixes known; /* of the dataset of sotto_crew_know */
};

/* Some examples of a dataset. */
struct sotto_batch {
    const struct sotto_dataset *dataset;
    const uint32_t *order; /* NULL: the dataset's own */
    size_t first;          /* in the order */
    uint32_t count;        /* 1 .. batch_max */
};

/* What became of a batch. */
struct sotto_batch_sums {
    size_t target_count;
    double loss_sum;
    size_t correct_count;
};

/*
 * Opens with room for pictures, or for texts of some length.
 *
 *   crew  inout  workshop.model, .layout and .lanes, batch_max, threads, gradients and loss are set
 *
 * SOTTO_NO_MEMORY: to be closed all the same.
 */
SOTTO_CHECKED enum sotto_status sotto_crew_open(struct sotto_crew *crew);
void sotto_crew_close(struct sotto_crew *crew); /* twice is harmless */

/*
 * Before anything is computed on a dataset: checks its form, and makes room for its longest text.
 *
 * SOTTO_MISMATCH: pictures of another form, a token beyond the vocabulary, a text that is empty or
 * longer than the model's positions; SOTTO_NO_MEMORY.
 */
SOTTO_CHECKED enum sotto_status sotto_crew_prepare(struct sotto_crew *crew,
                                                   const struct sotto_dataset *dataset);

/*
 * What the next batches are differentiated for: the gradients of a part, and whether a share of the
 * adapters' inputs is left out. An open crew computes all, without a dropout.
 * SOTTO_NO_MEMORY: to be closed.
 */
SOTTO_CHECKED enum sotto_status sotto_crew_train(struct sotto_crew *crew,
                                                 enum sotto_trained trained, double dropout);
/* The masks of the next step's dropout, the same for any number of workers. */
void sotto_crew_drop(struct sotto_crew *crew, uint64_t seed, uint64_t step);

/*
 * Keeps what the blocks below the lowest adapted one make of each example: it is the same in every
 * epoch, to the bit where a row of a product does not depend on how many rows there are (the own
 * product of models/kernels/wide/wide.h). Does nothing where there is no such block, or where it
 * would take more than 256 MiB.
 *
 *   dataset  in  prepared; it neither changes nor goes before sotto_crew_forget. Kept already:
 *                nothing is computed again
 *
 * SOTTO_NO_MEMORY: nothing is kept.
 */
SOTTO_CHECKED enum sotto_status sotto_crew_know(struct sotto_crew *crew,
                                                const struct sotto_dataset *dataset);
void sotto_crew_forget(struct sotto_crew *crew);

/* The loss, without a gradient. The dataset is prepared and has what the loss is about. */
struct sotto_batch_sums sotto_crew_score(struct sotto_crew *crew, const struct sotto_batch *batch);

/* The same, and crew->gradients: of the mean loss over the batch's targets. */
struct sotto_batch_sums sotto_crew_differentiate(struct sotto_crew *crew,
                                                 const struct sotto_batch *batch);

/*
 * What the model says to one example: class probabilities [label_count], or those of the token
 * after a text [vocabulary].
 */
void sotto_crew_predict(struct sotto_crew *crew, float *probabilities,
                        const struct sotto_batch *one);

#endif
