/*
 * The one door to the models: open a base model, adapt it, train the adapter on a dataset,
 * evaluate, predict.
 *
 * A sotto_model is read-only and can be shared by any number of trainers and threads; a
 * sotto_trainer has its own adapter, optimiser state and scratch and belongs to one thread. No
 * allocation inside a training step.
 */
#ifndef SOTTO_MODELS_TRAINER_H
#define SOTTO_MODELS_TRAINER_H

#include "core/base/bytes.h"
#include "models/adapter/subset.h"
#include "models/arch/arch.h"
#include "models/data/dataset.h"
#include "models/model.h"

struct sotto_threads;
struct sotto_trainer;

/*
 * A trainer for one layout. SOTTO_MISMATCH: the layout was derived from a model of another shape.
 *
 *   batch_max  in  the largest batch it will see
 *   threads    in  share the examples of a batch; borrowed until the trainer is closed. NULL: the
 *                  caller's thread alone. Any number of threads gives the same bits.
 */
SOTTO_CHECKED enum sotto_status sotto_trainer_open(struct sotto_trainer **trainer,
                                                   const struct sotto_model *model,
                                                   const struct sotto_layout *layout,
                                                   uint32_t batch_max,
                                                   struct sotto_threads *threads,
                                                   struct sotto_fault *fault);
void sotto_trainer_close(struct sotto_trainer *trainer);

/*
 * Sets the adapter. SOTTO_MALFORMED: NaN or infinity; SOTTO_MISMATCH: lane_count is not the
 * layout's. The adapter is then as before.
 */
SOTTO_CHECKED enum sotto_status sotto_trainer_load(struct sotto_trainer *trainer,
                                                   const float *lanes, size_t lane_count);
void sotto_trainer_save(const struct sotto_trainer *trainer, float *lanes); /* [lane_count] */

/*
 * AdamW, beta 0.9 and 0.999, epsilon 1e-3, decoupled decay on A and B only; the rate is linear over
 * all steps.
 */
struct sotto_fit {
    uint32_t epochs;
    uint32_t batch;
    double learning_rate_start;
    double learning_rate_end;
    double weight_decay;
    /*
     * Keep what the blocks below the adapters make of the examples, up to 256 MiB, for the next fit
     * of this dataset, which then begins with it. The dataset neither changes nor goes before
     * sotto_trainer_forget.
     */
    bool keeps_rows;
    double proximal;            /* FedProx: mu of the kernel `pull`; 0: none */
    double dropout;             /* share of a LoRA's inputs that a step leaves out */
    enum sotto_trained trained; /* the other lanes stand still */
    uint64_t seed; /* of the shuffle; the same seed, data and machine give the same bits */
    void (*progress)(void *context, size_t step, size_t step_count, double loss); /* may be NULL */
    void *context;
};

struct sotto_fit_result {
    size_t step_count;
    double loss_first; /* mean over the first batch */
    double loss_last;  /* mean over the last batch */
};

/*
 * Trains the adapter, with fresh optimiser state. The logarithm of a label's share in the dataset
 * is added to its logit, so that the adapter learns the pictures and not this site's mix of
 * labels: Menon et al., Long-tail learning via logit adjustment, ICLR 2021. Every epoch
 * has its own order, a Fisher-Yates shuffle; a short last batch is kept. Allocates the order of
 * the examples before the first step, with a proximal term also the adapter's start, nothing in a
 * step.
 *
 * SOTTO_MISMATCH: the pictures' form or a label is not the model's and the layout's;
 * SOTTO_OVER_LIMIT: the batch is 0 or above batch_max, or there is no example; SOTTO_NO_MEMORY:
 * the adapter is as before.
 * SOTTO_MALFORMED: the loss or the adapter is no finite number any more; the adapter is then
 * unspecified.
 */
SOTTO_CHECKED enum sotto_status sotto_trainer_fit(struct sotto_trainer *trainer,
                                                  const struct sotto_dataset *dataset,
                                                  const struct sotto_fit *fit,
                                                  struct sotto_fit_result *result);

/* Lets go of what a fit has kept. */
void sotto_trainer_forget(struct sotto_trainer *trainer);

/*
 * The mean loss of one batch, the first `count` examples, and its gradient; the adapter stays as
 * it is.
 *
 *   gradient  out  [lane_count]
 *   count     in   1 .. batch_max
 *
 * Statuses as sotto_trainer_fit has them.
 */
SOTTO_CHECKED enum sotto_status sotto_trainer_gradient(struct sotto_trainer *trainer,
                                                       float *gradient, double *loss,
                                                       const struct sotto_dataset *dataset,
                                                       size_t count);

struct sotto_score {
    size_t count;     /* examples, or tokens of all answers */
    size_t correct;   /* whose most probable label, or token, is the right one */
    double loss_mean; /* over them; a language model's perplexity is e to this */
};

/*
 * Without a gradient. SOTTO_MISMATCH, SOTTO_NO_MEMORY as sotto_trainer_fit has them: the score is
 * all zero.
 */
SOTTO_CHECKED enum sotto_status sotto_trainer_evaluate(struct sotto_trainer *trainer,
                                                       const struct sotto_dataset *dataset,
                                                       struct sotto_score *score);

/*
 * What the model says to one example, whose label or answers are not looked at.
 *
 *   probabilities  out  [label_count] of the classes; of a language model [vocabulary], of the
 *                       token after the text
 *   example        in   below dataset->count
 *
 * SOTTO_MISMATCH: the examples are not of the model's form; SOTTO_NO_MEMORY.
 */
SOTTO_CHECKED enum sotto_status sotto_trainer_predict(struct sotto_trainer *trainer,
                                                      float *probabilities,
                                                      const struct sotto_dataset *dataset,
                                                      size_t example);

#endif
