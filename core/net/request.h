/*
 * One request as the routes see it, and the answer to it.
 */
#ifndef SOTTO_CORE_NET_REQUEST_H
#define SOTTO_CORE_NET_REQUEST_H

#include "core/net/head.h"
#include "core/net/tls.h"

enum { SOTTO_ANSWER_HEAD_MAX = 512, SOTTO_PROBLEM_MAX = 1152 };

struct sotto_answer {
    int status;
    const char *content_type; /* NULL with an empty body */
    struct sotto_view body;   /* copied, unless there is a release */
    /* Called once, from the loop, when the body is out or the connection gone; free, and more. */
    void (*release)(void *owner);
    void *owner;
};

/* Routes use the functions below; the fields are the connection's. */
struct sotto_request {
    struct sotto_head head;
    const struct sotto_caller *caller;
    void *user;
    void *connection;
    void (*answer)(struct sotto_request *request, const struct sotto_answer *answer);
};

const char *sotto_request_method(const struct sotto_request *request);
/* Percent-decoded, without the query; begins with '/', has no '.' or '..' segment. */
const char *sotto_request_path(const struct sotto_request *request);
/* Value of a query parameter, percent-decoded, or NULL. */
const char *sotto_request_query(const struct sotto_request *request, const char *name);
/* Value of a header by lower-case name, or NULL. */
const char *sotto_request_header(const struct sotto_request *request, const char *name);
uint64_t sotto_request_content_length(
    const struct sotto_request *request); /* UINT64_MAX: chunked */
const struct sotto_caller *sotto_request_caller(const struct sotto_request *request);
/* A pointer that the routes may hang on the request. */
void **sotto_request_user(struct sotto_request *request);

/*
 * Once for each request, at any time from its `begin` to its `gone`. Before its body is whole, the
 * rest of the body is not read and the connection closes behind the answer. After the peer has
 * left, and before `gone` says so, it does nothing but release the body.
 */
void sotto_request_answer(struct sotto_request *request, const struct sotto_answer *answer);
/* RFC 9457 problem document: {"title", "status", "detail"}; the detail is cut at 500 characters. */
void sotto_request_answer_problem(struct sotto_request *request, int status, const char *detail);

/* Status line and headers of an answer, zero-terminated; returns their length. */
size_t sotto_answer_head_write(char out[SOTTO_ANSWER_HEAD_MAX], const struct sotto_answer *answer,
                               bool keeps_alive);
/* A problem document for what this server refuses by itself, as an answer that borrows `text`. */
struct sotto_answer sotto_refusal_write(char text[SOTTO_PROBLEM_MAX], int status);

#endif
