/*
 * One X.509 certificate in memory (RFC 5280), and the request that asks for one (PKCS#10, RFC
 * 2986). Time is an argument, in seconds of Unix time. Who issues: core/net/authority.h.
 */
#ifndef SOTTO_CORE_NET_CERTIFICATE_H
#define SOTTO_CORE_NET_CERTIFICATE_H

#include "core/net/key.h"

enum {
    SOTTO_CERTIFICATE_DER_MAX = 4096,
    SOTTO_CERTIFICATE_PEM_MAX = 5760, /* base64 of that, line ends, the two label lines, a zero */
    SOTTO_REQUEST_DER_MAX = 1024,
    SOTTO_SUBJECT_ORGANISATION_MAX = 64, /* characters; RFC 5280, ub-organization-name */
};

/* DER. Public. */
struct sotto_certificate {
    uint8_t der[SOTTO_CERTIFICATE_DER_MAX];
    size_t length;
};

/* The time in which a certificate is good, Unix time. */
struct sotto_certificate_period {
    uint64_t from_s;
    uint64_t until_s;
};

/*
 * Makes a key and a PKCS#10 request for it, with an empty subject: the issuer decides that.
 *
 *   key      out    zeroed after a failure
 *   request  inout  DER is appended; SOTTO_REQUEST_DER_MAX bytes of room always suffice
 *
 * SOTTO_OVER_LIMIT: no room in `request`; SOTTO_IO: OpenSSL.
 */
SOTTO_CHECKED enum sotto_status sotto_certificate_request_make(struct sotto_key *key,
                                                               struct sotto_buffer *request,
                                                               enum sotto_key_kind kind,
                                                               struct sotto_fault *fault);

/* SOTTO_MALFORMED: not exactly one certificate; SOTTO_OVER_LIMIT; *certificate is as before. */
SOTTO_CHECKED enum sotto_status sotto_certificate_from_der(struct sotto_certificate *certificate,
                                                           struct sotto_view der);
/* The first certificate of a PEM text; the same statuses. */
SOTTO_CHECKED enum sotto_status sotto_certificate_from_pem(struct sotto_certificate *certificate,
                                                           struct sotto_view pem);
/* Zero-terminated. */
void sotto_certificate_to_pem(char out[SOTTO_CERTIFICATE_PEM_MAX],
                              const struct sotto_certificate *certificate);
/*
 * The first certificate of a PEM file. SOTTO_NOT_FOUND, SOTTO_MALFORMED, SOTTO_OVER_LIMIT,
 * SOTTO_IO: *certificate is as before and the fault names the file.
 */
SOTTO_CHECKED enum sotto_status sotto_certificate_read(struct sotto_certificate *certificate,
                                                       const char *path, struct sotto_fault *fault);

struct sotto_view sotto_certificate_der(const struct sotto_certificate *certificate);

/* The fingerprint that tokens and the roster use: SHA-256 of the DER. */
void sotto_certificate_digest(struct sotto_digest *digest,
                              const struct sotto_certificate *certificate);

/* SOTTO_MALFORMED: not a certificate, or a date before 1970; *period is as before. */
SOTTO_CHECKED enum sotto_status sotto_certificate_period(
    struct sotto_certificate_period *period, const struct sotto_certificate *certificate);

/*
 * The organisation in a certificate's subject.
 *
 *   out  out  [SOTTO_SUBJECT_ORGANISATION_MAX + 1] with a terminating zero; "": it names none
 *
 * SOTTO_MALFORMED: not a certificate, or a name with a zero in it; out untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_certificate_organisation(
    char *out, const struct sotto_certificate *certificate);

/* Who checks what, and when. */
struct sotto_certificate_terms {
    const struct sotto_key *key;               /* the holder's own */
    const struct sotto_certificate *authority; /* the one issuer that counts */
    uint64_t now_s;
};

/*
 * Checks a client certificate that came back from an enrolment: it is for this key, issued by this
 * authority, for clients, and good now.
 *
 * SOTTO_MISMATCH: another key; SOTTO_FORGED: another issuer, another use, or out of its period;
 * SOTTO_MALFORMED: one of the three does not parse.
 */
SOTTO_CHECKED enum sotto_status sotto_certificate_check(const struct sotto_certificate *certificate,
                                                        const struct sotto_certificate_terms *terms,
                                                        struct sotto_fault *fault);

#endif
