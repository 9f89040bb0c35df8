/*
 * A certificate authority in memory and what it issues (RFC 5280). Only sotto_authority_read
 * touches the disk. Time is an argument; keys and serial numbers come from OpenSSL's own
 * generator, as they are never told again from a seed.
 *
 * Certificates begin one hour before `now_s`, so that a machine whose clock is a little late can
 * use its own at once.
 */
#ifndef SOTTO_CORE_NET_AUTHORITY_H
#define SOTTO_CORE_NET_AUTHORITY_H

#include "core/net/certificate.h"

enum {
    SOTTO_SUBJECT_PART_MAX = 63, /* characters of a common name or organisational unit */
    SOTTO_SERVER_NAMES_MAX = 16, /* host names and addresses in one server certificate */
    SOTTO_AUTHORITY_DAYS = 3650,
    SOTTO_CERTIFICATE_DAYS = 365,
    SOTTO_CLOCK_SKEW_S = 3600,
};

/* EC P-256, CA:TRUE, path length 0, keyCertSign. Holds a secret: sotto_authority_wipe. */
struct sotto_authority {
    struct sotto_certificate certificate;
    struct sotto_key key;
};

/*
 * Makes a self-signed authority, valid for SOTTO_AUTHORITY_DAYS.
 *
 *   common_name  in  1 .. SOTTO_SUBJECT_PART_MAX printable characters, for people
 *
 * SOTTO_MALFORMED: the name; SOTTO_IO: OpenSSL. The authority is zeroed.
 */
SOTTO_CHECKED enum sotto_status sotto_authority_make(struct sotto_authority *authority,
                                                     const char *common_name, uint64_t now_s,
                                                     struct sotto_fault *fault);

/*
 * Reads the two PEM files of an authority and checks that they belong together and that the
 * certificate may issue.
 *
 * SOTTO_NOT_FOUND, SOTTO_MALFORMED, SOTTO_MISMATCH (key and certificate), SOTTO_IO: the authority
 * is zeroed; the fault names the file.
 */
SOTTO_CHECKED enum sotto_status sotto_authority_read(struct sotto_authority *authority,
                                                     const char *certificate_path,
                                                     const char *key_path,
                                                     struct sotto_fault *fault);

void sotto_authority_wipe(struct sotto_authority *authority);

/* What a server certificate is for: serverAuth, SOTTO_CERTIFICATE_DAYS, a fresh P-256 key. */
struct sotto_server_subject {
    const char *const
        *names;        /* host names and IP addresses as text; the first is the common name */
    size_t name_count; /* 1 .. SOTTO_SERVER_NAMES_MAX */
    uint64_t now_s;
};

/*
 * SOTTO_MALFORMED: a name is empty, over-long or neither host name nor address, the fault names it;
 * SOTTO_IO: OpenSSL. Certificate and key are zeroed.
 */
SOTTO_CHECKED enum sotto_status sotto_authority_issue_server(
    const struct sotto_authority *authority, struct sotto_certificate *certificate,
    struct sotto_key *key, const struct sotto_server_subject *subject, struct sotto_fault *fault);

/* What a client certificate says of its holder: clientAuth, SOTTO_CERTIFICATE_DAYS. */
struct sotto_client_subject {
    const char *common_name;         /* 1 .. SOTTO_SUBJECT_PART_MAX printable characters */
    const char *organisational_unit; /* the same */
    const char *organisation;        /* to SOTTO_SUBJECT_ORGANISATION_MAX; NULL: none */
    uint64_t now_s;
};

/*
 * Issues a client certificate for the public key of a PKCS#10 request. The request must be signed
 * by that key, which proves its possession; its subject, attributes and wished-for extensions are
 * ignored.
 *
 *   request  in  DER, at most SOTTO_REQUEST_DER_MAX bytes, nothing after it
 *
 * SOTTO_MALFORMED: not a request, or a bad subject; SOTTO_FORGED: its signature is wrong;
 * SOTTO_REFUSED: its key is neither P-256 nor Ed25519; SOTTO_OVER_LIMIT; SOTTO_IO. The certificate
 * is zeroed.
 */
SOTTO_CHECKED enum sotto_status sotto_authority_issue_client(
    const struct sotto_authority *authority, struct sotto_certificate *certificate,
    struct sotto_view request, const struct sotto_client_subject *subject,
    struct sotto_fault *fault);

#endif
