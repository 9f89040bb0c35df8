/*
 * What a program tells a person: results on standard output, one line about a failure on standard
 * error. Nothing that comes in as a name, of a file or on the command line, reaches a terminal
 * unless as sotto_line_show writes it.
 */
#ifndef SOTTO_CORE_CONSOLE_CONSOLE_H
#define SOTTO_CORE_CONSOLE_CONSOLE_H

#include <argp.h>
#include <stdint.h>

/*
 * First of all in main: from here on a program that exits with 0, also by itself after --help,
 * whose standard output could not be written says so in a line and exits with 74 instead.
 *
 *   program  in  the line begins with it; borrowed until the end
 */
void sotto_console_open(const char *program);

/*
 * The same for a program that ends by _exit: flushes standard output and returns the code to end
 * with, which is `exit_code` unless that is 0 and something is missing.
 */
int sotto_console_close(const char *program, int exit_code);

/* One line on standard error; printf style, without the newline. Cut at SOTTO_FAULT_TEXT_MAX. */
void sotto_console_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * The beginning of a name or text on standard output, within a line: up to `most` bytes of what
 * sotto_line_show makes of it, and what belongs to the last of them; "..." where more follows.
 */
void sotto_console_show(const char *text, size_t most);

/* Ends the program for a wrong command line, with the line and argp_err_exit_status. */
void sotto_console_refuse(const struct argp_state *state, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * The value of an option --NAME, or the end of the program as by sotto_console_refuse: a whole
 * number from `least` to `most`, written in decimal digits.
 */
uint64_t sotto_console_whole(const struct argp_state *state, const char *name, const char *text,
                             uint64_t least, uint64_t most);

/* The same: a finite number from 0 on. */
double sotto_console_real(const struct argp_state *state, const char *name, const char *text);

#endif
