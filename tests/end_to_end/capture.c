/*
 * Preloaded into the coordinator by a test: appends every byte that TLS hands to it, after
 * decryption, to the file named by SOTTO_TEST_CAPTURE. What is not in there, the coordinator never
 * received.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/ssl.h>

static void keep(const void *bytes, size_t length)
{
    const char *path = getenv("SOTTO_TEST_CAPTURE");
    int descriptor = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;

    if (descriptor < 0 || write(descriptor, bytes, length) != (ssize_t)length)
        abort(); /* a capture with holes would prove nothing */
    close(descriptor);
}

int SSL_read(SSL *ssl, void *buffer, int length)
{
    static int (*original)(SSL *, void *, int);
    int got;

    if (!original)
        *(void **)&original = dlsym(RTLD_NEXT, "SSL_read");
    got = original(ssl, buffer, length);
    if (got > 0)
        keep(buffer, (size_t)got);
    return got;
}

int SSL_read_ex(SSL *ssl, void *buffer, size_t length, size_t *got)
{
    static int (*original)(SSL *, void *, size_t, size_t *);
    int result;

    if (!original)
        *(void **)&original = dlsym(RTLD_NEXT, "SSL_read_ex");
    result = original(ssl, buffer, length, got);
    if (result > 0)
        keep(buffer, *got);
    return result;
}
