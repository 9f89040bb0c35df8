/*
 * X.509 in memory: a certificate authority, the certificates that it issues, and the requests that ask for them
 * (RFC 5280; requests: RFC 2986). Nothing here touches the disk but the two functions called `read`.
 *
 * Time is an argument, in seconds of Unix time. Keys and serial numbers come from OpenSSL's own generator: they are
 * never told again from a seed, so a seeded source has no use here.
 *
 * Certificates begin one hour before `now_s`, so that a site whose clock is a little late can use its own at once.
 */
#ifndef SOTTO_CORE_NET_CERTIFICATE_H
#define SOTTO_CORE_NET_CERTIFICATE_H

#include "core/base/bytes.h"

enum {
    SOTTO_CERTIFICATE_DER_MAX = 4096,
    SOTTO_CERTIFICATE_PEM_MAX =
        5760, /* base64 of the above, line ends, the two label lines, a zero */
    SOTTO_REQUEST_DER_MAX = 1024,
    SOTTO_KEY_PEM_MAX = 512,
    SOTTO_SUBJECT_PART_MAX = 63, /* characters of a common name or organisational unit */
    SOTTO_SERVER_NAMES_MAX = 16, /* host names and addresses in one server certificate */
    SOTTO_AUTHORITY_DAYS = 3650,
    SOTTO_CERTIFICATE_DAYS = 365,
    SOTTO_CLOCK_SKEW_S = 3600,
};

/* One certificate, DER. Public. */
struct sotto_certificate {
    uint8_t der[SOTTO_CERTIFICATE_DER_MAX];
    size_t length;
};

/* A private key as PKCS#8 PEM, zero-terminated. Secret: passed by pointer, wiped by its owner with sotto_wipe. */
struct sotto_key {
    char pem[SOTTO_KEY_PEM_MAX];
};

/* A certificate authority: EC P-256, CA:TRUE, path length 0. Holds a secret: sotto_authority_wipe. */
struct sotto_authority {
    struct sotto_certificate certificate;
    struct sotto_key key;
};

enum sotto_key_kind { SOTTO_KEY_P256, SOTTO_KEY_ED25519 };

/*
 * Makes a self-signed authority, valid for SOTTO_AUTHORITY_DAYS.
 *
 *   authority    out
 *   common_name  in   1 .. SOTTO_SUBJECT_PART_MAX printable characters, for people
 *
 * SOTTO_MALFORMED: the name; SOTTO_IO: OpenSSL. The authority is zeroed.
 */
SOTTO_CHECKED enum sotto_status sotto_authority_make(struct sotto_authority *authority,
                                                     const char *common_name, uint64_t now_s,
                                                     struct sotto_fault *fault);

/*
 * Reads the two PEM files of an authority and checks that they belong together and that the certificate may issue.
 *
 * SOTTO_NOT_FOUND, SOTTO_MALFORMED, SOTTO_MISMATCH (key and certificate), SOTTO_IO: the authority is zeroed; the fault
 * names the file.
 */
SOTTO_CHECKED enum sotto_status sotto_authority_read(struct sotto_authority *authority,
                                                     const char *certificate_path,
                                                     const char *key_path,
                                                     struct sotto_fault *fault);

void sotto_authority_wipe(struct sotto_authority *authority);

/* What a server certificate is for: serverAuth, SOTTO_CERTIFICATE_DAYS, a fresh P-256 key. */
struct sotto_server_subject {
    const char *const *
        names; /* host names and IP addresses (either family), as text; the first is the common name */
    size_t name_count; /* 1 .. SOTTO_SERVER_NAMES_MAX */
    uint64_t now_s;
};

/*
 * SOTTO_MALFORMED: a name is empty, over-long or neither host name nor address; the fault names it. SOTTO_IO: OpenSSL.
 * Outputs are zeroed after a failure.
 */
SOTTO_CHECKED enum sotto_status sotto_authority_issue_server(
    const struct sotto_authority *authority, struct sotto_certificate *certificate,
    struct sotto_key *key, const struct sotto_server_subject *subject, struct sotto_fault *fault);

/* What a client certificate says of its holder: clientAuth, SOTTO_CERTIFICATE_DAYS. */
struct sotto_client_subject {
    const char *common_name;         /* 1 .. SOTTO_SUBJECT_PART_MAX printable characters */
    const char *organisational_unit; /* the same */
    uint64_t now_s;
};

/*
 * Issues a client certificate for the public key of a PKCS#10 request. The request must be signed by that key, which
 * proves its possession; its subject, attributes and wished-for extensions are ignored.
 *
 *   request  in  DER, at most SOTTO_REQUEST_DER_MAX bytes, nothing after it
 *
 * SOTTO_MALFORMED: not a request, or a bad subject; SOTTO_FORGED: its signature is wrong; SOTTO_REFUSED: its key is
 * neither P-256 nor Ed25519; SOTTO_OVER_LIMIT; SOTTO_IO. The certificate is zeroed after a failure.
 */
SOTTO_CHECKED enum sotto_status sotto_authority_issue_client(
    const struct sotto_authority *authority, struct sotto_certificate *certificate,
    struct sotto_view request, const struct sotto_client_subject *subject,
    struct sotto_fault *fault);

/*
 * Makes a key and a PKCS#10 request for it, with an empty subject: the issuer decides that.
 *
 *   key      out  wiped after a failure
 *   request  out  DER is appended; SOTTO_REQUEST_DER_MAX bytes of room always suffice
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
/* The first certificate of a PEM file. SOTTO_NOT_FOUND, SOTTO_MALFORMED, SOTTO_OVER_LIMIT, SOTTO_IO. */
SOTTO_CHECKED enum sotto_status sotto_certificate_read(struct sotto_certificate *certificate,
                                                       const char *path, struct sotto_fault *fault);

struct sotto_view sotto_certificate_der(const struct sotto_certificate *certificate);
/* The fingerprint that tokens and the roster use: SHA-256 of the DER. */
void sotto_certificate_digest(struct sotto_digest *digest,
                              const struct sotto_certificate *certificate);

/* The period in which a certificate is good, Unix time. */
struct sotto_certificate_period {
    uint64_t from_s;
    uint64_t until_s;
};
/* SOTTO_MALFORMED: not a certificate, or a year before 1970. */
SOTTO_CHECKED enum sotto_status sotto_certificate_period(
    struct sotto_certificate_period *period, const struct sotto_certificate *certificate);

/*
 * Checks what came back from an enrolment: `certificate` is for this key, issued by this authority, for clients, and
 * good at `now_s`.
 *
 * SOTTO_MISMATCH: another key; SOTTO_FORGED: another issuer, other use, or out of its period; SOTTO_MALFORMED.
 */
SOTTO_CHECKED enum sotto_status sotto_certificate_check(const struct sotto_certificate *certificate,
                                                        const struct sotto_key *key,
                                                        const struct sotto_certificate *authority,
                                                        uint64_t now_s, struct sotto_fault *fault);

#endif
