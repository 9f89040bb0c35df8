/*
 * Enrolment. A token is one line of text, base64url of its encoding, that the administrator hands
 * to a site out of band. It names the coordinator's address, the fingerprint of its certificate
 * authority, and a single-use secret that expires. The site makes its keys, and sends the secret, a
 * PKCS#10 request for its TLS key, its identity key and a signature by that identity over the rest.
 */
#ifndef SOTTO_CORE_WIRE_ENROLMENT_H
#define SOTTO_CORE_WIRE_ENROLMENT_H

#include "core/base/bytes.h"
#include "core/wire/message.h"

enum {
    SOTTO_SITE_NAME_MAX = 63, /* a-z 0-9 - */
    SOTTO_ADDRESS_MAX = 255,
    SOTTO_CERTIFICATE_BYTES_MAX = 4096,
    SOTTO_TOKEN_TEXT_MAX = 640,
};

struct sotto_token {
    char url[SOTTO_ADDRESS_MAX + 1];               /* https://host:port */
    char site[SOTTO_SITE_NAME_MAX + 1];            /* the name that the administrator gave */
    char organisation[SOTTO_ORGANISATION_MAX + 1]; /* whom the administrator says it belongs to */
    struct sotto_digest authority; /* SHA-256 of the DER of the coordinator's CA certificate */
    uint64_t expires_s; /* Unix time, for the site's own message; the coordinator decides */
    uint8_t secret[32];
};

/* SOTTO_OVER_LIMIT: a field is too long; out is then unspecified. */
SOTTO_CHECKED enum sotto_status sotto_token_encode(char out[SOTTO_TOKEN_TEXT_MAX],
                                                   const struct sotto_token *token);

/*
 * One line, without spaces around it. SOTTO_MALFORMED, SOTTO_OVER_LIMIT, SOTTO_UNSUPPORTED (of
 * another version), SOTTO_NO_MEMORY: token untouched. Whether it has expired is not looked at.
 */
SOTTO_CHECKED enum sotto_status sotto_token_decode(struct sotto_token *token, const char *text);

struct sotto_enrol_request {
    uint8_t token_secret[32];
    struct sotto_view certificate_request; /* DER, borrowed */
    uint8_t identity[32];
    uint8_t
        signature[64]; /* by the identity: "sotto/1 enrol" || token_secret || certificate_request */
};

struct sotto_enrol_response {
    uint32_t id;
    struct sotto_view certificate; /* DER, borrowed */
    struct sotto_view authority;   /* DER, borrowed; its digest is the token's */
    uint8_t coordinator[32];       /* Ed25519 key that signs plans */
    uint8_t
        signature[64]; /* by that key over "sotto/1 admitted" || id || identity || certificate */
};

enum { SOTTO_ENROL_BYTES_MAX = 12 * 1024 };

/*
 * Encoding: SOTTO_OVER_LIMIT if out is too small. Decoding: SOTTO_MALFORMED, SOTTO_OVER_LIMIT,
 * SOTTO_UNSUPPORTED, SOTTO_NO_MEMORY, the output untouched; views borrow from `bytes`. Signatures
 * are for the caller to verify.
 */
SOTTO_CHECKED enum sotto_status sotto_enrol_request_encode(
    struct sotto_buffer *out, const struct sotto_enrol_request *request);
SOTTO_CHECKED enum sotto_status sotto_enrol_request_decode(struct sotto_enrol_request *request,
                                                           struct sotto_view bytes);
SOTTO_CHECKED enum sotto_status sotto_enrol_response_encode(
    struct sotto_buffer *out, const struct sotto_enrol_response *response);
SOTTO_CHECKED enum sotto_status sotto_enrol_response_decode(struct sotto_enrol_response *response,
                                                            struct sotto_view bytes);

#endif
