/*
 * What one thread of a trainer computes with: its own activations, gradient and scratch over the
 * shared weights and adapter. It takes one group of a batch's examples through forward, loss and
 * backward.
 *
 * Groups are cut by the examples alone, never by the number of threads, and a group's gradient is
 * zero before it: so the sum over the groups, in their order, has the same bits on any number of
 * threads.
 *
 * A target is what the loss is about: an example's label, or an answer's token, which the token
 * before it foretells.
 */
#ifndef SOTTO_MODELS_WORKER_H
#define SOTTO_MODELS_WORKER_H

#include "models/adapter/subset.h"
#include "models/arch/network.h"
#include "models/data/dataset.h"
#include "models/kernels/device/arena.h"
#include "models/model.h"

/* What the workers of a trainer share, all borrowed. */
struct sotto_workshop {
    const struct sotto_model *model;
    const struct sotto_layout *layout;
    enum sotto_trained trained; /* whose gradients are computed */
    float dropout;              /* share of an adapter's inputs that a step leaves out */
    const struct sotto_device_float *lanes; /* [lane_count] the adapter; NULL in a dry run */
    struct sotto_network_room room;         /* of a group */
    struct sotto_rotary rotary;             /* [length_max, head_width / 2], of Llama */
};

struct sotto_worker {
    const struct sotto_workshop *workshop;
    struct sotto_network network;
    struct sotto_network_pass pass;
    struct sotto_linear head; /* the adapter's classifier or the base's language model */
    struct sotto_device_float *gradients;         /* [lane_count] of the group */
    struct sotto_device_float *features;          /* [targets, width] */
    struct sotto_device_float *features_gradient; /* [sample_max, width], of a classifier */
    struct sotto_device_float *logits; /* [sample_max, label_count], or some rows of a vocabulary */
    const uint8_t **pictures;          /* [sample_max] */
    const uint32_t **texts;            /* [sample_max] */
    uint32_t *lengths;                 /* [sample_max] */
    const struct sotto_device_float **prefixes; /* [sample_max] */
    uint32_t *picks;                            /* [row_max] rows that foretell an answer's token */
    uint32_t *labels;                           /* [targets] */
    struct sotto_device_loss *loss; /* sums over the group that was last scored or differentiated */
};

/* What sotto_network_prefix makes of each example of a dataset. */
struct sotto_prefixes {
    const struct sotto_dataset *dataset; /* NULL: of none */
    struct sotto_device_arena memory;    /* of the rows */
    struct sotto_device_float *rows;
    size_t *starts; /* [count + 1] where an example's begin, in rows of the model's width */
};

/* A group: `count` examples of a dataset. */
struct sotto_group {
    const struct sotto_dataset *dataset;
    const uint32_t *examples;           /* [count] their indices */
    uint32_t count;                     /* 1 .. room.sample_max */
    const struct sotto_prefixes *known; /* of the dataset, or NULL: to be computed */
    /* [label_count] is added to each example's logits; NULL: nothing is. */
    const struct sotto_device_float *log_shares;
    float weight;          /* of a target in the loss: 1 / targets of the batch */
    uint32_t sample_first; /* number of the first example in its batch */
};

/* How much room a group takes: texts of up to length_max, or pictures; batches of batch_max. */
struct sotto_network_room sotto_group_room(const struct sotto_arch *arch, uint32_t batch_max,
                                           uint32_t length_max);

/* How many of `count` examples, from the first on, make a group. */
uint32_t sotto_group_cut(const struct sotto_arch *arch, const struct sotto_dataset *dataset,
                         const uint32_t *examples, uint32_t count);

/* Rows of an example: the tokens of a picture or text. */
uint32_t sotto_example_length(const struct sotto_arch *arch, const struct sotto_dataset *dataset,
                              uint32_t example);

/* Targets of an example: 1, or the tokens of its answers. */
uint32_t sotto_example_targets(const struct sotto_dataset *dataset, uint32_t example);

/*
 * Opens a worker, or counts what it takes where the workspace counts; close it either way.
 * SOTTO_NO_MEMORY: to be closed all the same.
 */
SOTTO_CHECKED enum sotto_status sotto_worker_open(struct sotto_worker *worker,
                                                  const struct sotto_workshop *workshop,
                                                  struct sotto_workspace *workspace);
void sotto_worker_close(struct sotto_worker *worker); /* closing twice is harmless */

/*
 * Points every adapter at its lanes and gradients, anew where the workshop's trained part or
 * dropout has changed; without any lanes yet, sets what memory depends on. A part that is not
 * trained has no gradients, and none are computed.
 */
void sotto_worker_bind(struct sotto_worker *worker);

/* The masks of the next step's dropout. */
void sotto_worker_drop(struct sotto_worker *worker, uint64_t seed, uint64_t step);

/* Rows of the group's examples as sotto_network_prefix has them, in the worker's memory. */
const struct sotto_device_float *sotto_worker_prefix(struct sotto_worker *worker,
                                                     const struct sotto_group *group);

/* Logits [count, label_count] of a classifier, in the worker's memory. */
struct sotto_matrix sotto_worker_classify(struct sotto_worker *worker,
                                          const struct sotto_group *group);

/* Logits [1, vocabulary] of the token after a group's one text; likewise. */
struct sotto_matrix sotto_worker_foretell(struct sotto_worker *worker,
                                          const struct sotto_group *group);

/* worker->loss alone. */
void sotto_worker_score(struct sotto_worker *worker, const struct sotto_group *group);

/* worker->loss, and worker->gradients: those of the group's part in the batch's mean loss. */
void sotto_worker_differentiate(struct sotto_worker *worker, const struct sotto_group *group);

#endif
