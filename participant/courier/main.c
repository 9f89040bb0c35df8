/*
 * sotto-courier: the only process of a site with sockets. Carries ciphertext, masked lanes and
 * public bytes between the sealer and the coordinator; can open neither examples nor keys. Started
 * by the supervisor.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "participant/channel/note.h"
#include "participant/channel/start.h"
#include "participant/confinement/confinement.h"
#include "participant/courier/errands.h"
#include "participant/courier/mailbox.h"

enum { CONNECT_TIMEOUT_MS = 10000, HOST_MAX = 256, EXIT_USAGE = 2 };

struct life {
    struct sotto_channel supervisor;
    struct sotto_channel sealer;
    struct sotto_courier_start start;
    struct sotto_mailbox mailbox;
    struct sotto_errands errands;
};

static enum sotto_status started(struct life *life, struct sotto_fault *fault)
{
    struct sotto_letter letter;
    enum sotto_status status = sotto_channel_receive(&life->supervisor, &letter, -1);

    if (status == SOTTO_OK)
        status = sotto_courier_start_decode(&life->start, letter.body);
    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "the courier was started with a malformed letter");
    return SOTTO_OK;
}

/* Credentials are read here, before the door is shut. */
static enum sotto_status clients_open(struct life *life, struct sotto_fault *fault)
{
    struct sotto_client_setup setup = {
        .url = life->start.url,
        .authority_path = life->start.authority,
        .certificate_path = life->start.certificate,
        .key_path = life->start.key,
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
    };
    enum sotto_status status = sotto_client_open(&life->mailbox.client, &setup, fault);

    if (status == SOTTO_OK)
        status = sotto_client_open(&life->errands.client, &setup, fault);
    return status;
}

static bool has_proxy(void)
{
    static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};

    for (size_t index = 0; index < sizeof names / sizeof *names; index++)
        if (getenv(names[index]) != NULL)
            return true;
    return false;
}

/* Is nothing to be looked up, so that no file need be opened any more? */
static bool is_numeric(const char *url)
{
    const char *host = strstr(url, "://");
    struct in6_addr address;
    char text[HOST_MAX];
    size_t length = 0;

    if (host == NULL || has_proxy())
        return false;
    host += strlen("://");
    if (*host == '[')
        length = strcspn(++host, "]");
    else
        length = strcspn(host, ":/");
    if (length >= sizeof text)
        return false;
    memcpy(text, host, length);
    text[length] = '\0';
    return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

static enum sotto_status confine(const struct life *life, struct sotto_fault *fault)
{
    struct sotto_confinement confinement = {
        .role = SOTTO_ROLE_COURIER,
        .is_degraded_allowed = life->start.is_degraded_allowed,
        .opens_nothing = is_numeric(life->start.url),
    };
    struct sotto_confinement resolving = {
        .role = SOTTO_ROLE_COURIER,
        .is_degraded_allowed = life->start.is_degraded_allowed,
        .readable = {"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf",
                     "/etc/gai.conf", "/etc/services"},
    };
    char layers[SOTTO_CONFINED_TEXT_MAX];
    enum sotto_status status =
        sotto_confine(layers, confinement.opens_nothing ? &confinement : &resolving, fault);

    if (status == SOTTO_OK)
        sotto_note_tell(&life->supervisor, SOTTO_NOTE_CONFINED, layers);
    return status;
}

/* A thread's body; when the sealer is gone the process has nothing left to do. */
static void *ask_for_mail(void *argument)
{
    struct sotto_mailbox *mailbox = argument;

    while (sotto_mailbox_ask(mailbox) == SOTTO_OK)
        continue;
    _exit(sotto_status_exit_code(SOTTO_IO));
}

static enum sotto_status serve(struct life *life, struct sotto_fault *fault)
{
    pthread_t mail;
    enum sotto_status status = SOTTO_OK;

    if (pthread_create(&mail, NULL, ask_for_mail, &life->mailbox) != 0)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory for a thread");
    while (status == SOTTO_OK) {
        struct sotto_letter letter;

        status = sotto_channel_receive(&life->sealer, &letter, -1);
        if (status == SOTTO_OK)
            status = sotto_errands_run(&life->errands, &letter);
        if (letter.descriptor >= 0)
            close(letter.descriptor);
    }
    return sotto_fault_set(fault, status, "the courier stops: %s", sotto_status_name(status));
}

static void seats_take(struct life *life)
{
    sotto_channel_init(&life->supervisor, SOTTO_SEAT_SUPERVISOR, SOTTO_PEER_COURIER,
                       SOTTO_PEER_SUPERVISOR);
    sotto_channel_init(&life->sealer, SOTTO_SEAT_FIRST, SOTTO_PEER_COURIER, SOTTO_PEER_SEALER);
    life->mailbox.sealer = life->errands.sealer = &life->sealer;
    life->mailbox.supervisor = life->errands.supervisor = &life->supervisor;
    sotto_entropy_init_system(&life->mailbox.entropy);
    sotto_entropy_init_system(&life->errands.entropy);
    sotto_clock_init_system(&life->errands.clock);
}

int main(void)
{
    struct life life = {0};
    struct sotto_fault fault = {0};
    enum sotto_status status = SOTTO_OK;

    if (!sotto_channel_is_seated()) {
        fprintf(stderr, "sotto-courier %s: is started by sotto-participant run\n", SOTTO_VERSION);
        return EXIT_USAGE;
    }
    seats_take(&life);
    status = started(&life, &fault);
    if (status == SOTTO_OK)
        status = clients_open(&life, &fault);
    if (status == SOTTO_OK)
        status = confine(&life, &fault);
    if (status == SOTTO_OK)
        status = serve(&life, &fault);
    if (status != SOTTO_IO)
        sotto_note_tell(&life.supervisor, SOTTO_NOTE_TROUBLE, fault.text);
    _exit(sotto_status_exit_code(status));
}
