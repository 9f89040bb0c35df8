#include "tests/coordinator/serving.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coordinator/program/init.h"
#include "coordinator/program/serve.h"
#include "coordinator/program/settings.h"
#include "core/net/certificate.h"
#include "core/wire/enrolment.h"
#include "crypto/primitives/ed25519.h"
#include "tests/support/cmocka.h"

static unsigned free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int probe = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(probe, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(probe, (struct sockaddr *)&address, &length), 0);
    close(probe);
    return ntohs(address.sin_port);
}

static void program_serve(const struct serving *serving, int log_pipe)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(log_pipe, STDERR_FILENO);
    close(log_pipe);
    execl(serving->program, "sotto-coordinator", "serve", "--state", serving->state, (char *)NULL);
    _exit(127);
}

static void serve(const char *state, int log_pipe)
{
    struct sotto_fault fault = {0};
    struct sotto_log log;
    int signal_number;
    enum sotto_status status;
    FILE *stream = fdopen(log_pipe, "w");

    setvbuf(stream, NULL, _IONBF, 0);
    sotto_log_init(&log, stream, "test");
    status = sotto_serve_run(state, &log, &signal_number, &fault);
    fprintf(stream, "ended: %s\n", fault.text);
    _exit(status == SOTTO_OK ? 0 : 1);
}

/* It serves once its log says so. */
void serving_start(struct serving *serving)
{
    int pipes[2];
    char line[512] = "";
    FILE *log;

    assert_int_equal(pipe(pipes), 0);
    serving->child = fork();
    assert_int_not_equal(serving->child, -1);
    if (serving->child == 0) {
        close(pipes[0]);
        if (serving->program != NULL)
            program_serve(serving, pipes[1]);
        serve(serving->state, pipes[1]);
    }
    close(pipes[1]);
    log = fdopen(pipes[0], "r");
    while (fgets(line, sizeof line, log) != NULL && strstr(line, "serving") == NULL)
        if (strstr(line, "ended") != NULL)
            fail_msg("%s", line);
    /* The log goes on into a pipe that nobody reads: a few lines fit. */
    if (strstr(line, "serving") == NULL)
        fail_msg("the coordinator did not start");
}

void serving_kill(struct serving *serving)
{
    int status;

    kill(serving->child, SIGKILL);
    assert_int_equal(waitpid(serving->child, &status, 0), serving->child);
}

static struct sotto_client *client_open(struct serving *serving, const char *certificate,
                                        const char *key)
{
    struct folder_path authority = folder_path(&serving->folder, "hub/admin/ca.pem");
    struct sotto_client_setup setup = {.url = serving->url,
                                       .authority_path = authority.text,
                                       .certificate_path = certificate,
                                       .key_path = key,
                                       .connect_timeout_ms = 60000};
    struct sotto_client *client;
    struct sotto_fault fault;

    if (sotto_client_open(&client, &setup, &fault) != SOTTO_OK)
        fail_msg("%s", fault.text);
    return client;
}

static void config_write(struct serving *serving, uint32_t connections_per_address)
{
    char address[] = "127.0.0.1";
    struct sotto_settings settings = {.address = address,
                                      .port = (uint16_t)serving->port,
                                      .url = serving->url,
                                      .connections_per_address = connections_per_address};

    assert_int_equal(sotto_settings_create(serving->state, &settings, NULL), SOTTO_OK);
}

struct serving *serving_open(void)
{
    return serving_open_for(0, NULL);
}

struct serving *serving_open_for(uint32_t connections_per_address, const char *program)
{
    static const char *const hosts[] = {"127.0.0.1"};
    struct serving *serving = calloc(1, sizeof *serving);
    struct sotto_init init = {.hosts = hosts, .host_count = 1};
    struct folder_path certificate, key;
    struct sotto_fault fault;

    assert_non_null(serving);
    folder_open(&serving->folder);
    serving->port = free_port();
    snprintf(serving->state, sizeof serving->state, "%s/hub", serving->folder.path);
    snprintf(serving->url, sizeof serving->url, "https://127.0.0.1:%u", serving->port);
    init.folder = serving->state;
    init.port = (uint16_t)serving->port;
    if (sotto_init_run(&init, &fault) != SOTTO_OK)
        fail_msg("%s", fault.text);
    serving->program = program;
    config_write(serving, connections_per_address);
    serving_start(serving);
    certificate = folder_path(&serving->folder, "hub/admin/admin.pem");
    key = folder_path(&serving->folder, "hub/admin/admin.key");
    serving->administrator = client_open(serving, certificate.text, key.text);
    serving->stranger = client_open(serving, NULL, NULL);
    return serving;
}

void serving_close(struct serving *serving)
{
    sotto_client_close(serving->administrator);
    sotto_client_close(serving->stranger);
    serving_kill(serving);
    folder_close(&serving->folder);
    free(serving);
}

