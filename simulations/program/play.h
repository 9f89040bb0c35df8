/* Plays a scenario, or writes its partition of the photos: what sotto-simulate does by default. */
#ifndef SOTTO_SIMULATIONS_PROGRAM_PLAY_H
#define SOTTO_SIMULATIONS_PROGRAM_PLAY_H

/* argv as main has it; returns the exit code. Usage errors end the process with 2. */
int sotto_program_play(int argc, char **argv);

#endif
