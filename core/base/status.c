#include "core/base/status.h"

#include <stdarg.h>
#include <stdio.h>

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

enum sotto_status sotto_fault_set(struct sotto_fault *fault, enum sotto_status status,
                                  const char *format, ...)
{
    va_list arguments;

    if (fault == NULL)
        return status;
    fault->status = status;
    va_start(arguments, format);
    if (vsnprintf(fault->text, sizeof fault->text, format, arguments) < 0)
        fault->text[0] = '\0';
    va_end(arguments);
    return status;
}
