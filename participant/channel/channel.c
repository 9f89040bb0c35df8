#include "participant/channel/channel.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum carry { CARRIES_NOTHING, CARRIES_ONE, CARRIES_AT_MOST_ONE };

struct permission {
    enum sotto_letter_kind kind;
    enum sotto_peer from;
    enum sotto_peer to;
    enum carry carry;
};

static const struct permission permissions[] = {
    {SOTTO_LETTER_START, SOTTO_PEER_SUPERVISOR, SOTTO_PEER_TRAINER, CARRIES_NOTHING},
    {SOTTO_LETTER_START, SOTTO_PEER_SUPERVISOR, SOTTO_PEER_SEALER, CARRIES_ONE},
    {SOTTO_LETTER_START, SOTTO_PEER_SUPERVISOR, SOTTO_PEER_COURIER, CARRIES_NOTHING},
    {SOTTO_LETTER_NOTE, SOTTO_PEER_TRAINER, SOTTO_PEER_SUPERVISOR, CARRIES_NOTHING},
    {SOTTO_LETTER_NOTE, SOTTO_PEER_SEALER, SOTTO_PEER_SUPERVISOR, CARRIES_NOTHING},
    {SOTTO_LETTER_NOTE, SOTTO_PEER_COURIER, SOTTO_PEER_SUPERVISOR, CARRIES_NOTHING},
    {SOTTO_LETTER_READY, SOTTO_PEER_TRAINER, SOTTO_PEER_SEALER, CARRIES_NOTHING},
    {SOTTO_LETTER_LOAD, SOTTO_PEER_SEALER, SOTTO_PEER_TRAINER, CARRIES_ONE},
    {SOTTO_LETTER_LOADED, SOTTO_PEER_TRAINER, SOTTO_PEER_SEALER, CARRIES_NOTHING},
    {SOTTO_LETTER_TRAIN, SOTTO_PEER_SEALER, SOTTO_PEER_TRAINER, CARRIES_NOTHING},
    {SOTTO_LETTER_UPDATE, SOTTO_PEER_TRAINER, SOTTO_PEER_SEALER, CARRIES_ONE},
    {SOTTO_LETTER_ADOPT, SOTTO_PEER_SEALER, SOTTO_PEER_TRAINER, CARRIES_NOTHING},
    {SOTTO_LETTER_ADOPTED, SOTTO_PEER_TRAINER, SOTTO_PEER_SEALER, CARRIES_NOTHING},
    {SOTTO_LETTER_FAILED, SOTTO_PEER_TRAINER, SOTTO_PEER_SEALER, CARRIES_NOTHING},
    {SOTTO_LETTER_MAIL, SOTTO_PEER_COURIER, SOTTO_PEER_SEALER, CARRIES_AT_MOST_ONE},
    {SOTTO_LETTER_FETCH, SOTTO_PEER_SEALER, SOTTO_PEER_COURIER, CARRIES_NOTHING},
    {SOTTO_LETTER_FETCHED, SOTTO_PEER_COURIER, SOTTO_PEER_SEALER, CARRIES_AT_MOST_ONE},
    {SOTTO_LETTER_ANSWER, SOTTO_PEER_SEALER, SOTTO_PEER_COURIER, CARRIES_NOTHING},
    {SOTTO_LETTER_UPLOAD, SOTTO_PEER_SEALER, SOTTO_PEER_COURIER, CARRIES_ONE},
    {SOTTO_LETTER_LEAVE, SOTTO_PEER_SEALER, SOTTO_PEER_COURIER, CARRIES_NOTHING},
};

/*
 * Room for more descriptors than are allowed, so that a peer that sends several is seen and all are
 * closed.
 */
enum { DESCRIPTORS_SEEN_MAX = 8 };

union control {
    struct cmsghdr header;
    uint8_t bytes[CMSG_SPACE(sizeof(int) * DESCRIPTORS_SEEN_MAX)];
};

static const struct permission *permission_find(enum sotto_peer from, enum sotto_peer to,
                                                unsigned kind)
{
    for (size_t row = 0; row < sizeof permissions / sizeof *permissions; row++) {
        const struct permission *permission = &permissions[row];

        if (permission->kind == kind && permission->from == from && permission->to == to)
            return permission;
    }
    return NULL;
}

static bool carries(const struct permission *permission, size_t descriptor_count)
{
    switch (permission->carry) {
    case CARRIES_NOTHING: return descriptor_count == 0;
    case CARRIES_ONE: return descriptor_count == 1;
    case CARRIES_AT_MOST_ONE: return descriptor_count <= 1;
    }
    return false;
}

bool sotto_channel_allows(enum sotto_peer from, enum sotto_peer to, enum sotto_letter_kind kind)
{
    return permission_find(from, to, (unsigned)kind) != NULL;
}

