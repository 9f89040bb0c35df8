/* Time as an argument: the wall clock of a process, or one that a simulation turns by hand. */
#ifndef SOTTO_CORE_BASE_CLOCK_H
#define SOTTO_CORE_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct sotto_clock {
    bool is_virtual;
    uint64_t now_ms;
};

/* Shows the time of the machine. */
void sotto_clock_init_system(struct sotto_clock *clock);
/* Stands at start_ms (Unix time) until it is turned. */
void sotto_clock_init_virtual(struct sotto_clock *clock, uint64_t start_ms);
/* Never backwards; virtual clocks only. */
void sotto_clock_advance_to(struct sotto_clock *clock, uint64_t now_ms);

uint64_t sotto_clock_wall_ms(const struct sotto_clock *clock); /* Unix time */
/* For durations. In a virtual clock the same as the wall. */
uint64_t sotto_clock_steady_ns(const struct sotto_clock *clock);

#endif
