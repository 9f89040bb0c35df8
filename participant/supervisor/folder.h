/* Where things lie in a site's state folder. */
#ifndef SOTTO_PARTICIPANT_SUPERVISOR_FOLDER_H
#define SOTTO_PARTICIPANT_SUPERVISOR_FOLDER_H

#include "core/base/bytes.h"
#include "participant/channel/start.h"

struct sotto_state_folder {
    char root[SOTTO_START_PATH_MAX];
    char site[SOTTO_START_PATH_MAX];
    char pki[SOTTO_START_PATH_MAX];
    char key[SOTTO_START_PATH_MAX];
    char certificate[SOTTO_START_PATH_MAX];
    char authority[SOTTO_START_PATH_MAX];
    char identity[SOTTO_START_PATH_MAX];
    char identity_public[SOTTO_START_PATH_MAX];
    char coordinator[SOTTO_START_PATH_MAX];
    char ledger[SOTTO_START_PATH_MAX];
    char adapters[SOTTO_START_PATH_MAX];
    char current[SOTTO_START_PATH_MAX];
    char status[SOTTO_START_PATH_MAX];
    char rounds[SOTTO_START_PATH_MAX];
};

/* SOTTO_OVER_LIMIT: the path is too long. */
SOTTO_CHECKED enum sotto_status sotto_state_folder_name(struct sotto_state_folder *folder,
                                                        const char *root,
                                                        struct sotto_fault *fault);

/*
 * The same for a folder that a site was enrolled into, by its absolute path. SOTTO_NOT_FOUND: it is
 * none; the fault says how to make one.
 */
SOTTO_CHECKED enum sotto_status sotto_state_folder_find(struct sotto_state_folder *folder,
                                                        const char *root,
                                                        struct sotto_fault *fault);

/* 32 bytes that a file holds as hexadecimal text. SOTTO_NOT_FOUND, SOTTO_MALFORMED, SOTTO_IO. */
SOTTO_CHECKED enum sotto_status sotto_hex_file_read(uint8_t out[32], const char *path,
                                                    struct sotto_fault *fault);
SOTTO_CHECKED enum sotto_status sotto_hex_file_write(const char *path, const uint8_t bytes[32],
                                                     struct sotto_fault *fault);

#endif