struct serving_answer serving_ask(struct sotto_client *client, const char *method, const char *path,
                                  struct sotto_view body)
{
    struct sotto_exchange exchange = {
        .method = method, .path = path, .body = body, .timeout_ms = 20000, .answer_max = 1 << 20};
    struct serving_answer answer = {0};
    struct sotto_fault fault;

    if (sotto_client_exchange(client, &exchange, &fault) != SOTTO_OK)
        fail_msg("%s %s: %s", method, path, fault.text);
    answer.status = exchange.status;
    snprintf(answer.text, sizeof answer.text, "%s", (const char *)exchange.answer);
    free(exchange.answer);
    return answer;
}

void serving_token(struct serving *serving, const char *site, uint8_t secret[32])
{
    char body[128], *end, *begin;
    struct sotto_token token;
    struct serving_answer answer;

    snprintf(body, sizeof body, "{\"site\": \"%s\", \"ttl_s\": 60}", site);
    answer = serving_ask(serving->administrator, "POST", "/v1/admin/tokens", sotto_view_text(body));
    assert_int_equal(answer.status, 200);
    begin = strstr(answer.text, "\"token\":\"");
    assert_non_null(begin);
    begin += strlen("\"token\":\"");
    end = strchr(begin, '"');
    *end = '\0';
    assert_int_equal(sotto_token_decode(&token, begin), SOTTO_OK);
    assert_string_equal(token.site, site);
    assert_string_equal(token.url, serving->url);
    memcpy(secret, token.secret, sizeof token.secret);
}

size_t serving_request(struct serving *serving, const char *site, const uint8_t secret[32],
                       uint8_t *out, size_t capacity)
{
    uint8_t der[SOTTO_REQUEST_DER_MAX], message[32 + SOTTO_REQUEST_DER_MAX];
    struct sotto_buffer request_der = sotto_buffer_of(der, sizeof der);
    struct sotto_buffer buffer = sotto_buffer_of(out, capacity);
    struct sotto_enrol_request request = {0};
    struct sotto_secret identity = {{0}};
    struct sotto_ed25519_public identity_public;
    struct sotto_signature signature;
    struct sotto_key key;
    char name[64];

    assert_int_equal(sotto_certificate_request_make(&key, &request_der, SOTTO_KEY_P256, NULL),
                     SOTTO_OK);
    snprintf(name, sizeof name, "%s.key", site);
    folder_write(&serving->folder, name, sotto_view_text(key.pem));
    memcpy(message, secret, 32);
    memcpy(message + 32, der, request_der.length);
    snprintf((char *)identity.bytes, sizeof identity.bytes, "%s", site);
    sotto_sign(&signature, &identity, "sotto/1 enrol",
               sotto_view_of(message, 32 + request_der.length));
    sotto_ed25519_public_of(&identity_public, &identity);
    memcpy(request.token_secret, secret, sizeof request.token_secret);
    memcpy(request.identity, identity_public.bytes, sizeof request.identity);
    memcpy(request.signature, signature.bytes, sizeof request.signature);
    request.certificate_request = sotto_view_buffer(&request_der);
    assert_int_equal(sotto_enrol_request_encode(&buffer, &request), SOTTO_OK);
    return buffer.length;
}

static void certificate_keep(struct serving *serving, const char *site, struct sotto_view bytes)
{
    struct sotto_enrol_response response;
    struct sotto_certificate certificate;
    char pem[SOTTO_CERTIFICATE_PEM_MAX], name[64];

    assert_int_equal(sotto_enrol_response_decode(&response, bytes), SOTTO_OK);
    assert_int_equal(sotto_certificate_from_der(&certificate, response.certificate), SOTTO_OK);
    sotto_certificate_to_pem(pem, &certificate);
    memcpy(serving->coordinator, response.coordinator, sizeof serving->coordinator);
    snprintf(name, sizeof name, "%s.pem", site);
    folder_write(&serving->folder, name, sotto_view_text(pem));
}

struct sotto_client *serving_enrol(struct serving *serving, const char *site)
{
    uint8_t secret[32], bytes[SOTTO_ENROL_BYTES_MAX];
    struct sotto_exchange exchange = {
        .method = "POST", .path = "/v1/enrol", .timeout_ms = 20000, .answer_max = 1 << 16};
    struct folder_path certificate, key;
    char name[64];

    serving_token(serving, site, secret);
    exchange.body =
        sotto_view_of(bytes, serving_request(serving, site, secret, bytes, sizeof bytes));
    assert_int_equal(sotto_client_exchange(serving->stranger, &exchange, NULL), SOTTO_OK);
    assert_int_equal(exchange.status, 200);
    certificate_keep(serving, site, sotto_view_of(exchange.answer, exchange.answer_length));
    free(exchange.answer);
    snprintf(name, sizeof name, "%s.pem", site);
    certificate = folder_path(&serving->folder, name);
    snprintf(name, sizeof name, "%s.key", site);
    key = folder_path(&serving->folder, name);
    return client_open(serving, certificate.text, key.text);
}
