/*
 * What the command line's one-shot modes work on: a model and an adapter from a directory, without
 * a coordinator.
 */
#ifndef SOTTO_PARTICIPANT_TRAINER_BENCH_H
#define SOTTO_PARTICIPANT_TRAINER_BENCH_H

#include "models/trainer.h"

struct json_t;

enum { SOTTO_BENCH_BATCH = 64, SOTTO_TEXT_SHOWN = 72 /* bytes of a text beside its result */ };

struct sotto_bench {
    struct sotto_model *model;
    struct sotto_layout layout;
    float *lanes; /* [layout.lane_count] the adapter as it was read */
    struct sotto_trainer *trainer;
};

/*
 * Opens both directories. The statuses of sotto_model_open, sotto_peft_read and sotto_trainer_open;
 * nothing stays open.
 */
SOTTO_CHECKED enum sotto_status sotto_bench_open(struct sotto_bench *bench,
                                                 const char *model_folder,
                                                 const char *adapter_folder,
                                                 struct sotto_fault *fault);

/* The same without a trainer; and that alone, over what is open. */
SOTTO_CHECKED enum sotto_status sotto_bench_open_adapter(struct sotto_bench *bench,
                                                         const char *model_folder,
                                                         enum sotto_weights weights,
                                                         const char *adapter_folder,
                                                         struct sotto_fault *fault);
SOTTO_CHECKED enum sotto_status sotto_bench_open_trainer(struct sotto_bench *bench,
                                                         struct sotto_fault *fault);

/*
 * Expects labels as frequent as in `mix`: adds the logarithm of each one's share to the bias of the
 * classifier. Training took it out, so that the adapter itself holds every label for as likely as
 * any other. SOTTO_NO_MEMORY, SOTTO_UNSUPPORTED: the adapter has no classifier; it is as before.
 */
SOTTO_CHECKED enum sotto_status sotto_bench_expect(struct sotto_bench *bench,
                                                   const struct sotto_dataset *mix,
                                                   struct sotto_fault *fault);
void sotto_bench_close(struct sotto_bench *bench);

/* A path as a JSON text, new; one that is no UTF-8 as sotto_line_show writes it. */
struct json_t *sotto_bench_path(const char *path);

#endif
