/*
 * The one log: a line per event on a stream, `2026-01-31T12:00:00.000Z level program: text`. Texts
 * carry no secret, no example and no update.
 */
#ifndef SOTTO_CORE_BASE_LOG_H
#define SOTTO_CORE_BASE_LOG_H

#include <stdio.h>

enum sotto_log_level { SOTTO_LOG_ERROR, SOTTO_LOG_WARNING, SOTTO_LOG_INFO, SOTTO_LOG_DEBUG };

struct sotto_log {
    FILE *stream;
    const char *program;
    enum sotto_log_level level_max;
};

/* Both are borrowed. Level: SOTTO_LOG_INFO, which callers may change. */
void sotto_log_init(struct sotto_log *log, FILE *stream, const char *program);
/*
 * One write(2) a line, so that lines of several processes do not mix. Shown as
 * sotto_line_show does.
 */
void sotto_log_write(const struct sotto_log *log, enum sotto_log_level level, const char *format,
                     ...) __attribute__((format(printf, 3, 4)));

#endif
