#include "participant/supervisor/folder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"

enum { HEX_TEXT = 64 };

enum sotto_status sotto_state_folder_name(struct sotto_state_folder *folder, const char *root,
                                          struct sotto_fault *fault)
{
    const struct {
        char *out;
        const char *name;
    } places[] = {
        {folder->site, "site.yaml"},
        {folder->pki, "pki"},
        {folder->key, "pki/tls.key"},
        {folder->certificate, "pki/tls.pem"},
        {folder->authority, "pki/ca.pem"},
        {folder->identity, "identity.key"},
        {folder->identity_public, "identity.pub"},
        {folder->coordinator, "coordinator.pub"},
        {folder->ledger, "ledger"},
        {folder->adapters, "adapters"},
        {folder->current, "adapters/current"},
        {folder->status, "status.json"},
        {folder->rounds, "rounds.jsonl"},
    };

    for (size_t index = 0; index < sizeof places / sizeof *places; index++)
        if (sotto_path_join(places[index].out, SOTTO_START_PATH_MAX, root, places[index].name) !=
            SOTTO_OK)
            return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "the path %.80s... is too long", root);
    memcpy(folder->root, root, strlen(root) + 1);
    return SOTTO_OK;
}

enum sotto_status sotto_state_folder_find(struct sotto_state_folder *folder, const char *root,
                                          struct sotto_fault *fault)
{
    char *absolute = realpath(root, NULL);
    enum sotto_status status = SOTTO_NOT_FOUND;

    if (absolute != NULL)
        status = sotto_state_folder_name(folder, absolute, fault);
    free(absolute);
    if (status == SOTTO_OVER_LIMIT)
        return status;
    if (status == SOTTO_OK && access(folder->site, R_OK) == 0)
        return SOTTO_OK;
    if (errno == EACCES)
        return sotto_fault_set(fault, SOTTO_IO,
                               "%s may not be read by this user: check who owns it and its mode",
                               root);
    return sotto_fault_set(fault, SOTTO_NOT_FOUND,
                           "%s is not a site's state folder: make one with "
                           "sotto-participant enrol --state %s",
                           root, root);
}

enum sotto_status sotto_hex_file_read(uint8_t out[32], const char *path, struct sotto_fault *fault)
{
    uint8_t *text = NULL;
    size_t length = 0;
    enum sotto_status status = sotto_file_read(&text, &length, path, HEX_TEXT + 2, fault);

    if (status != SOTTO_OK)
        return status;
    if (length == HEX_TEXT + 1 && text[HEX_TEXT] == '\n')
        text[HEX_TEXT] = '\0';
    status = sotto_hex_decode(out, 32, (const char *)text);
    sotto_wipe(text, length);
    free(text);
    if (status != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "%s does not hold 64 hexadecimal digits: restore it from a backup "
                               "of this site, or enrol anew",
                               path);
    return SOTTO_OK;
}

enum sotto_status sotto_hex_file_write(const char *path, const uint8_t bytes[32],
                                       struct sotto_fault *fault)
{
    char text[HEX_TEXT + 2];
    enum sotto_status status = SOTTO_OK;

    sotto_hex_encode(text, sotto_view_of(bytes, 32));
    text[HEX_TEXT] = '\n';
    status = sotto_file_replace(path, sotto_view_of(text, HEX_TEXT + 1), 0600, fault);
    sotto_wipe(text, sizeof text);
    return status;
}
