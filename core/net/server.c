#include "core/net/server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/net/connection.h"

/* The kernel cuts the backlog to net.core.somaxconn. */
enum { BACKLOG = 4096, PORT_TEXT_MAX = 8, ADDRESS_BUCKETS = 4096 };

/* One address and its open connections. */
struct neighbour {
    struct neighbour *next;
    uint8_t address[SOTTO_ADDRESS_KEY_BYTES];
    uint32_t count;
};

struct sotto_server {
    uv_tcp_t listener;
    uv_timer_t grace;
    unsigned handles; /* open ones of libuv */
    uint16_t port;
    void (*closed)(void *context);
    void *context;
    struct sotto_connections connections;
    struct neighbour *neighbours[ADDRESS_BUCKETS]; /* by hash of the address */
};

void sotto_server_limits_init(struct sotto_server_limits *limits)
{
    *limits = (struct sotto_server_limits){
        .connections_max = 1024,
        .connections_per_address_max = 256,
        .body_bytes_max = UINT64_C(16) << 20,
        .header_timeout_ms = 10000,
        .idle_timeout_ms = 60000,
    };
}

/* The place of an address in the table, or that of the end of its list. FNV-1a. */
static struct neighbour **neighbour_find(struct sotto_server *server,
                                         const struct sotto_connection *one)
{
    struct neighbour **at;
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < sizeof one->address; i++)
        hash = (hash ^ one->address[i]) * 16777619u;
    at = &server->neighbours[(hash ^ hash >> 16) % ADDRESS_BUCKETS];
    while (*at != NULL && memcmp((*at)->address, one->address, sizeof one->address) != 0)
        at = &(*at)->next;
    return at;
}

/* Counts a connection in; the address's count, or UINT32_MAX without memory. */
static uint32_t neighbour_join(struct sotto_server *server, struct sotto_connection *one)
{
    struct neighbour **at = neighbour_find(server, one);

    if (*at == NULL) {
        *at = calloc(1, sizeof **at);
        if (*at == NULL)
            return UINT32_MAX;
        memcpy((*at)->address, one->address, sizeof one->address);
    }
    one->is_counted = true;
    return ++(*at)->count;
}

static void on_left(void *context, const struct sotto_connection *one)
{
    struct neighbour **at, *gone;

    if (!one->is_counted)
        return;
    at = neighbour_find(context, one);
    if (--(*at)->count > 0)
        return;
    gone = *at;
    *at = gone->next;
    free(gone);
}

static bool is_over_cap(struct sotto_server *server, struct sotto_connection *one)
{
    const struct sotto_connections *all = &server->connections;
    uint32_t same = neighbour_join(server, one);

    return all->counters.connections_open > all->limits.connections_max ||
           same > all->limits.connections_per_address_max;
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct sotto_server *server = listener->data;
    struct sotto_connections *all = &server->connections;
    struct sotto_connection *connection = NULL;

    if (status == 0)
        connection = sotto_connection_open(all, listener);
    if (connection == NULL) {
        if (all->log != NULL)
            sotto_log_write(all->log, SOTTO_LOG_WARNING, "cannot accept a connection: %s",
                            status == 0 ? "no memory" : uv_strerror(status));
        return;
    }
    if (!is_over_cap(server, connection))
        return;
    all->counters.refused_total++;
    sotto_connection_close(connection);
}

static enum sotto_status bind_fault(const struct sotto_server_setup *setup, int error,
                                    struct sotto_fault *fault)
{
    switch (error) {
    case EADDRINUSE:
        return sotto_fault_set(
            fault, SOTTO_BUSY,
            "port %u on %s is taken: stop the other program or choose another port", setup->port,
            setup->address);
    case EACCES:
        return sotto_fault_set(fault, SOTTO_REFUSED,
                               "port %u on %s needs a privilege: choose one from 1024 on",
                               setup->port, setup->address);
    case EADDRNOTAVAIL:
        return sotto_fault_set(fault, SOTTO_IO, "%s is not an address of this machine",
                               setup->address);
    }
    return sotto_fault_set(fault, SOTTO_IO, "cannot listen at port %u on %s: %s", setup->port,
                           setup->address, strerror(error));
}

/* Returns an errno value, or 0 and a socket that listens. */
static int listen_at(int *out, const struct addrinfo *address)
{
    int yes = 1;
    int no = 0;
    int error = 0;
    int descriptor =
        socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);

    if (descriptor < 0)
        return errno;
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (address->ai_family == AF_INET6)
        setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    if (bind(descriptor, address->ai_addr, address->ai_addrlen) == 0 &&
        listen(descriptor, BACKLOG) == 0) {
        *out = descriptor;
        return 0;
    }
    error = errno;
    close(descriptor);
    return error;
}

