/*
 * TLS 1.3 (RFC 8446) for a server, in memory: ciphertext is fed and taken as bytes, so that whoever
 * owns the socket decides when to read and how much may wait. A client certificate is asked for and
 * verified; its absence is allowed. No session tickets, no early data.
 */
#ifndef SOTTO_CORE_NET_TLS_H
#define SOTTO_CORE_NET_TLS_H

#include "core/base/bytes.h"

enum { SOTTO_TLS_RECORD_MAX = 16 * 1024 }; /* plaintext of one record */

struct ssl_ctx_st; /* OpenSSL's SSL_CTX and SSL */
struct ssl_st;

/* Who is at the other end, from the verified client certificate. */
struct sotto_caller {
    bool has_certificate;
    char common_name[64];
    char organisational_unit[64];    /* "site", "administrator" */
    struct sotto_digest certificate; /* SHA-256 of its DER */
};

struct sotto_tls_files {
    const char *certificate_path; /* PEM: the server's, then its issuers if any */
    const char *key_path;
    const char *client_authority_path; /* PEM; NULL: no client certificate is asked for */
};

/*
 * Loads everything; the files are not needed again. The chain that clients see ends with the client
 * authority when that issued the server's certificate too, so that they can find its fingerprint.
 *
 * SOTTO_NOT_FOUND, SOTTO_MALFORMED, SOTTO_MISMATCH (key and certificate), SOTTO_IO: *out is NULL;
 * the fault names the file.
 */
SOTTO_CHECKED enum sotto_status sotto_tls_server_open(struct ssl_ctx_st **out,
                                                      const struct sotto_tls_files *files,
                                                      struct sotto_fault *fault);
void sotto_tls_server_close(struct ssl_ctx_st *server);

/* One connection. */
struct sotto_tls {
    struct ssl_st *ssl;
    struct sotto_buffer returned; /* plaintext that was put back; memory from malloc */
};

enum sotto_tls_event {
    SOTTO_TLS_BYTES, /* plaintext was read */
    SOTTO_TLS_WANTS, /* all that was fed is read */
    SOTTO_TLS_ENDED, /* the peer said so */
    SOTTO_TLS_FAILED /* the output may hold an alert */
};

/* SOTTO_NO_MEMORY: tls->ssl is NULL. */
SOTTO_CHECKED enum sotto_status sotto_tls_open(struct sotto_tls *tls, struct ssl_ctx_st *server);
void sotto_tls_close(struct sotto_tls *tls); /* closing twice is harmless */

/* Ciphertext from the peer. SOTTO_NO_MEMORY: the connection cannot go on. */
SOTTO_CHECKED enum sotto_status sotto_tls_feed(struct sotto_tls *tls, struct sotto_view bytes);
size_t sotto_tls_unread(const struct sotto_tls *tls); /* fed or put back, and not yet read */

/* Appends plaintext to `out`, shaking hands first; one record at most, or what was put back. */
enum sotto_tls_event sotto_tls_read(struct sotto_tls *tls, struct sotto_buffer *out);
/*
 * Puts back what was read and may not be used yet: at most SOTTO_TLS_RECORD_MAX bytes, and only
 * what the last read gave. SOTTO_NO_MEMORY: the connection cannot go on.
 */
SOTTO_CHECKED enum sotto_status sotto_tls_put_back(struct sotto_tls *tls, struct sotto_view bytes);

/* Encrypts into the output. SOTTO_IO: before the handshake or after the end. */
SOTTO_CHECKED enum sotto_status sotto_tls_write(struct sotto_tls *tls, struct sotto_view bytes);
void sotto_tls_end(struct sotto_tls *tls); /* close_notify into the output */

/* Ciphertext for the peer, borrowed until the next call; then dropped. */
struct sotto_view sotto_tls_output(const struct sotto_tls *tls);
void sotto_tls_drop_output(struct sotto_tls *tls);

/* Gives back what a busy connection has grown. Only when nothing is unread and no output waits. */
void sotto_tls_shrink(struct sotto_tls *tls);

/* After the handshake. */
void sotto_tls_caller(const struct sotto_tls *tls, struct sotto_caller *caller);

#endif
