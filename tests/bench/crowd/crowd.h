/*
 * Many sites in one process around a coordinator that is served as it ships: each has a thread, an
 * enrolment, a key and a connection of its own over mutual TLS, and takes part in one round with
 * the participant's role that ships. It fetches roster and adapter and polls for mail as the
 * courier does. Instead of training it draws its update from its number, so that the adapter that
 * comes out can be computed beside it.
 */
#ifndef TESTS_BENCH_CROWD_CROWD_H
#define TESTS_BENCH_CROWD_CROWD_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "coordinator/schedule/definition.h"
#include "core/wire/roster.h"
#include "crypto/secagg/protocol.h"
#include "tests/coordinator/serving.h"

enum { CROWD_HANDS = 2, CROWD_DOOR = 16 };

struct crowd_task {
    const char *program; /* sotto-coordinator */
    uint32_t sites;
    uint32_t values;   /* of the adapter, about */
    uint32_t dropouts; /* these say that they leave where others upload */
};

struct crowd {
    struct crowd_task task;
    struct serving *serving;
    struct sotto_definition definition;
    uint8_t layout[16 * 1024];
    size_t layout_length;
    float *adapter; /* that the round starts from: [definition.lane_count], and their manifest */
    size_t adapter_length; /* bytes of both */
    struct crowd_site *sites;

    sem_t door;  /* so many connect at a time */
    sem_t hands; /* so many work at a time: the machine has no more processors */
    pthread_mutex_t lock;
    atomic_uint connected; /* sites that poll */
    atomic_bool is_over;   /* the coordinator goes, sites end at their next request */

    /* Under the lock: */
    struct sotto_plan plan; /* what everybody was told */
    bool has_roster;
    struct sotto_digest roster_digest;
    struct sotto_roster_entry *entries; /* [sites] */
    struct sotto_roster roster;
    uint32_t *sum; /* [lane_count + 1] of the uploads in the clear */
    uint32_t uploads;
    uint32_t finished; /* sites that heard how the round ended, by its success */
    struct sotto_digest outcome;
    uint64_t retries;
};

/* Serves, enrols, makes the campaign. All of these end the program on any failure. */
struct crowd *crowd_open(const struct crowd_task *task);
/* Connects every site; returns when all poll. */
void crowd_gather(struct crowd *crowd);
/* The round; returns when every site has heard of its end. */
void crowd_play(struct crowd *crowd);
/* Ends the program unless the adapter that was published is that of the uploads. */
void crowd_check(const struct crowd *crowd);
void crowd_close(struct crowd *crowd);

#endif
