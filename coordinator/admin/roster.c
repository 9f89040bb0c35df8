#include "coordinator/admin/roster.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/file.h"
#include "core/console/console.h"

enum { SIGNATURE_TEXT_MAX = 4096 };

enum sotto_status sotto_command_roster_export(struct sotto_session *session,
                                              const struct sotto_command_line *line,
                                              struct sotto_fault *fault)
{
    struct sotto_session_call call = {.method = "GET", .path = "/v1/admin/roster"};
    const char *path = NULL;
    enum sotto_status status;

    sotto_command_parse(line, "FILE", &path, NULL,
                        "Writes the roster of now to FILE, for its authority to sign.");
    status = sotto_session_exchange(session, &call, fault);
    if (status != SOTTO_OK)
        return status;
    status = sotto_file_replace(path, sotto_view_of(call.answer, call.answer_length), 0644, fault);
    free(call.answer);
    if (status == SOTTO_OK)
        sotto_console_say("sign it with 'sotto-admin roster sign --key KEY %s'", path);
    return status;
}

static void signed_print(const json_t *held)
{
    if (!json_is_object(held)) {
        printf("signed  none\n");
        return;
    }
    printf("signed  epoch %lld, digest %s, by %s%s\n",
           (long long)json_integer_value(json_object_get(held, "epoch")),
           json_string_value(json_object_get(held, "roster")),
           json_string_value(json_object_get(held, "authority")),
           json_is_true(json_object_get(held, "is_current")) ? ""
                                                             : "; sites came or went since then");
}

enum sotto_status sotto_command_roster_show(struct sotto_session *session,
                                            const struct sotto_command_line *line,
                                            struct sotto_fault *fault)
{
    bool json = false;
    json_t *answer;
    enum sotto_status status;

    sotto_command_parse(line, NULL, NULL, &json,
                        "Shows the roster of now, and the signed one that rounds are held over.");
    status = sotto_session_ask(session, &answer, "GET", "/v1/admin/roster/signature", NULL, fault);
    if (status != SOTTO_OK)
        return status;
    if (json) {
        sotto_command_print(answer);
    } else {
        printf("now     epoch %lld, digest %s, %lld sites\n",
               (long long)json_integer_value(json_object_get(answer, "epoch")),
               json_string_value(json_object_get(answer, "roster")),
               (long long)json_integer_value(json_object_get(answer, "sites")));
        signed_print(json_object_get(answer, "signed"));
    }
    json_decref(answer);
    return SOTTO_OK;
}

static enum sotto_status post(struct sotto_session *session, const char *path,
                              struct sotto_view body, struct sotto_fault *fault)
{
    struct sotto_session_call call = {.method = "POST", .path = path, .body = body};
    enum sotto_status status = sotto_session_exchange(session, &call, fault);

    if (status == SOTTO_OK)
        free(call.answer);
    return status;
}

enum sotto_status sotto_command_roster_import(struct sotto_session *session,
                                              const struct sotto_command_line *line,
                                              struct sotto_fault *fault)
{
    const char *path = NULL;
    uint8_t *text = NULL;
    size_t length = 0;
    enum sotto_status status;

    sotto_command_parse(line, "FILE", &path, NULL,
                        "Gives the coordinator what 'roster sign' wrote. From the next round on it "
                        "holds rounds over the signed roster: sites that enrol later wait until "
                        "another one is signed.");
    status = sotto_file_read(&text, &length, path, SIGNATURE_TEXT_MAX, fault);
    if (status == SOTTO_OK)
        status = post(session, "/v1/admin/roster/signature", sotto_view_of(text, length), fault);
    free(text);
    return status;
}

enum sotto_status sotto_command_roster_release(struct sotto_session *session,
                                               const struct sotto_command_line *line,
                                               struct sotto_fault *fault)
{
    struct sotto_view nothing = {0};

    sotto_command_parse(line, NULL, NULL, NULL,
                        "Holds rounds over the roster of now again, without a signature; sites "
                        "that pinned an authority refuse them.");
    return post(session, "/v1/admin/roster/release", nothing, fault);
}
