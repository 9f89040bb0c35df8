#include "coordinator/enrol/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"

enum { KEYS_PATH_MAX = 512, SIGNING_TEXT_BYTES = 65 };

static enum sotto_status text_write(const char *folder, const char *name, const char *text,
                                    struct sotto_fault *fault)
{
    char path[KEYS_PATH_MAX];

    if (sotto_path_join(path, sizeof path, folder, name) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "%s: the path is too long", folder);
    return sotto_file_replace(path, sotto_view_text(text), 0600, fault);
}

static enum sotto_status certificate_write(const char *folder, const char *name,
                                           const struct sotto_certificate *certificate,
                                           struct sotto_fault *fault)
{
    char pem[SOTTO_CERTIFICATE_PEM_MAX];

    sotto_certificate_to_pem(pem, certificate);
    return text_write(folder, name, pem, fault);
}

static enum sotto_status authority_create(const char *folder, struct sotto_authority *authority,
                                          uint64_t now_s, struct sotto_fault *fault)
{
    enum sotto_status status = sotto_authority_make(authority, "sotto coordinator", now_s, fault);

    if (status == SOTTO_OK)
        status = certificate_write(folder, "pki/ca.pem", &authority->certificate, fault);
    if (status == SOTTO_OK)
        status = certificate_write(folder, "admin/ca.pem", &authority->certificate, fault);
    if (status == SOTTO_OK)
        status = text_write(folder, "pki/ca.key", authority->key.pem, fault);
    return status;
}

static enum sotto_status server_create(const char *folder, const struct sotto_authority *authority,
                                       const struct sotto_keys_setup *setup,
                                       struct sotto_fault *fault)
{
    struct sotto_server_subject subject = {
        .names = setup->names, .name_count = setup->name_count, .now_s = setup->now_s};
    struct sotto_certificate certificate;
    struct sotto_key key;
    enum sotto_status status =
        sotto_authority_issue_server(authority, &certificate, &key, &subject, fault);

    if (status == SOTTO_OK)
        status = certificate_write(folder, "pki/server.pem", &certificate, fault);
    if (status == SOTTO_OK)
        status = text_write(folder, "pki/server.key", key.pem, fault);
    sotto_wipe(&key, sizeof key);
    return status;
}

static enum sotto_status administrator_create(const char *folder,
                                              const struct sotto_authority *authority,
                                              const struct sotto_keys_setup *setup,
                                              struct sotto_fault *fault)
{
    struct sotto_client_subject subject = {.common_name = "administrator",
                                           .organisational_unit = "administrator",
                                           .now_s = setup->now_s};
    uint8_t der[SOTTO_REQUEST_DER_MAX];
    struct sotto_buffer request = sotto_buffer_of(der, sizeof der);
    struct sotto_certificate certificate;
    struct sotto_key key;
    char yaml[KEYS_PATH_MAX];
    enum sotto_status status =
        sotto_certificate_request_make(&key, &request, SOTTO_KEY_P256, fault);

    snprintf(yaml, sizeof yaml,
             "# How sotto-admin reaches the coordinator; the certificate and key lie beside.\n"
             "url: %s\n",
             setup->url);
    if (status == SOTTO_OK)
        status = sotto_authority_issue_client(authority, &certificate, sotto_view_buffer(&request),
                                              &subject, fault);
    if (status == SOTTO_OK)
        status = certificate_write(folder, "admin/admin.pem", &certificate, fault);
    if (status == SOTTO_OK)
        status = text_write(folder, "admin/admin.key", key.pem, fault);
    if (status == SOTTO_OK)
        status = text_write(folder, "admin/admin.yaml", yaml, fault);
    sotto_wipe(&key, sizeof key);
    return status;
}

static enum sotto_status signing_create(const char *folder, const struct sotto_secret *signing,
                                        struct sotto_fault *fault)
{
    char text[SIGNING_TEXT_BYTES + 1];
    enum sotto_status status;

    sotto_hex_encode(text, sotto_view_of(signing->bytes, sizeof signing->bytes));
    text[SIGNING_TEXT_BYTES - 1] = '\n';
    text[SIGNING_TEXT_BYTES] = '\0';
    status = text_write(folder, "pki/signing.key", text, fault);
    sotto_wipe(text, sizeof text);
    return status;
}

enum sotto_status sotto_keys_create(const char *folder, const struct sotto_keys_setup *setup,
                                    struct sotto_fault *fault)
{
    struct sotto_authority authority;
    char path[KEYS_PATH_MAX];
    enum sotto_status status = SOTTO_OK;

    for (const char *const *name = (const char *const[]){"pki", "admin", NULL};
         *name != NULL && status == SOTTO_OK; name++) {
        status = sotto_path_join(path, sizeof path, folder, *name);
        if (status == SOTTO_OK)
            status = sotto_folder_make(path, fault);
    }
    if (status == SOTTO_OK)
        status = authority_create(folder, &authority, setup->now_s, fault);
    if (status == SOTTO_OK)
        status = server_create(folder, &authority, setup, fault);
    if (status == SOTTO_OK)
        status = administrator_create(folder, &authority, setup, fault);
    if (status == SOTTO_OK)
        status = signing_create(folder, setup->signing, fault);
    sotto_authority_wipe(&authority);
    return status;
}

static enum sotto_status signing_read(struct sotto_secret *signing, const char *folder,
                                      struct sotto_fault *fault)
{
    char path[KEYS_PATH_MAX];
    uint8_t *text;
    size_t length;
    enum sotto_status status = sotto_path_join(path, sizeof path, folder, "pki/signing.key");

    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "%s: the path is too long", folder);
    status = sotto_file_read(&text, &length, path, SIGNING_TEXT_BYTES, fault);
    if (status != SOTTO_OK)
        return status;
    if (length == SIGNING_TEXT_BYTES)
        text[SIGNING_TEXT_BYTES - 1] = '\0';
    if (sotto_hex_decode(signing->bytes, sizeof signing->bytes, (const char *)text) != SOTTO_OK)
        status = sotto_fault_set(fault, SOTTO_MALFORMED,
                                 "%s is no signing key: restore it from a backup", path);
    sotto_wipe(text, length);
    free(text);
    return status;
}

enum sotto_status sotto_keys_read(struct sotto_keys *keys, const char *folder,
                                  struct sotto_fault *fault)
{
    char certificate[KEYS_PATH_MAX], key[KEYS_PATH_MAX];
    enum sotto_status status;

    memset(keys, 0, sizeof *keys);
    if (sotto_path_join(certificate, sizeof certificate, folder, "pki/ca.pem") != SOTTO_OK ||
        sotto_path_join(key, sizeof key, folder, "pki/ca.key") != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "%s: the path is too long", folder);
    status = sotto_authority_read(&keys->authority, certificate, key, fault);
    if (status == SOTTO_OK)
        status = signing_read(&keys->signing, folder, fault);
    if (status != SOTTO_OK) {
        sotto_keys_wipe(keys);
        return status;
    }
    sotto_certificate_digest(&keys->authority_digest, &keys->authority.certificate);
    sotto_ed25519_public_of(&keys->signer, &keys->signing);
    return SOTTO_OK;
}

void sotto_keys_wipe(struct sotto_keys *keys)
{
    sotto_authority_wipe(&keys->authority);
    sotto_wipe(keys, sizeof *keys);
}
