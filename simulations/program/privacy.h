/* sotto-simulate privacy: what rounds with noise cost, or the noise for what they may cost. */
#ifndef SOTTO_SIMULATIONS_PROGRAM_PRIVACY_H
#define SOTTO_SIMULATIONS_PROGRAM_PRIVACY_H

/* argv[0] is "privacy"; returns the exit code. Usage errors end the process with 2. */
int sotto_program_privacy(int argc, char **argv);

#endif
