#include "core/console/console.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/status.h"

/* Bytes of what is shown of a name or text, with its end. */
enum { SHOWN_MAX = 4096 };

int sotto_console_close(const char *program, int exit_code)
{
    int has_failed = fflush(stdout) != 0 || ferror(stdout);

    if (!has_failed || exit_code != 0)
        return exit_code;
    sotto_console_say("%s: cannot write to standard output: free some space where it goes, or send "
                      "it elsewhere",
                      program);
    return sotto_status_exit_code(SOTTO_IO);
}

/* exit() cannot be called again from here. */
static void at_exit(int exit_code, void *program)
{
    int code = sotto_console_close(program, exit_code);

    if (code != exit_code)
        _exit(code);
}

void sotto_console_open(const char *program)
{
    on_exit(at_exit, (void *)(uintptr_t)program);
}

/* Cut and made fit for a terminal. */
static void format_line(char line[SOTTO_FAULT_TEXT_MAX], const char *format, va_list arguments)
{
    char text[SOTTO_FAULT_TEXT_MAX];

    if (vsnprintf(text, sizeof text, format, arguments) < 0)
        text[0] = '\0';
    sotto_line_show(line, SOTTO_FAULT_TEXT_MAX, text);
}

void sotto_console_say(const char *format, ...)
{
    char line[SOTTO_FAULT_TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    format_line(line, format, arguments);
    va_end(arguments);
    fprintf(stderr, "%s\n", line);
}

void sotto_console_show(const char *text, size_t most)
{
    char line[SHOWN_MAX];
    size_t length = 0;

    sotto_line_show(line, sizeof line, text);
    while (line[length] != '\0' && (length < most || (line[length] & 0xc0) == 0x80))
        length++;
    printf("%.*s%s", (int)length, line, line[length] == '\0' ? "" : "...");
}

void sotto_console_refuse(const struct argp_state *state, const char *format, ...)
{
    char line[SOTTO_FAULT_TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    format_line(line, format, arguments);
    va_end(arguments);
    argp_failure(state, argp_err_exit_status, 0, "%s (--help tells more)", line);
}

uint64_t sotto_console_whole(const struct argp_state *state, const char *name, const char *text,
                             uint64_t least, uint64_t most)
{
    char *end = NULL;
    uint64_t value;

    errno = 0;
    value = strtoull(text, &end, 10);
    if (errno != 0 || text[0] < '0' || text[0] > '9' || *end != '\0' || value < least ||
        value > most)
        sotto_console_refuse(
            state, "--%s must be a whole number from %" PRIu64 " to %" PRIu64 ", not '%s'", name,
            least, most, text);
    return value;
}

double sotto_console_real(const struct argp_state *state, const char *name, const char *text)
{
    char *end = NULL;
    double value = strtod(text, &end);

    if (end == text || *end != '\0' || !isfinite(value) || value < 0)
        sotto_console_refuse(state, "--%s must be a number from 0 on, not '%s'", name, text);
    return value;
}
