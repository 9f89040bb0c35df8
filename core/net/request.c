#include "core/net/request.h"

#include <assert.h>
#include <stdio.h>

enum { DETAIL_MAX = 500 };

const char *sotto_request_method(const struct sotto_request *request)
{
    return request->head.method;
}

const char *sotto_request_path(const struct sotto_request *request)
{
    return request->head.path;
}

const char *sotto_request_query(const struct sotto_request *request, const char *name)
{
    return sotto_head_query(&request->head, name);
}

const char *sotto_request_header(const struct sotto_request *request, const char *name)
{
    return sotto_head_header(&request->head, name);
}

uint64_t sotto_request_content_length(const struct sotto_request *request)
{
    return request->head.content_length;
}

const struct sotto_caller *sotto_request_caller(const struct sotto_request *request)
{
    return request->caller;
}

void **sotto_request_user(struct sotto_request *request)
{
    return &request->user;
}

void sotto_request_answer(struct sotto_request *request, const struct sotto_answer *answer)
{
    request->answer(request, answer);
}

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {409, "Conflict"},
        {410, "Gone"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
        {507, "Insufficient Storage"},
    };

    for (size_t index = 0; index < sizeof reasons / sizeof *reasons; index++)
        if (reasons[index].status == status)
            return reasons[index].reason;
    return status < 400 ? "Done" : "Refused";
}

/* JSON string content in ASCII: what would need an escape of its own is shown as '?'. */
static void quote(char *out, const char *text)
{
    for (size_t count = 0; *text && count < DETAIL_MAX; text++, count++) {
        if (*text == '"' || *text == '\\')
            *out++ = '\\';
        *out++ = *text >= ' ' && *text < 0x7f ? *text : '?';
    }
    *out = '\0';
}

/* A problem document into `text`, as an answer that borrows it. */
static struct sotto_answer problem_write(char text[SOTTO_PROBLEM_MAX], int status,
                                         const char *detail)
{
    char quoted[2 * DETAIL_MAX + 1];
    int length = 0;

    quote(quoted, detail != NULL ? detail : "");
    length =
        snprintf(text, SOTTO_PROBLEM_MAX, "{\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\"}\n",
                 reason_of(status), status, quoted);
    assert(length < SOTTO_PROBLEM_MAX);
    return (struct sotto_answer){
        .status = status,
        .content_type = "application/problem+json",
        .body = sotto_view_of(text, (size_t)length),
    };
}

void sotto_request_answer_problem(struct sotto_request *request, int status, const char *detail)
{
    char text[SOTTO_PROBLEM_MAX];
    struct sotto_answer answer = problem_write(text, status, detail);

    sotto_request_answer(request, &answer);
}

/* RFC 9110 section 8.6: a 204 has no length. */
static int write_length(char *out, size_t capacity, const struct sotto_answer *answer)
{
    if (answer->status == 204)
        return 0;
    return snprintf(out, capacity, "content-length: %zu\r\n", answer->body.length);
}

size_t sotto_answer_head_write(char out[SOTTO_ANSWER_HEAD_MAX], const struct sotto_answer *answer,
                               bool keeps_alive)
{
    size_t room = SOTTO_ANSWER_HEAD_MAX;
    int length = snprintf(out, room, "HTTP/1.1 %d %s\r\ncache-control: no-store\r\n",
                          answer->status, reason_of(answer->status));

    length += write_length(out + length, room - (size_t)length, answer);
    if (answer->content_type != NULL)
        length += snprintf(out + length, room - (size_t)length, "content-type: %.128s\r\n",
                           answer->content_type);
    length += snprintf(out + length, room - (size_t)length, "%s\r\n",
                       keeps_alive ? "" : "connection: close\r\n");
    assert((size_t)length < room);
    return (size_t)length;
}

static const char *refusal_detail(int status)
{
    switch (status) {
    case 400: return "the request is malformed";
    case 413: return "the body is longer than this server takes";
    case 414: return "the target of the request is too long";
    case 417: return "the expectation is not 100-continue";
    case 431: return "the headers are too long or too many";
    case 501: return "the method or the transfer coding is not known here";
    case 503: return "out of memory: try again";
    case 505: return "only HTTP/1.1 is spoken here";
    }
    return "the request was refused";
}

struct sotto_answer sotto_refusal_write(char text[SOTTO_PROBLEM_MAX], int status)
{
    return problem_write(text, status, refusal_detail(status));
}
