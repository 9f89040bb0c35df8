#include "core/net/connection.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum {
    BODY_PROGRESS_BYTES = 4096,
    KEEPALIVE_S = 30,
    BAD_REQUEST = 400,
    TOO_LARGE = 413,
    UNAVAILABLE = 503,
};

static void pump(struct sotto_connection *connection);
static void set_reading(struct sotto_connection *connection);

static void end_request(struct sotto_connection *connection)
{
    const struct sotto_server_routes *routes = &connection->all->routes;
    struct sotto_request *request = connection->request;

    if (request == NULL)
        return;
    connection->request = NULL;
    routes->gone(routes->context, request);
    sotto_head_wipe(&request->head);
    free(request);
}

static void unlink_from_all(struct sotto_connection *connection)
{
    struct sotto_connections *all = connection->all;

    if (connection->previous != NULL)
        connection->previous->next = connection->next;
    else
        all->first = connection->next;
    if (connection->next != NULL)
        connection->next->previous = connection->previous;
    all->counters.connections_open--;
    all->left(all->context, connection);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct sotto_connection *connection = handle->data;
    struct sotto_connections *all = connection->all;

    if (--connection->handles > 0)
        return;
    end_request(connection);
    sotto_output_wipe(&connection->output);
    sotto_prescan_wipe(&connection->prescan);
    sotto_tls_close(&connection->tls);
    unlink_from_all(connection);
    free(connection);
    if (all->stopping && all->first == NULL)
        all->emptied(all->context);
}

void sotto_connection_close(struct sotto_connection *connection)
{
    if (connection->closing)
        return;
    connection->closing = true;
    uv_close((uv_handle_t *)&connection->stream, on_handle_closed);
    uv_close((uv_handle_t *)&connection->timer, on_handle_closed);
}

static void close_on_failure(struct sotto_connection *connection, enum sotto_status status)
{
    if (status != SOTTO_OK)
        sotto_connection_close(connection);
}

static void on_timeout(uv_timer_t *timer)
{
    sotto_connection_close(timer->data);
}

static void arm(struct sotto_connection *connection, uint64_t timeout_ms)
{
    if (!connection->closing)
        uv_timer_start(&connection->timer, on_timeout, timeout_ms, 0);
}

static void push(struct sotto_connection *connection)
{
    uint64_t before = connection->output.sent_total;

    if (connection->closing)
        return;
    close_on_failure(connection, sotto_output_push(&connection->output));
    connection->all->counters.bytes_out_total += connection->output.sent_total - before;
}

static void on_shutdown(uv_shutdown_t *shutdown, int status)
{
    if (status < 0)
        sotto_connection_close(shutdown->data);
}

/*
 * Says goodbye and drops what still comes until the peer closes: closing over unread bytes would
 * reset the connection and could destroy the answer on its way.
 */
static void finish(struct sotto_connection *connection)
{
    connection->place = SOTTO_CONNECTION_ENDING;
    sotto_tls_end(&connection->tls);
    push(connection);
    if (connection->closing)
        return;
    arm(connection, connection->all->limits.header_timeout_ms);
    connection->shutdown.data = connection;
    if (uv_shutdown(&connection->shutdown, (uv_stream_t *)&connection->stream, on_shutdown) != 0)
        sotto_connection_close(connection);
    set_reading(connection);
}

static void answer_is_out(struct sotto_connection *connection)
{
    sotto_output_wipe(&connection->output);
    end_request(connection);
    if (!connection->keeps_alive || connection->all->stopping) {
        finish(connection);
        return;
    }
    connection->place = SOTTO_CONNECTION_HEAD;
    arm(connection, connection->all->limits.idle_timeout_ms);
    pump(connection);
}

static void on_moved(struct sotto_output *output, int status)
{
    struct sotto_connection *connection = output->owner;

    if (status < 0)
        sotto_connection_close(connection);
    if (connection->closing || connection->place == SOTTO_CONNECTION_ENDING)
        return;
    if (connection->place != SOTTO_CONNECTION_SENDING) {
        pump(connection);
        return;
    }
    arm(connection, connection->all->limits.idle_timeout_ms);
    push(connection);
    if (!connection->closing && sotto_output_is_empty(output))
        answer_is_out(connection);
}