bool sotto_channel_is_seated(void)
{
    int type = 0;
    socklen_t length = sizeof type;

    return getsockopt(SOTTO_SEAT_SUPERVISOR, SOL_SOCKET, SO_TYPE, &type, &length) == 0 &&
           type == SOCK_SEQPACKET;
}

enum sotto_status sotto_channel_pair(int descriptors[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, descriptors) == 0 ? SOTTO_OK
                                                                                   : SOTTO_IO;
}

void sotto_channel_init(struct sotto_channel *channel, int descriptor, enum sotto_peer self,
                        enum sotto_peer peer)
{
    channel->descriptor = descriptor;
    channel->self = self;
    channel->peer = peer;
}

static void control_put(struct msghdr *message, union control *control, int descriptor)
{
    struct cmsghdr *header = NULL;

    memset(control, 0, sizeof *control);
    message->msg_control = control->bytes;
    message->msg_controllen = CMSG_SPACE(sizeof(int));
    header = CMSG_FIRSTHDR(message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
}

enum sotto_status sotto_channel_send(const struct sotto_channel *channel,
                                     const struct sotto_letter *letter)
{
    const struct permission *permission =
        permission_find(channel->self, channel->peer, (unsigned)letter->kind);
    uint8_t kind = (uint8_t)letter->kind;
    struct iovec parts[2] = {{&kind, 1}, {(void *)(uintptr_t)letter->body.at, letter->body.length}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    union control control;
    ssize_t sent = 0;

    if (permission == NULL || !carries(permission, letter->descriptor >= 0))
        return SOTTO_REFUSED;
    if (letter->body.length > SOTTO_LETTER_BYTES_MAX)
        return SOTTO_OVER_LIMIT;
    if (letter->descriptor >= 0)
        control_put(&message, &control, letter->descriptor);
    do
        sent = sendmsg(channel->descriptor, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? SOTTO_IO : SOTTO_OK;
}

/* Takes out every descriptor that came along: the first to *descriptor, the others are closed. */
static size_t control_take(struct msghdr *message, int *descriptor)
{
    size_t count = 0;

    for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at != NULL; at = CMSG_NXTHDR(message, at)) {
        size_t here = (at->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t index = 0; index < here; index++, count++) {
            int taken = -1;

            memcpy(&taken, CMSG_DATA(at) + index * sizeof taken, sizeof taken);
            if (count == 0)
                *descriptor = taken;
            else
                close(taken);
        }
    }
    return count;
}

static enum sotto_status wait_for(int descriptor, int timeout_ms)
{
    struct pollfd poll_for = {.fd = descriptor, .events = POLLIN};
    int ready = 0;

    do
        ready = poll(&poll_for, 1, timeout_ms);
    while (ready < 0 && errno == EINTR);
    if (ready < 0)
        return SOTTO_IO;
    return ready == 0 ? SOTTO_NOT_FOUND : SOTTO_OK;
}

static enum sotto_status letter_judge(const struct sotto_channel *channel,
                                      const struct msghdr *message, size_t length,
                                      size_t descriptor_count)
{
    const struct permission *permission = NULL;

    if ((message->msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
        return SOTTO_MALFORMED;
    assert(length >= 1);
    permission = permission_find(channel->peer, channel->self, channel->inbox[0]);
    if (permission == NULL)
        return SOTTO_REFUSED;
    return carries(permission, descriptor_count) ? SOTTO_OK : SOTTO_MALFORMED;
}

enum sotto_status sotto_channel_receive(struct sotto_channel *channel, struct sotto_letter *letter,
                                        int timeout_ms)
{
    struct iovec part = {channel->inbox, sizeof channel->inbox};
    union control control = {0};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    enum sotto_status status = wait_for(channel->descriptor, timeout_ms);
    int descriptor = -1;
    size_t descriptor_count = 0;
    ssize_t length = 0;

    *letter = (struct sotto_letter){.descriptor = -1};
    if (status != SOTTO_OK)
        return status;
    do
        length = recvmsg(channel->descriptor, &message, MSG_CMSG_CLOEXEC);
    while (length < 0 && errno == EINTR);
    if (length < 0)
        return SOTTO_IO;
    descriptor_count = control_take(&message, &descriptor);
    status =
        length == 0 ? SOTTO_IO : letter_judge(channel, &message, (size_t)length, descriptor_count);
    if (status != SOTTO_OK) {
        if (descriptor >= 0)
            close(descriptor);
        return status;
    }
    letter->kind = (enum sotto_letter_kind)channel->inbox[0];
    letter->body = sotto_view_of(channel->inbox + 1, (size_t)length - 1);
    letter->descriptor = descriptor;
    return SOTTO_OK;
}
