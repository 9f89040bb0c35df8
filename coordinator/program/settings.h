/* config.yaml of a coordinator's state folder. */
#ifndef SOTTO_COORDINATOR_PROGRAM_SETTINGS_H
#define SOTTO_COORDINATOR_PROGRAM_SETTINGS_H

#include <stdint.h>

#include "core/base/status.h"

/* From libcyaml: sotto_settings_close. */
struct sotto_settings {
    char *address; /* to listen on */
    uint16_t port;
    char *url;        /* where sites reach it; tokens name it */
    uint16_t threads; /* for taking masks off; 0: one a processor */
    /* Open at once, in all and from one address; 0: see coordinator/program/capacity.h. */
    uint32_t connections;
    uint32_t connections_per_address;
};

/* SOTTO_NOT_FOUND, SOTTO_MALFORMED: file, line and key are in the fault; *settings is NULL. */
SOTTO_CHECKED enum sotto_status sotto_settings_open(struct sotto_settings **settings,
                                                    const char *folder, struct sotto_fault *fault);
void sotto_settings_close(struct sotto_settings *settings);

/* A fresh config.yaml with a comment a key. */
SOTTO_CHECKED enum sotto_status sotto_settings_create(const char *folder,
                                                      const struct sotto_settings *settings,
                                                      struct sotto_fault *fault);

#endif