static void start_answer(struct sotto_connection *connection, const struct sotto_answer *answer)
{
    uint64_t before = connection->output.sent_total;
    bool is_head = connection->request != NULL &&
                   strcmp(sotto_request_method(connection->request), "HEAD") == 0;

    if (connection->all->stopping)
        connection->keeps_alive = false;
    connection->place = SOTTO_CONNECTION_SENDING;
    arm(connection, connection->all->limits.idle_timeout_ms);
    close_on_failure(connection, sotto_output_answer(&connection->output, answer,
                                                     connection->keeps_alive, !is_head));
    connection->all->counters.bytes_out_total += connection->output.sent_total - before;
}

/* What sotto_request_answer comes to. */
static void on_answer(struct sotto_request *request, const struct sotto_answer *answer)
{
    struct sotto_connection *connection = request->connection;

    if (connection->closing || connection->refused ||
        connection->place == SOTTO_CONNECTION_ENDING) {
        if (answer->release != NULL)
            answer->release(answer->owner);
        return;
    }
    assert(connection->place == SOTTO_CONNECTION_BODY ||
           connection->place == SOTTO_CONNECTION_WAITING);
    if (connection->place == SOTTO_CONNECTION_BODY)
        connection->keeps_alive = false;
    start_answer(connection, answer);
}

/* Answers in place of the routes, and closes behind it. */
static void refuse(struct sotto_connection *connection, int status)
{
    char text[SOTTO_PROBLEM_MAX];
    struct sotto_answer answer = sotto_refusal_write(text, status);

    connection->all->counters.refused_total++;
    connection->keeps_alive = false;
    connection->refused = true;
    if (connection->all->log != NULL)
        sotto_log_write(connection->all->log, SOTTO_LOG_DEBUG, "a request was refused with %d",
                        status);
    start_answer(connection, &answer);
}

/* What a route said to a part of a request: true if the request goes on. */
static bool goes_on(struct sotto_connection *connection, int refusal)
{
    if (connection->closing || connection->place != SOTTO_CONNECTION_BODY)
        return false;
    if (refusal)
        refuse(connection, refusal);
    return !refusal;
}

static void finish_body(struct sotto_connection *connection)
{
    const struct sotto_server_routes *routes = &connection->all->routes;

    connection->place = SOTTO_CONNECTION_WAITING;
    uv_timer_stop(&connection->timer);
    routes->end(routes->context, connection->request);
}

static void say_continue(struct sotto_connection *connection)
{
    struct sotto_view text = sotto_view_text("HTTP/1.1 100 Continue\r\n\r\n");

    close_on_failure(connection, sotto_tls_write(&connection->tls, text));
    push(connection);
}

static void begin_body(struct sotto_connection *connection, struct sotto_request *request)
{
    struct sotto_connections *all = connection->all;

    if (!connection->has_begun)
        sotto_tls_caller(&connection->tls, &connection->caller);
    connection->has_begun = true;
    connection->request = request;
    request->caller = &connection->caller;
    request->connection = connection;
    request->answer = on_answer;
    connection->place = SOTTO_CONNECTION_BODY;
    connection->keeps_alive = request->head.keeps_alive;
    connection->body_bytes = 0;
    connection->progress_bytes = 0;
    sotto_framing_init(&connection->framing, request->head.content_length);
    arm(connection, all->limits.idle_timeout_ms);
    all->counters.requests_total++;
    if (!goes_on(connection, all->routes.begin(all->routes.context, request)))
        return;
    if (sotto_framing_is_whole(&connection->framing))
        finish_body(connection);
    else if (request->head.expects_continue)
        say_continue(connection);
}

