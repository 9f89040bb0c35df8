#include "core/base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/bytes.h"

const char *sotto_status_name(enum sotto_status status)
{
    switch (status) {
    case SOTTO_OK: return "ok";
    case SOTTO_MALFORMED: return "malformed";
    case SOTTO_FORGED: return "forged";
    case SOTTO_UNEXPECTED: return "unexpected";
    case SOTTO_OVER_LIMIT: return "over-limit";
    case SOTTO_MISMATCH: return "mismatch";
    case SOTTO_REFUSED: return "refused";
    case SOTTO_NOT_FOUND: return "not-found";
    case SOTTO_BUSY: return "busy";
    case SOTTO_UNSUPPORTED: return "unsupported";
    case SOTTO_NO_MEMORY: return "no-memory";
    case SOTTO_IO: return "io";
    }
    return "unknown";
}

/* The numbers are those of sysexits.h, which names them after mail. */
int sotto_status_exit_code(enum sotto_status status)
{
    switch (status) {
    case SOTTO_OK: return 0;
    case SOTTO_MALFORMED: return 65;
    case SOTTO_OVER_LIMIT: return 65;
    case SOTTO_NOT_FOUND: return 66;
    case SOTTO_UNSUPPORTED: return 69;
    case SOTTO_NO_MEMORY: return 71;
    case SOTTO_IO: return 74;
    case SOTTO_BUSY: return 75;
    case SOTTO_UNEXPECTED: return 76;
    case SOTTO_MISMATCH: return 76;
    case SOTTO_FORGED: return 77;
    case SOTTO_REFUSED: return 77;
    }
    return 1;
}

/* Bytes of the character that `text` begins with, 0 if a terminal may not get it. */
static size_t plain_length(const char *text)
{
    const unsigned char *bytes = (const unsigned char *)text;
    bool is_control = bytes[0] < 0x20 || bytes[0] == 0x7f || (bytes[0] == 0xc2 && bytes[1] < 0xa0);

    return is_control ? 0 : sotto_utf8_length(text);
}

void sotto_line_show(char *out, size_t capacity, const char *text)
{
    size_t filled = 0;

    while (*text != '\0') {
        size_t taken = plain_length(text);
        size_t length = taken > 0 ? taken : 4;
        char escape[8];

        snprintf(escape, sizeof escape, "\\x%02x", (unsigned char)*text);
        if (filled + length >= capacity)
            break;
        memcpy(out + filled, taken > 0 ? text : escape, length);
        filled += length;
        text += taken > 0 ? taken : 1;
    }
    out[filled] = '\0';
}

enum sotto_status sotto_fault_set(struct sotto_fault *fault, enum sotto_status status,
                                  const char *format, ...)
{
    char text[SOTTO_FAULT_TEXT_MAX];
    va_list arguments;

    if (fault == NULL)
        return status;
    fault->status = status;
    va_start(arguments, format);
    if (vsnprintf(text, sizeof text, format, arguments) < 0)
        text[0] = '\0';
    va_end(arguments);
    sotto_line_show(fault->text, sizeof fault->text, text);
    return status;
}
