#include "participant/channel/channel.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/cmocka.h"

enum { PEERS = SOTTO_PEER_COURIER + 1 };

/* Both ends, each believing to be who the test says. */
struct wire {
    struct sotto_channel *from;
    struct sotto_channel *to;
};

static struct wire wire_open(enum sotto_peer from, enum sotto_peer to)
{
    struct wire wire = {malloc(sizeof *wire.from), malloc(sizeof *wire.to)};
    int ends[2];

    assert_non_null(wire.from);
    assert_non_null(wire.to);
    assert_int_equal(sotto_channel_pair(ends), SOTTO_OK);
    sotto_channel_init(wire.from, ends[0], from, to);
    sotto_channel_init(wire.to, ends[1], to, from);
    return wire;
}

static void wire_close(struct wire *wire)
{
    close(wire->from->descriptor);
    close(wire->to->descriptor);
    free(wire->from);
    free(wire->to);
}

static size_t open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    size_t count = 0;

    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

/* Past the table: what a process that was taken over could send. */
static void send_raw(const struct sotto_channel *channel, uint8_t kind, const int *descriptors,
                     size_t count)
{
    union {
        struct cmsghdr header;
        uint8_t bytes[CMSG_SPACE(12 * sizeof(int))];
    } control = {.bytes = {0}};
    struct iovec part = {&kind, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    assert_in_range(count, 0, 12);
    if (count > 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        CMSG_FIRSTHDR(&message)->cmsg_level = SOL_SOCKET;
        CMSG_FIRSTHDR(&message)->cmsg_type = SCM_RIGHTS;
        CMSG_FIRSTHDR(&message)->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), descriptors, count * sizeof(int));
    }
    assert_int_equal(sendmsg(channel->descriptor, &message, 0), 1);
}

/* One row a letter, "from > to", as in channel.h. */
static const struct {
    enum sotto_letter_kind kind;
    enum sotto_peer from;
    enum sotto_peer to;
} permitted[] = {
    {SOTTO_LETTER_START, SOTTO_PEER_SUPERVISOR, SOTTO_PEER_TRAINER},
    {SOTTO_LETTER_START, SOTTO_PEER_SUPERVISOR, SOTTO_PEER_SEALER},
    {SOTTO_LETTER_START, SOTTO_PEER_SUPERVISOR, SOTTO_PEER_COURIER},
    {SOTTO_LETTER_NOTE, SOTTO_PEER_TRAINER, SOTTO_PEER_SUPERVISOR},
    {SOTTO_LETTER_NOTE, SOTTO_PEER_SEALER, SOTTO_PEER_SUPERVISOR},
    {SOTTO_LETTER_NOTE, SOTTO_PEER_COURIER, SOTTO_PEER_SUPERVISOR},
    {SOTTO_LETTER_READY, SOTTO_PEER_TRAINER, SOTTO_PEER_SEALER},
    {SOTTO_LETTER_LOAD, SOTTO_PEER_SEALER, SOTTO_PEER_TRAINER},
    {SOTTO_LETTER_LOADED, SOTTO_PEER_TRAINER, SOTTO_PEER_SEALER},
    {SOTTO_LETTER_TRAIN, SOTTO_PEER_SEALER, SOTTO_PEER_TRAINER},
    {SOTTO_LETTER_UPDATE, SOTTO_PEER_TRAINER, SOTTO_PEER_SEALER},
    {SOTTO_LETTER_ADOPT, SOTTO_PEER_SEALER, SOTTO_PEER_TRAINER},
    {SOTTO_LETTER_ADOPTED, SOTTO_PEER_TRAINER, SOTTO_PEER_SEALER},
    {SOTTO_LETTER_FAILED, SOTTO_PEER_TRAINER, SOTTO_PEER_SEALER},
    {SOTTO_LETTER_MAIL, SOTTO_PEER_COURIER, SOTTO_PEER_SEALER},
    {SOTTO_LETTER_FETCH, SOTTO_PEER_SEALER, SOTTO_PEER_COURIER},
    {SOTTO_LETTER_FETCHED, SOTTO_PEER_COURIER, SOTTO_PEER_SEALER},
    {SOTTO_LETTER_ANSWER, SOTTO_PEER_SEALER, SOTTO_PEER_COURIER},
    {SOTTO_LETTER_UPLOAD, SOTTO_PEER_SEALER, SOTTO_PEER_COURIER},
    {SOTTO_LETTER_LEAVE, SOTTO_PEER_SEALER, SOTTO_PEER_COURIER},
};