static int parse_head(struct sotto_connection *connection, struct sotto_request *request)
{
    uint64_t length_max = connection->all->limits.body_bytes_max;
    int refusal = sotto_head_parse(&request->head, sotto_view_buffer(&connection->prescan.block));
    uint64_t length = request->head.content_length;

    if (!refusal && length != UINT64_MAX && length > length_max)
        refusal = TOO_LARGE;
    if (refusal)
        sotto_head_wipe(&request->head);
    return refusal;
}

/* A whole header block is there. */
static void begin_request(struct sotto_connection *connection)
{
    struct sotto_request *request = calloc(1, sizeof *request);
    int refusal = request != NULL ? parse_head(connection, request) : UNAVAILABLE;

    sotto_prescan_wipe(&connection->prescan);
    if (!refusal) {
        begin_body(connection, request);
        return;
    }
    free(request);
    refuse(connection, refusal);
}

static void advance_head(struct sotto_connection *connection, struct sotto_view *input)
{
    int refusal = 0;

    if (connection->has_begun && connection->prescan.block.length == 0)
        arm(connection, connection->all->limits.header_timeout_ms);
    refusal = sotto_prescan_step(&connection->prescan, input);
    if (refusal)
        refuse(connection, refusal);
    else if (sotto_prescan_is_whole(&connection->prescan))
        begin_request(connection);
}

/* A peer that sends a byte now and then does not count as one that goes on. */
static void note_progress(struct sotto_connection *connection, size_t bytes)
{
    connection->body_bytes += bytes;
    connection->progress_bytes += bytes;
    if (connection->progress_bytes < BODY_PROGRESS_BYTES)
        return;
    connection->progress_bytes = 0;
    arm(connection, connection->all->limits.idle_timeout_ms);
}

static void advance_body(struct sotto_connection *connection, struct sotto_view *input)
{
    const struct sotto_connections *all = connection->all;
    struct sotto_view piece = {0};

    if (sotto_framing_next(&connection->framing, &piece, input) != SOTTO_OK) {
        refuse(connection, BAD_REQUEST);
        return;
    }
    note_progress(connection, piece.length);
    if (connection->body_bytes > all->limits.body_bytes_max) {
        refuse(connection, TOO_LARGE);
        return;
    }
    if (piece.length > 0 &&
        !goes_on(connection, all->routes.body(all->routes.context, connection->request, piece)))
        return;
    if (sotto_framing_is_whole(&connection->framing))
        finish_body(connection);
}

static bool takes_input(const struct sotto_connection *connection)
{
    return !connection->closing && !sotto_output_is_full(&connection->output) &&
           (connection->place == SOTTO_CONNECTION_HEAD ||
            connection->place == SOTTO_CONNECTION_BODY);
}

static void advance(struct sotto_connection *connection, struct sotto_view *input)
{
    while (takes_input(connection) && input->length > 0) {
        if (connection->place == SOTTO_CONNECTION_HEAD)
            advance_head(connection, input);
        else
            advance_body(connection, input);
    }
}

/* The next plaintext; empty when there is none, or none to come. */
static struct sotto_view next_input(struct sotto_connection *connection)
{
    struct sotto_buffer plain = sotto_buffer_of(connection->all->plain, SOTTO_TLS_RECORD_MAX);

    switch (sotto_tls_read(&connection->tls, &plain)) {
    case SOTTO_TLS_BYTES:
    case SOTTO_TLS_WANTS: break;
    case SOTTO_TLS_ENDED:
    case SOTTO_TLS_FAILED: finish(connection); break;
    }
    return sotto_view_buffer(&plain);
}

static bool is_quiet(const struct sotto_connection *connection)
{
    return !connection->closing && connection->place == SOTTO_CONNECTION_HEAD &&
           connection->output.queued_bytes == 0 && sotto_tls_unread(&connection->tls) == 0;
}

/* Drives everything that has come in as far as it may go. */
static void pump(struct sotto_connection *connection)
{
    while (takes_input(connection)) {
        struct sotto_view input = next_input(connection);

        if (input.length == 0)
            break;
        advance(connection, &input);
        if (connection->place != SOTTO_CONNECTION_ENDING)
            close_on_failure(connection, sotto_tls_put_back(&connection->tls, input));
    }
    push(connection);
    if (is_quiet(connection))
        sotto_tls_shrink(&connection->tls);
    set_reading(connection);
}

