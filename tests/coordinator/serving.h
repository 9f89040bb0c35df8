/*
 * A whole coordinator in a process of its own, on loopback, and clients of it: an administrator,
 * and sites that enrol over the network as real ones do.
 */
#ifndef TESTS_COORDINATOR_SERVING_H
#define TESTS_COORDINATOR_SERVING_H

#include <sys/types.h>

#include "core/net/client.h"
#include "tests/support/folder.h"

struct serving {
    struct folder folder;
    char state[FOLDER_PATH_MAX];
    char url[64];
    unsigned port;
    const char *program; /* sotto-coordinator; NULL: the same code, without the program around it */
    pid_t child;
    uint8_t coordinator[32]; /* the key that signs plans, once somebody has enrolled */
    struct sotto_client *administrator;
    struct sotto_client *stranger; /* no certificate */
};

/* An answer; the text is cut at its end. */
struct serving_answer {
    int status;
    char text[4096];
};

struct serving *serving_open(void);
/* For so many connections from this machine, served by `program` if it is not NULL. */
struct serving *serving_open_for(uint32_t connections_per_address, const char *program);
void serving_close(struct serving *serving);

/* Starts and ends the process; open has started it once. */
void serving_start(struct serving *serving);
void serving_kill(struct serving *serving);

struct serving_answer serving_ask(struct sotto_client *client, const char *method, const char *path,
                                  struct sotto_view body);

/* The whole of enrolment: token, keys, certificate. The caller closes the client. */
struct sotto_client *serving_enrol(struct serving *serving, const char *site);
/* Only the token's secret. */
void serving_token(struct serving *serving, const char *site, uint8_t secret[32]);
/* An enrolment request with this secret; a fresh key for TLS goes to `<folder>/<site>.key`. */
size_t serving_request(struct serving *serving, const char *site, const uint8_t secret[32],
                       uint8_t *out, size_t capacity);

#endif