static bool is_permitted(unsigned from, unsigned to, unsigned kind)
{
    for (size_t row = 0; row < sizeof permitted / sizeof *permitted; row++)
        if (permitted[row].kind == kind && permitted[row].from == from && permitted[row].to == to)
            return true;
    return false;
}

static void table__every_way_and_kind__is_as_written_here(void **state)
{
    (void)state;
    for (unsigned from = 0; from < PEERS; from++)
        for (unsigned to = 0; to < PEERS; to++)
            for (unsigned kind = 0; kind < 32; kind++)
                assert_int_equal(sotto_channel_allows((enum sotto_peer)from, (enum sotto_peer)to,
                                                      (enum sotto_letter_kind)kind),
                                 is_permitted(from, to, kind));
}

/* 0 to 2 descriptors with every kind on every way, sent past the table; nothing may stay open. */
static void receive_all_kinds(const struct wire *wire, size_t descriptor_count)
{
    int descriptors[] = {STDIN_FILENO, STDIN_FILENO};
    size_t before = open_descriptors();

    for (unsigned kind = 0; kind < 32; kind++) {
        struct sotto_letter letter;
        enum sotto_status status = SOTTO_OK;

        send_raw(wire->from, (uint8_t)kind, descriptors, descriptor_count);
        status = sotto_channel_receive(wire->to, &letter, 0);
        if (!is_permitted(wire->from->self, wire->to->self, kind))
            assert_int_equal(status, SOTTO_REFUSED);
        if (status == SOTTO_OK && letter.descriptor >= 0)
            close(letter.descriptor);
        assert_true(status == SOTTO_OK || letter.descriptor == -1);
        assert_int_equal(open_descriptors(), before);
    }
}

static void receive__every_way_and_kind__leaks_no_descriptor(void **state)
{
    (void)state;
    for (unsigned from = 0; from < PEERS; from++)
        for (unsigned to = 0; to < PEERS; to++)
            for (size_t count = 0; count <= 2; count++) {
                struct wire wire = wire_open((enum sotto_peer)from, (enum sotto_peer)to);

                receive_all_kinds(&wire, count);
                wire_close(&wire);
            }
}

static void receive__too_many_descriptors__closes_them_all(void **state)
{
    struct wire wire = wire_open(SOTTO_PEER_TRAINER, SOTTO_PEER_SEALER);
    int descriptors[12] = {0};
    size_t before = open_descriptors();
    struct sotto_letter letter;

    (void)state;
    send_raw(wire.from, SOTTO_LETTER_UPDATE, descriptors, 12);
    assert_int_equal(sotto_channel_receive(wire.to, &letter, 0), SOTTO_MALFORMED);
    assert_int_equal(open_descriptors(), before);
    wire_close(&wire);
}

static void receive__descriptor_missing_or_uncalled_for__is_malformed(void **state)
{
    struct wire wire = wire_open(SOTTO_PEER_TRAINER, SOTTO_PEER_SEALER);
    int descriptor = STDIN_FILENO;
    struct sotto_letter letter;

    (void)state;
    send_raw(wire.from, SOTTO_LETTER_UPDATE, NULL, 0);
    assert_int_equal(sotto_channel_receive(wire.to, &letter, 0), SOTTO_MALFORMED);
    send_raw(wire.from, SOTTO_LETTER_READY, &descriptor, 1);
    assert_int_equal(sotto_channel_receive(wire.to, &letter, 0), SOTTO_MALFORMED);
    wire_close(&wire);
}

