#include "core/base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "core/base/status.h"

enum { LINE_MAX_BYTES = 1024 };

static const char *level_name(enum sotto_log_level level)
{
    switch (level) {
    case SOTTO_LOG_ERROR: return "error";
    case SOTTO_LOG_WARNING: return "warning";
    case SOTTO_LOG_INFO: return "info";
    case SOTTO_LOG_DEBUG: return "debug";
    }
    return "unknown";
}

/* Writes `2026-01-31T12:00:00.000Z level program: ` and returns its length. */
static size_t format_prefix(char line[LINE_MAX_BYTES], const struct sotto_log *log,
                            enum sotto_log_level level)
{
    struct timespec now = {0};
    struct tm broken = {0};
    size_t length;
    int written;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &broken);
    length = strftime(line, LINE_MAX_BYTES, "%Y-%m-%dT%H:%M:%S", &broken);
    written = snprintf(line + length, LINE_MAX_BYTES / 2 - length,
                       ".%03ldZ %s %s: ", now.tv_nsec / 1000000, level_name(level), log->program);
    if (written < 0)
        return length;
    return strlen(line);
}

void sotto_log_init(struct sotto_log *log, FILE *stream, const char *program)
{
    *log = (struct sotto_log){.stream = stream, .program = program, .level_max = SOTTO_LOG_INFO};
}

void sotto_log_write(const struct sotto_log *log, enum sotto_log_level level, const char *format,
                     ...)
{
    char line[LINE_MAX_BYTES];
    char text[LINE_MAX_BYTES];
    va_list arguments;
    size_t length;

    if (level > log->level_max)
        return;
    length = format_prefix(line, log, level);
    va_start(arguments, format);
    if (vsnprintf(text, sizeof text, format, arguments) < 0)
        text[0] = '\0';
    va_end(arguments);
    sotto_line_show(line + length, sizeof line - length - 1, text);
    length = strlen(line);
    line[length] = '\n';
    fwrite(line, 1, length + 1, log->stream);
    fflush(log->stream);
}
