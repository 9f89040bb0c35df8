#include "core/wire/enrolment.h"

#include <string.h>

#include "core/base/base64.h"

enum { TOKEN_FIELD_COUNT = 6, REQUEST_FIELD_COUNT = 4, RESPONSE_FIELD_COUNT = 5 };
enum { TOKEN_BYTES_MAX = 512 };

/* An https address of visible ASCII: it is shown to a person and handed to the HTTP client. */
static bool is_address(const char *url)
{
    static const char scheme[] = "https://";

    if (strncmp(url, scheme, sizeof scheme - 1) != 0 || url[sizeof scheme - 1] == '\0')
        return false;
    for (const char *at = url; *at != '\0'; at++) {
        if (*at <= ' ' || *at >= 0x7f)
            return false;
    }
    return true;
}

enum sotto_status sotto_token_encode(char out[SOTTO_TOKEN_TEXT_MAX],
                                     const struct sotto_token *token)
{
    uint8_t bytes[TOKEN_BYTES_MAX];
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_packer packer;
    enum sotto_status status;

    sotto_message_begin(&packer, &buffer, SOTTO_MESSAGE_TOKEN, TOKEN_FIELD_COUNT);
    sotto_pack_text(&packer, token->url);
    sotto_pack_text(&packer, token->site);
    sotto_pack_text(&packer, token->organisation);
    sotto_pack_bytes(&packer, sotto_view_digest(&token->authority));
    sotto_pack_u64(&packer, token->expires_s);
    sotto_pack_bytes(&packer, sotto_view_of(token->secret, sizeof token->secret));
    status = sotto_packer_finish(&packer);
    if (status == SOTTO_OK)
        status = sotto_base64_encode(out, SOTTO_TOKEN_TEXT_MAX, sotto_view_buffer(&buffer));
    sotto_wipe(bytes, sizeof bytes);
    return status;
}

static enum sotto_status decode_token_bytes(struct sotto_token *token, struct sotto_view bytes)
{
    struct sotto_unpacker unpacker;

    sotto_message_open(&unpacker, bytes, TOKEN_BYTES_MAX, SOTTO_MESSAGE_TOKEN, TOKEN_FIELD_COUNT);
    sotto_unpack_text(&unpacker, token->url, sizeof token->url);
    sotto_unpack_name(&unpacker, token->site, sizeof token->site);
    sotto_unpack_organisation(&unpacker, token->organisation);
    sotto_unpack_exact(&unpacker, token->authority.bytes, sizeof token->authority.bytes);
    token->expires_s = sotto_unpack_u64(&unpacker, UINT64_MAX);
    sotto_unpack_exact(&unpacker, token->secret, sizeof token->secret);
    if (!is_address(token->url))
        sotto_unpacker_fail(&unpacker, SOTTO_MALFORMED);
    return sotto_unpacker_close(&unpacker);
}

enum sotto_status sotto_token_decode(struct sotto_token *token, const char *text)
{
    uint8_t bytes[TOKEN_BYTES_MAX];
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_token read = {0};
    enum sotto_status status = sotto_base64_decode(&buffer, text);

    if (status == SOTTO_OK)
        status = decode_token_bytes(&read, sotto_view_buffer(&buffer));
    if (status == SOTTO_OK)
        *token = read;
    sotto_wipe(&read, sizeof read);
    sotto_wipe(bytes, sizeof bytes);
    return status;
}

enum sotto_status sotto_enrol_request_encode(struct sotto_buffer *out,
                                             const struct sotto_enrol_request *request)
{
    struct sotto_packer packer;

    sotto_message_begin(&packer, out, SOTTO_MESSAGE_ENROL_REQUEST, REQUEST_FIELD_COUNT);
    sotto_pack_bytes(&packer, sotto_view_of(request->token_secret, sizeof request->token_secret));
    sotto_pack_bytes(&packer, request->certificate_request);
    sotto_pack_bytes(&packer, sotto_view_of(request->identity, sizeof request->identity));
    sotto_pack_bytes(&packer, sotto_view_of(request->signature, sizeof request->signature));
    return sotto_packer_finish(&packer);
}

/* A DER object, which is never empty. */
static struct sotto_view unpack_der(struct sotto_unpacker *unpacker)
{
    struct sotto_view der = sotto_unpack_bytes(unpacker, SOTTO_CERTIFICATE_BYTES_MAX);

    if (der.length == 0)
        sotto_unpacker_fail(unpacker, SOTTO_MALFORMED);
    return der;
}

enum sotto_status sotto_enrol_request_decode(struct sotto_enrol_request *request,
                                             struct sotto_view bytes)
{
    struct sotto_unpacker unpacker;
    struct sotto_enrol_request read = {0};
    enum sotto_status status;

    sotto_message_open(&unpacker, bytes, SOTTO_ENROL_BYTES_MAX, SOTTO_MESSAGE_ENROL_REQUEST,
                       REQUEST_FIELD_COUNT);
    sotto_unpack_exact(&unpacker, read.token_secret, sizeof read.token_secret);
    read.certificate_request = unpack_der(&unpacker);
    sotto_unpack_exact(&unpacker, read.identity, sizeof read.identity);
    sotto_unpack_exact(&unpacker, read.signature, sizeof read.signature);
    status = sotto_unpacker_close(&unpacker);
    if (status == SOTTO_OK)
        *request = read;
    sotto_wipe(&read, sizeof read);
    return status;
}

enum sotto_status sotto_enrol_response_encode(struct sotto_buffer *out,
                                              const struct sotto_enrol_response *response)
{
    struct sotto_packer packer;

    sotto_message_begin(&packer, out, SOTTO_MESSAGE_ENROL_RESPONSE, RESPONSE_FIELD_COUNT);
    sotto_pack_u64(&packer, response->id);
    sotto_pack_bytes(&packer, response->certificate);
    sotto_pack_bytes(&packer, response->authority);
    sotto_pack_bytes(&packer, sotto_view_of(response->coordinator, sizeof response->coordinator));
    sotto_pack_bytes(&packer, sotto_view_of(response->signature, sizeof response->signature));
    return sotto_packer_finish(&packer);
}

enum sotto_status sotto_enrol_response_decode(struct sotto_enrol_response *response,
                                              struct sotto_view bytes)
{
    struct sotto_unpacker unpacker;
    struct sotto_enrol_response read = {0};
    enum sotto_status status;

    sotto_message_open(&unpacker, bytes, SOTTO_ENROL_BYTES_MAX, SOTTO_MESSAGE_ENROL_RESPONSE,
                       RESPONSE_FIELD_COUNT);
    read.id = (uint32_t)sotto_unpack_u64(&unpacker, UINT32_MAX);
    read.certificate = unpack_der(&unpacker);
    read.authority = unpack_der(&unpacker);
    sotto_unpack_exact(&unpacker, read.coordinator, sizeof read.coordinator);
    sotto_unpack_exact(&unpacker, read.signature, sizeof read.signature);
    if (read.id == 0)
        sotto_unpacker_fail(&unpacker, SOTTO_MALFORMED);
    status = sotto_unpacker_close(&unpacker);
    if (status == SOTTO_OK)
        *response = read;
    return status;
}
