#include "coordinator/program/settings.h"

#include <stdio.h>
#include <string.h>

#include "coordinator/program/capacity.h"
#include "core/base/config.h"
#include "core/base/file.h"

enum { TEXT_MAX = 255, SETTINGS_PATH_MAX = 512, THREADS_MAX = 64 };

static const cyaml_schema_field_t settings_fields[] = {
    CYAML_FIELD_STRING_PTR("address", CYAML_FLAG_POINTER, struct sotto_settings, address, 1,
                           TEXT_MAX),
    CYAML_FIELD_UINT("port", CYAML_FLAG_DEFAULT, struct sotto_settings, port),
    CYAML_FIELD_STRING_PTR("url", CYAML_FLAG_POINTER, struct sotto_settings, url, 1, TEXT_MAX),
    CYAML_FIELD_UINT("threads", CYAML_FLAG_OPTIONAL, struct sotto_settings, threads),
    CYAML_FIELD_UINT("connections", CYAML_FLAG_OPTIONAL, struct sotto_settings, connections),
    CYAML_FIELD_UINT("connections_per_address", CYAML_FLAG_OPTIONAL, struct sotto_settings,
                     connections_per_address),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t settings_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct sotto_settings, settings_fields),
};

static enum sotto_status settings_path(char out[SETTINGS_PATH_MAX], const char *folder,
                                       struct sotto_fault *fault)
{
    if (sotto_path_join(out, SETTINGS_PATH_MAX, folder, "config.yaml") != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "%s: the path is too long", folder);
    return SOTTO_OK;
}

static bool is_count(uint32_t connections)
{
    return connections == 0 ||
           (connections >= SOTTO_CONNECTIONS_MIN && connections <= SOTTO_CONNECTIONS_MAX);
}

static enum sotto_status count_fault(const char *key, uint32_t value, const char *path,
                                     struct sotto_fault *fault)
{
    return sotto_fault_set(fault, SOTTO_MALFORMED, "%s: %s has to be 0 or from %d to %d, not %u",
                           path, key, SOTTO_CONNECTIONS_MIN, SOTTO_CONNECTIONS_MAX, value);
}

/* What the schema cannot say. */
static enum sotto_status settings_check(const struct sotto_settings *settings, const char *path,
                                        struct sotto_fault *fault)
{
    if (settings->port == 0)
        return sotto_fault_set(fault, SOTTO_MALFORMED, "%s: port has to be from 1 to 65535, not 0",
                               path);
    if (settings->threads > THREADS_MAX)
        return sotto_fault_set(fault, SOTTO_MALFORMED, "%s: threads has to be from 0 to %d, not %u",
                               path, THREADS_MAX, settings->threads);
    if (!is_count(settings->connections))
        return count_fault("connections", settings->connections, path, fault);
    if (!is_count(settings->connections_per_address))
        return count_fault("connections_per_address", settings->connections_per_address, path,
                           fault);
    if (strncmp(settings->url, "https://", 8) != 0 || settings->url[8] == '\0')
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "%s: url has to be https://HOST:PORT, where sites reach this "
                               "coordinator, not %s",
                               path, settings->url);
    return SOTTO_OK;
}

enum sotto_status sotto_settings_open(struct sotto_settings **out, const char *folder,
                                      struct sotto_fault *fault)
{
    char path[SETTINGS_PATH_MAX];
    void *loaded = NULL;
    enum sotto_status status = settings_path(path, folder, fault);

    *out = NULL;
    if (status == SOTTO_OK)
        status = sotto_config_load(&loaded, path, &settings_schema, NULL, fault);
    if (status != SOTTO_OK)
        return status;
    status = settings_check(loaded, path, fault);
    if (status == SOTTO_OK)
        *out = loaded;
    else
        sotto_settings_close(loaded);
    return status;
}

void sotto_settings_close(struct sotto_settings *settings)
{
    sotto_config_free(settings, &settings_schema);
}

enum sotto_status sotto_settings_create(const char *folder, const struct sotto_settings *settings,
                                        struct sotto_fault *fault)
{
    char path[SETTINGS_PATH_MAX];
    char text[6 * TEXT_MAX];
    enum sotto_status status = settings_path(path, folder, fault);

    if (status != SOTTO_OK)
        return status;
    snprintf(text, sizeof text,
             "# The address to listen on; \"0.0.0.0\" for every one of IPv4, \"::\" for both.\n"
             "address: \"%s\"\n"
             "port: %u\n"
             "# Where sites reach the coordinator; enrolment tokens name it.\n"
             "url: \"%s\"\n"
             "# Threads that take the masks off a sum; 0 for one a processor.\n"
             "threads: %u\n"
             "# Connections at once; 0 for as many as open files allow, at most %d.\n"
             "connections: %u\n"
             "# Of these, from one address; 0 for %d. Sites behind one address share it.\n"
             "connections_per_address: %u\n",
             settings->address, settings->port, settings->url, settings->threads,
             SOTTO_CONNECTIONS_DEFAULT, settings->connections,
             SOTTO_CONNECTIONS_PER_ADDRESS_DEFAULT, settings->connections_per_address);
    return sotto_file_replace(path, sotto_view_text(text), 0600, fault);
}
