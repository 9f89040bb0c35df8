/*
 * What one thread of a trainer computes with: its own activations, gradient and scratch over the
 * shared weights and adapter. It takes one group of a batch's examples through forward, loss and
 * backward.
 *
 * Groups are cut by the examples alone, never by the number of threads, and a group's gradient is
 * zero before it: so the sum over the groups, in their order, has the same bits on any number of
 * threads.
 */
#ifndef SOTTO_MODELS_WORKER_H
#define SOTTO_MODELS_WORKER_H

#include "core/base/arena.h"
#include "models/adapter/layout.h"
#include "models/arch/vit.h"
#include "models/data/dataset.h"
#include "models/model.h"
#include "models/ops/cross_entropy.h"

/* What the workers of a trainer share, all borrowed. */
struct sotto_workshop {
    const struct sotto_model *model;
    const struct sotto_layout *layout;
    const float *lanes;   /* [lane_count] the adapter; NULL in a dry run */
    uint32_t example_max; /* of a group */
};

struct sotto_worker {
    const struct sotto_workshop *workshop;
    struct sotto_vit vit;
    struct sotto_vit_pass pass;
    struct sotto_linear head;
    float *gradients;                /* [lane_count] of the group */
    float *features;                 /* [example_max, width] */
    float *features_gradient;        /* [example_max, width] */
    float *logits;                   /* [example_max, label_count] */
    const uint8_t **pictures;        /* [example_max] */
    uint32_t *labels;                /* [example_max] */
    struct sotto_cross_entropy loss; /* sums over the group, by sotto_worker_differentiate */
};

/* A group: `count` examples of a dataset. */
struct sotto_group {
    const struct sotto_dataset *dataset;
    const uint32_t *examples; /* [count] their indices */
    uint32_t count;           /* 1 .. example_max */
    const float *known;       /* [dataset->count, width] all features, or NULL: to be computed */
    const float *log_shares;  /* [label_count] is added to each example's logits */
    float weight;             /* of an example in the loss: 1 / examples of the batch */
};

/* How many examples of this architecture a group has at most: rows enough to keep a core busy. */
uint32_t sotto_group_example_max(const struct sotto_arch *arch);

/*
 * Opens a worker, or counts what it takes where the arena counts; close it either way.
 * SOTTO_NO_MEMORY: to be closed all the same.
 */
SOTTO_CHECKED enum sotto_status sotto_worker_open(struct sotto_worker *worker,
                                                  const struct sotto_workshop *workshop,
                                                  struct sotto_arena *arena);
void sotto_worker_close(struct sotto_worker *worker); /* closing twice is harmless */

/* worker->features of the group's examples, [count, width]. */
void sotto_worker_see(struct sotto_worker *worker, const struct sotto_group *group);

/* Logits [count, label_count], in the worker's memory. */
struct sotto_matrix sotto_worker_classify(struct sotto_worker *worker,
                                          const struct sotto_group *group);

/* worker->loss alone. */
void sotto_worker_score(struct sotto_worker *worker, const struct sotto_group *group);

/* worker->loss, and worker->gradients: those of the group's part in the batch's mean loss. */
void sotto_worker_differentiate(struct sotto_worker *worker, const struct sotto_group *group);

#endif
