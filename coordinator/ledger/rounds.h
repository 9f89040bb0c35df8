/* Rounds: how each was opened, how it ended, and what each site had to do with it. */
#ifndef SOTTO_COORDINATOR_LEDGER_ROUNDS_H
#define SOTTO_COORDINATOR_LEDGER_ROUNDS_H

#include "coordinator/ledger/ledger.h"
#include "coordinator/round/round.h"

struct sotto_round_opening {
    const char *campaign;
    uint32_t round;
    struct sotto_view plan;
    const uint8_t *signature; /* [64] */
    uint64_t opened_ms;
    bool is_last;
};

struct sotto_round_ending {
    enum sotto_round_phase outcome; /* FINISHED or ABANDONED */
    const char *reason;
    struct sotto_view mail; /* the encoded outcome, as sites get it */
    uint64_t ended_ms;
    uint32_t cohort;
    uint32_t survivors;
    struct sotto_digest adapter;
};

/* A round as it was kept. */
struct sotto_round_row {
    uint32_t round;
    uint8_t plan[SOTTO_PLAN_BYTES_MAX];
    size_t plan_length;
    uint8_t signature[64];
    uint64_t opened_ms;
    bool is_last;
    char outcome[16]; /* running, finished, abandoned */
    char reason[160];
    uint8_t mail[1024];
    size_t mail_length;
    uint64_t ended_ms;
    uint32_t cohort;
    uint32_t survivors;
    struct sotto_digest adapter;
    uint64_t began_ms[SOTTO_ROUND_PHASE_COUNT];
    bool has_chi2;
    double chi2_sum;
};

struct sotto_round_site {
    uint32_t site;
    uint64_t bytes_in;
    uint64_t bytes_out;
    bool answered; /* joined the cohort */
    bool survived;
    bool has_chi2;
    double chi2;
};

/* With an entry in the journal each. */
SOTTO_CHECKED enum sotto_status sotto_rounds_open(struct sotto_ledger *ledger,
                                                  const struct sotto_round_opening *opening,
                                                  struct sotto_fault *fault);
SOTTO_CHECKED enum sotto_status sotto_rounds_end(struct sotto_ledger *ledger, const char *campaign,
                                                 uint32_t round,
                                                 const struct sotto_round_ending *ending,
                                                 struct sotto_fault *fault);
/* Display only, so without an entry in the journal: when phases began, chi-square of the sum. */
SOTTO_CHECKED enum sotto_status sotto_rounds_note_phases(
    struct sotto_ledger *ledger, const char *campaign, uint32_t round,
    const uint64_t began_ms[SOTTO_ROUND_PHASE_COUNT], struct sotto_fault *fault);
SOTTO_CHECKED enum sotto_status sotto_rounds_note_chi2(struct sotto_ledger *ledger,
                                                       const char *campaign, uint32_t round,
                                                       double chi2_sum, struct sotto_fault *fault);
/* Bytes are added, flags are or-ed, chi2 replaces where site->has_chi2. */
SOTTO_CHECKED enum sotto_status sotto_rounds_note_site(struct sotto_ledger *ledger,
                                                       const char *campaign, uint32_t round,
                                                       const struct sotto_round_site *site,
                                                       struct sotto_fault *fault);

/* SOTTO_NOT_FOUND: the campaign has no round yet. */
SOTTO_CHECKED enum sotto_status sotto_rounds_newest(struct sotto_ledger *ledger,
                                                    const char *campaign,
                                                    struct sotto_round_row *row);
/* The newest that has an outcome. SOTTO_NOT_FOUND. */
SOTTO_CHECKED enum sotto_status sotto_rounds_newest_ended(struct sotto_ledger *ledger,
                                                          const char *campaign,
                                                          struct sotto_round_row *row);
SOTTO_CHECKED enum sotto_status sotto_rounds_walk(struct sotto_ledger *ledger, const char *campaign,
                                                  void (*visit)(void *context,
                                                                const struct sotto_round_row *row),
                                                  void *context);
SOTTO_CHECKED enum sotto_status sotto_rounds_walk_sites(
    struct sotto_ledger *ledger, const char *campaign, uint32_t round,
    void (*visit)(void *context, const struct sotto_round_site *site), void *context);

#endif