/* The socket is made here and not by libuv: a failure then leaves the loop no handle to close. */
static enum sotto_status open_socket(int *out, const struct sotto_server_setup *setup,
                                     struct sotto_fault *fault)
{
    struct addrinfo hints = {
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
        .ai_socktype = SOCK_STREAM,
    };
    struct addrinfo *address = NULL;
    char port[PORT_TEXT_MAX];
    int error = 0;

    snprintf(port, sizeof port, "%u", setup->port);
    if (getaddrinfo(setup->address, port, &hints, &address) != 0)
        return sotto_fault_set(fault, SOTTO_MALFORMED, "'%s' is not an IP address to listen at",
                               setup->address);
    error = listen_at(out, address);
    freeaddrinfo(address);
    return error ? bind_fault(setup, error, fault) : SOTTO_OK;
}

static uint16_t port_of(int descriptor)
{
    struct sockaddr_storage bound = {0};
    socklen_t length = sizeof bound;

    getsockname(descriptor, (struct sockaddr *)&bound, &length);
    return ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                             : ((struct sockaddr_in *)&bound)->sin_port);
}

static void block_broken_pipe_signal(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

/* The socket listens already: what libuv is asked for here can only fail by a bug. */
static void start(struct sotto_server *server, int descriptor)
{
    uv_loop_t *loop = server->connections.loop;
    int error = 0;

    server->port = port_of(descriptor);
    server->handles = 2;
    uv_tcp_init(loop, &server->listener);
    uv_timer_init(loop, &server->grace);
    server->listener.data = server;
    server->grace.data = server;
    error = uv_tcp_open(&server->listener, descriptor);
    assert(error == 0);
    error = uv_listen((uv_stream_t *)&server->listener, BACKLOG, on_connection);
    assert(error == 0);
}

enum sotto_status sotto_server_open(struct sotto_server **out,
                                    const struct sotto_server_setup *setup,
                                    struct sotto_fault *fault)
{
    struct sotto_tls_files files = {
        .certificate_path = setup->certificate_path,
        .key_path = setup->key_path,
        .client_authority_path = setup->client_authority_path,
    };
    int descriptor = -1;
    enum sotto_status status = SOTTO_OK;
    struct sotto_server *server = calloc(1, sizeof *server);

    *out = NULL;
    if (server == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory for a server");
    server->connections.loop = setup->loop;
    server->connections.limits = setup->limits;
    server->connections.routes = setup->routes;
    server->connections.log = setup->log;
    server->connections.left = on_left;
    server->connections.context = server;
    status = sotto_tls_server_open(&server->connections.tls, &files, fault);
    if (status == SOTTO_OK)
        status = open_socket(&descriptor, setup, fault);
    if (status != SOTTO_OK) {
        sotto_server_close(server);
        return status;
    }
    block_broken_pipe_signal();
    start(server, descriptor);
    *out = server;
    return SOTTO_OK;
}

uint16_t sotto_server_port(const struct sotto_server *server)
{
    return server->port;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct sotto_server *server = handle->data;

    if (--server->handles == 0 && server->closed)
        server->closed(server->context);
}

static void on_emptied(void *context)
{
    struct sotto_server *server = context;

    uv_close((uv_handle_t *)&server->grace, on_handle_closed);
}

static void on_grace_over(uv_timer_t *timer)
{
    struct sotto_server *server = timer->data;

    for (struct sotto_connection *at = server->connections.first; at; at = at->next)
        sotto_connection_close(at);
}

void sotto_server_stop(struct sotto_server *server, uint64_t grace_ms, void (*closed)(void *),
                       void *context)
{
    struct sotto_connections *all = &server->connections;

    server->closed = closed;
    server->context = context;
    all->stopping = true;
    all->emptied = on_emptied;
    uv_close((uv_handle_t *)&server->listener, on_handle_closed);
    if (all->first == NULL) {
        on_emptied(server);
        return;
    }
    uv_timer_start(&server->grace, on_grace_over, grace_ms, 0);
    for (struct sotto_connection *at = all->first; at; at = at->next)
        sotto_connection_stop(at);
}

void sotto_server_close(struct sotto_server *server)
{
    sotto_tls_server_close(server->connections.tls);
    free(server);
}

void sotto_server_counters(const struct sotto_server *server, struct sotto_server_counters *out)
{
    *out = server->connections.counters;
}
