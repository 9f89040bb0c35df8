/*
 * What the server costs: memory of idle connections, and speed and processor time of one upload
 * over TLS on the loopback. The server runs in a process of its own, so that its figures are its
 * own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/core/net/peer.h"

enum {
    IDLE_COUNT = 500,
    MEGABYTE = 1024 * 1024,
    UPLOAD_MEGABYTES = 1024,
    POLL_COUNT = 2000,
};

/* The server in its child; alive until `leash` closes. */
struct served {
    pid_t child;
    int leash;
    struct hub hub; /* only what a peer needs: the port */
};

static double now_s(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void serve(int ready, int leash)
{
    static struct hub hub;
    struct hub_setup setup = hub_defaults();
    char none = 0;

    setup.limits.connections_per_address_max = IDLE_COUNT + 10;
    setup.limits.body_bytes_max = (uint64_t)UPLOAD_MEGABYTES * MEGABYTE;
    hub_open(&hub, &setup);
    if (write(ready, &hub.port, sizeof hub.port) != sizeof hub.port || read(leash, &none, 1) < 0)
        exit(1);
    hub_close(&hub);
    exit(0);
}

static void served_open(struct served *served)
{
    int ready[2];
    int leash[2];

    if (pipe(ready) != 0 || pipe(leash) != 0)
        exit(1);
    served->child = fork();
    if (served->child == 0) {
        close(leash[1]);
        serve(ready[1], leash[0]);
    }
    close(leash[0]);
    served->leash = leash[1];
    if (read(ready[0], &served->hub.port, sizeof served->hub.port) != sizeof served->hub.port)
        exit(1);
}

static void served_close(struct served *served)
{
    close(served->leash);
    waitpid(served->child, NULL, 0);
}

static size_t resident_kilobytes(const struct served *served)
{
    char path[64];
    char line[256];
    size_t kilobytes = 0;
    FILE *file = NULL;

    snprintf(path, sizeof path, "/proc/%d/status", served->child);
    file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmRSS: %zu kB", &kilobytes) == 1)
            break;
    if (file)
        fclose(file);
    return kilobytes;
}

static double processor_s(const struct served *served)
{
    clockid_t clock;
    struct timespec time = {0};

    if (clock_getcpuclockid(served->child, &clock) == 0)
        clock_gettime(clock, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void ask(struct peer *peer, const char *request)
{
    static char answer[PEER_ANSWER_MAX];

    peer_send(peer, request);
    if (peer_read_answer(peer, answer) != 200)
        exit(1);
}

static void measure_idle(struct served *served)
{
    static struct peer peers[IDLE_COUNT];
    size_t before = resident_kilobytes(served);
    double start = now_s();
    size_t after = 0;

    for (size_t index = 0; index < IDLE_COUNT; index++) {
        peer_open(&peers[index], &served->hub);
        ask(&peers[index], "GET /who HTTP/1.1\r\nHost: hub\r\n\r\n");
    }
    after = resident_kilobytes(served);
    printf("idle: %zu KiB without, %zu KiB with %d connections, %.1f KiB each; %.2f ms to connect "
           "and ask\n",
           before, after, IDLE_COUNT, (double)(after - before) / IDLE_COUNT,
           1e3 * (now_s() - start) / IDLE_COUNT);
    for (size_t index = 0; index < IDLE_COUNT; index++)
        peer_close(&peers[index]);
}

static void measure_upload(struct served *served)
{
    static char piece[MEGABYTE];
    static char answer[PEER_ANSWER_MAX];
    struct peer peer;
    double start = 0;
    double processor_start = 0;
    double seconds = 0;

    peer_open(&peer, &served->hub);
    start = now_s();
    processor_start = processor_s(served);
    snprintf(answer, sizeof answer,
             "PUT /count HTTP/1.1\r\nHost: hub\r\nContent-Length: %zu\r\n\r\n",
             (size_t)UPLOAD_MEGABYTES * MEGABYTE);
    peer_send(&peer, answer);
    for (size_t count = 0; count < UPLOAD_MEGABYTES; count++)
        peer_send_bytes(&peer, piece, sizeof piece);
    if (peer_read_answer(&peer, answer) != 200)
        exit(1);
    seconds = now_s() - start;
    printf("upload: %.0f MB/s, %.2f processor seconds a GB in the server, %zu KiB resident\n",
           1e-6 * UPLOAD_MEGABYTES * MEGABYTE / seconds,
           1e9 * (processor_s(served) - processor_start) / ((double)UPLOAD_MEGABYTES * MEGABYTE),
           resident_kilobytes(served));
    peer_close(&peer);
}

static void measure_requests(struct served *served)
{
    struct peer peer;
    double start = 0;

    peer_open(&peer, &served->hub);
    start = now_s();
    for (size_t count = 0; count < POLL_COUNT; count++)
        ask(&peer, "GET /who HTTP/1.1\r\nHost: hub\r\n\r\n");
    printf("requests: %.0f us each on one connection\n", 1e6 * (now_s() - start) / POLL_COUNT);
    peer_close(&peer);
}

int main(void)
{
    static struct served served;

    served_open(&served);
    measure_idle(&served);
    measure_upload(&served);
    measure_requests(&served);
    served_close(&served);
    return 0;
}
