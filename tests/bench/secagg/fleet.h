/*
 * A cohort of any size around the coordinator's role that ships, on one processor.
 *
 * The coordinator does all of its work: every advert, message, answer, upload and share. Of the
 * participants a few do theirs, with the role that ships; they are the sample that is measured. For
 * the others the fleet, which knows everybody's seed, writes what the coordinator or the sample
 * would notice: adverts, receipts and inclusions are signed, shares of every secret are right. What
 * is for the eyes of a participant that is not in the sample is zeros: sealed shares and MACs to
 * it. Uploads are zeros as well, but for the sample's and one: it carries what all the others'
 * would add up to, so that the sum that is unmasked in the end can be held against the plain one.
 */
#ifndef TESTS_BENCH_SECAGG_FLEET_H
#define TESTS_BENCH_SECAGG_FLEET_H

#include "coordinator/drive/tally.h"
#include "crypto/secagg/protocol.h"
#include "crypto/secagg/secaggplus/graph/table.h"
#include "crypto/secagg/secaggplus/keys/secrets.h"

enum { FLEET_SAMPLE = 3 };

struct fleet_task {
    uint32_t count;
    uint32_t lane_count;
    uint32_t dropouts; /* after sharing, evenly over the ids */
    double dropout_fraction;
};

/* Of one measured participant. */
struct fleet_singer {
    uint32_t place;
    struct sotto_arena arena;
    struct sotto_member *member;
    uint32_t *lanes; /* its upload */
    double keys_s;   /* advert, cohort, inbox, inclusion, reveal */
    double mask_s;
    size_t bytes_up;
    size_t bytes_down;
};

struct fleet {
    struct fleet_task task;
    struct sotto_terms terms;
    struct sotto_roster_entry *entries; /* [count] by place, which is the seat: all as the next */
    struct sotto_roster roster;
    struct sotto_secret *identities;
    struct sotto_secret *seeds;
    struct sotto_secrets *secrets;
    struct sotto_advert *adverts;
    struct sotto_secret signing;
    struct sotto_ed25519_public coordinator;

    struct sotto_parameters parameters; /* once adverts are in */
    struct sotto_digest context;
    struct sotto_ring ring;
    struct sotto_table table;
    struct sotto_arena graph;
    struct sotto_seats survivors;
    struct sotto_digest shared;    /* the digest of those who shared: everybody */
    struct sotto_digest confirmed; /* the digest of the survivors */
    struct sotto_share *shares; /* [count][k] of what each owner's holders will reveal, by slot */

    struct sotto_arena hub_arena;
    struct sotto_collector *collector;
    struct sotto_tally tally;
    uint8_t *wire; /* of any message */
    uint8_t *answer;
    double step_s;  /* the hub's steps and messages */
    double close_s; /* of which: the last one, which reconstructs */
    double add_s;   /* uploads into the sum */

    struct fleet_singer sample[FLEET_SAMPLE];
};

/* All of these end the program on any failure: there is nothing to measure then. */
struct fleet *fleet_open(const struct fleet_task *task);
void fleet_close(struct fleet *fleet);

/* The round, up to a sum that waits for its masks to be taken off. */
void fleet_play(struct fleet *fleet);

/* Masks that are left in the sum. */
size_t fleet_streams(const struct fleet *fleet);
/* Ends the program unless `sum` is that of the survivors' lanes. */
void fleet_check(const struct fleet *fleet, const uint32_t *sum);
/* What the hub holds besides what it is just working on: the role and one vector. */
size_t fleet_hub_bytes(const struct fleet *fleet);

double fleet_cpu_s(void);

#endif