static void on_input(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
    struct sotto_connection *connection = stream->data;

    if (length < 0) {
        sotto_connection_close(connection);
        return;
    }
    connection->all->counters.bytes_in_total += (uint64_t)length;
    if (length == 0 || connection->place == SOTTO_CONNECTION_ENDING)
        return;
    close_on_failure(connection,
                     sotto_tls_feed(&connection->tls, sotto_view_of(buffer->base, (size_t)length)));
    pump(connection);
}

static void offer_input(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct sotto_connection *connection = handle->data;

    (void)suggested;
    *buffer = uv_buf_init(connection->all->input, SOTTO_INPUT_MAX);
}

/* A socket is read also while a request waits, to see its peer leave; but only so far ahead. */
static void set_reading(struct sotto_connection *connection)
{
    bool wanted = connection->place == SOTTO_CONNECTION_ENDING ||
                  (!sotto_output_is_full(&connection->output) &&
                   sotto_tls_unread(&connection->tls) < SOTTO_INPUT_MAX);

    if (connection->closing || wanted == connection->reading)
        return;
    connection->reading = wanted;
    if (!wanted)
        uv_read_stop((uv_stream_t *)&connection->stream);
    else if (uv_read_start((uv_stream_t *)&connection->stream, offer_input, on_input) != 0)
        sotto_connection_close(connection);
}

/* One key for an IPv4 address, and one for an IPv6 /64, which is what one holder gets. */
static void read_address(struct sotto_connection *connection)
{
    struct sockaddr_storage peer = {0};
    int length = sizeof peer;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&peer;
    const struct sockaddr_in *four = (const struct sockaddr_in *)&peer;

    uv_tcp_getpeername(&connection->stream, (struct sockaddr *)&peer, &length);
    if (peer.ss_family == AF_INET)
        memcpy(connection->address, &four->sin_addr, sizeof four->sin_addr);
    else if (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
        memcpy(connection->address, six->sin6_addr.s6_addr + 12, sizeof four->sin_addr);
    else
        memcpy(connection->address, &six->sin6_addr, 8);
}

static struct sotto_connection *make(struct sotto_connections *all)
{
    struct sotto_connection *connection = calloc(1, sizeof *connection);

    if (connection == NULL)
        return NULL;
    connection->all = all;
    connection->next = all->first;
    if (all->first != NULL)
        all->first->previous = connection;
    all->first = connection;
    all->counters.connections_open++;
    all->counters.connections_total++;
    connection->handles = 2;
    uv_tcp_init(all->loop, &connection->stream);
    uv_timer_init(all->loop, &connection->timer);
    connection->stream.data = connection;
    connection->timer.data = connection;
    connection->output.stream = (uv_stream_t *)&connection->stream;
    connection->output.tls = &connection->tls;
    connection->output.moved = on_moved;
    connection->output.owner = connection;
    sotto_prescan_init(&connection->prescan);
    return connection;
}

struct sotto_connection *sotto_connection_open(struct sotto_connections *all, uv_stream_t *listener)
{
    struct sotto_connection *connection = make(all);

    if (connection == NULL)
        return NULL;
    if (uv_accept(listener, (uv_stream_t *)&connection->stream) != 0 ||
        sotto_tls_open(&connection->tls, all->tls) != SOTTO_OK) {
        sotto_connection_close(connection);
        return connection;
    }
    read_address(connection);
    uv_tcp_nodelay(&connection->stream, 1);
    uv_tcp_keepalive(&connection->stream, 1, KEEPALIVE_S);
    arm(connection, all->limits.header_timeout_ms);
    set_reading(connection);
    return connection;
}

void sotto_connection_stop(struct sotto_connection *connection)
{
    if (connection->closing || connection->place != SOTTO_CONNECTION_HEAD ||
        connection->prescan.block.length > 0)
        return;
    sotto_tls_end(&connection->tls);
    push(connection);
    sotto_connection_close(connection);
}
