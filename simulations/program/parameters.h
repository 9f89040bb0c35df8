/* sotto-simulate parameters: the graph, the threshold and the bytes of a cohort. */
#ifndef SOTTO_SIMULATIONS_PROGRAM_PARAMETERS_H
#define SOTTO_SIMULATIONS_PROGRAM_PARAMETERS_H

/* argv[0] is "parameters"; returns the exit code. Usage errors end the process with 2. */
int sotto_program_parameters(int argc, char **argv);

#endif
