/* An administrator's connection to a coordinator: a credential folder, JSON there and back. */
#ifndef SOTTO_COORDINATOR_ADMIN_SESSION_H
#define SOTTO_COORDINATOR_ADMIN_SESSION_H

#include <jansson.h>
#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/net/client.h"

enum { SOTTO_SESSION_PATH_MAX = 512 };

struct sotto_session {
    struct sotto_client *client; /* NULL before the first call */
    char folder[SOTTO_SESSION_PATH_MAX];
    bool is_unreachable; /* the last call found nobody */
};

/*
 * `folder` holds admin.yaml, admin.pem, admin.key and ca.pem; NULL: $XDG_CONFIG_HOME/sotto,
 * ~/.config/sotto or the present folder, whichever has an admin.yaml first. They are read at the
 * first call, so that a command's own --help needs none. SOTTO_OVER_LIMIT: the path is too long.
 */
SOTTO_CHECKED enum sotto_status sotto_session_open(struct sotto_session *session,
                                                   const char *folder, struct sotto_fault *fault);
void sotto_session_close(struct sotto_session *session);

/* One request; the answer's bytes are from malloc, NULL if it has none. */
struct sotto_session_call {
    const char *method;
    const char *path;
    struct sotto_view body;
    uint8_t *answer;
    size_t answer_length;
};

/*
 * SOTTO_NOT_FOUND, SOTTO_MALFORMED: the credential; SOTTO_IO: nobody answers. What the coordinator
 * refuses comes back as a status, its sentence in the fault.
 */
SOTTO_CHECKED enum sotto_status sotto_session_exchange(struct sotto_session *session,
                                                       struct sotto_session_call *call,
                                                       struct sotto_fault *fault);
/* The same with JSON; `body` may be NULL and is borrowed, *answer is a new reference. */
SOTTO_CHECKED enum sotto_status sotto_session_ask(struct sotto_session *session, json_t **answer,
                                                  const char *method, const char *path,
                                                  const json_t *body, struct sotto_fault *fault);

#endif