static void send__against_the_table__is_refused_before_it_leaves(void **state)
{
    struct wire wire = wire_open(SOTTO_PEER_COURIER, SOTTO_PEER_SEALER);
    struct sotto_letter letter = {.kind = SOTTO_LETTER_UPDATE, .descriptor = -1};

    (void)state;
    assert_int_equal(sotto_channel_send(wire.from, &letter), SOTTO_REFUSED);
    assert_int_equal(sotto_channel_receive(wire.to, &letter, 0), SOTTO_NOT_FOUND);
    wire_close(&wire);
    wire = wire_open(SOTTO_PEER_SEALER, SOTTO_PEER_COURIER);
    letter = (struct sotto_letter){.kind = SOTTO_LETTER_ANSWER, .descriptor = STDIN_FILENO};
    assert_int_equal(sotto_channel_send(wire.from, &letter), SOTTO_REFUSED);
    assert_int_equal(sotto_channel_receive(wire.to, &letter, 0), SOTTO_NOT_FOUND);
    wire_close(&wire);
}

static void letter__largest_body__arrives_whole(void **state)
{
    static uint8_t body[SOTTO_LETTER_BYTES_MAX + 1];
    struct wire wire = wire_open(SOTTO_PEER_COURIER, SOTTO_PEER_SEALER);
    struct sotto_letter letter = {.kind = SOTTO_LETTER_MAIL, .descriptor = -1};
    struct sotto_letter received;

    (void)state;
    memset(body, 0x6b, sizeof body);
    letter.body = sotto_view_of(body, SOTTO_LETTER_BYTES_MAX);
    assert_int_equal(sotto_channel_send(wire.from, &letter), SOTTO_OK);
    assert_int_equal(sotto_channel_receive(wire.to, &received, 0), SOTTO_OK);
    assert_true(sotto_view_equal(received.body, letter.body));
    letter.body.length++;
    assert_int_equal(sotto_channel_send(wire.from, &letter), SOTTO_OVER_LIMIT);
    wire_close(&wire);
}

static void receive__peer_gone__says_so(void **state)
{
    struct wire wire = wire_open(SOTTO_PEER_SUPERVISOR, SOTTO_PEER_SEALER);
    struct sotto_letter letter = {.kind = SOTTO_LETTER_NOTE, .descriptor = -1};

    (void)state;
    shutdown(wire.from->descriptor, SHUT_RDWR);
    assert_int_equal(sotto_channel_receive(wire.to, &letter, -1), SOTTO_IO);
    letter = (struct sotto_letter){.kind = SOTTO_LETTER_NOTE, .descriptor = -1};
    assert_int_equal(sotto_channel_send(wire.to, &letter), SOTTO_IO);
    wire_close(&wire);
}

static void receive__descriptor__is_closed_on_exec(void **state)
{
    struct wire wire = wire_open(SOTTO_PEER_TRAINER, SOTTO_PEER_SEALER);
    struct sotto_letter letter = {.kind = SOTTO_LETTER_UPDATE, .descriptor = STDIN_FILENO};

    (void)state;
    assert_int_equal(sotto_channel_send(wire.from, &letter), SOTTO_OK);
    assert_int_equal(sotto_channel_receive(wire.to, &letter, 0), SOTTO_OK);
    assert_true((fcntl(letter.descriptor, F_GETFD) & FD_CLOEXEC) != 0);
    close(letter.descriptor);
    wire_close(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table__every_way_and_kind__is_as_written_here),
        cmocka_unit_test(receive__every_way_and_kind__leaks_no_descriptor),
        cmocka_unit_test(receive__too_many_descriptors__closes_them_all),
        cmocka_unit_test(receive__descriptor_missing_or_uncalled_for__is_malformed),
        cmocka_unit_test(send__against_the_table__is_refused_before_it_leaves),
        cmocka_unit_test(letter__largest_body__arrives_whole),
        cmocka_unit_test(receive__peer_gone__says_so),
        cmocka_unit_test(receive__descriptor__is_closed_on_exec),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
