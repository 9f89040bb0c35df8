#include "simulations/program/privacy.h"

#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/console/console.h"
#include "crypto/privacy/accountant.h"
#include "crypto/privacy/noise.h"
#include "crypto/secagg/terms.h"

enum { OPTION_JSON = 256, EXIT_USAGE = 2, ROUNDS_MAX = 1000000 };

static const double epsilon_min = 1e-3, epsilon_max = 1e6, corrupt_default = 0.05;

/* Zero where nothing was given. */
struct question {
    double rounds;
    double cohort;
    double survivors;
    double corrupt;
    double noise;
    double epsilon;
    double delta;
    bool json;
};

static const struct argp_option options[] = {
    {"rounds", 'r', "R", 0, "Rounds that a site takes part in", 0},
    {"cohort", 'n', "N", 0, "Participants in a round", 0},
    {"delta", 'd', "D", 0, "Chance with which epsilon need not hold, such as 1e-6", 0},
    {"noise", 'z', "Z", 0, "Noise of a sum, in units of one site's largest share in it", 0},
    {"epsilon", 'e', "E", 0, "Print the least noise that keeps to this instead", 0},
    {"survivors-min", 's', "S", 0, "Uploads that a sum needs (default: the cohort)", 0},
    {"corrupt", 'g', "G", 0, "Part of the cohort that may add no noise (default: 0.05)", 0},
    {"json", OPTION_JSON, NULL, 0, "Print one line of JSON", 0},
    {0}};

/* One number of the command line and what it may be. */
struct range {
    const char *name;
    double low;
    double high;
    bool is_whole;
};

static double number_read(const struct range *range, const char *text, struct argp_state *state)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text || *end != '\0' || !(value >= range->low && value <= range->high) ||
        (range->is_whole && value != floor(value)))
        sotto_console_refuse(state, "--%s %s: give a %snumber from %g to %g", range->name, text,
                             range->is_whole ? "whole " : "", range->low, range->high);
    return value;
}

static void question_check(const struct question *question, struct argp_state *state)
{
    if (question->rounds == 0 || question->cohort == 0 || question->delta == 0)
        sotto_console_refuse(state, "give --rounds, --cohort and --delta");
    if ((question->noise == 0) == (question->epsilon == 0))
        sotto_console_refuse(state, "give either --noise or --epsilon");
    if (question->survivors > question->cohort)
        sotto_console_refuse(state, "--survivors-min %g: the cohort is only %g",
                             question->survivors, question->cohort);
}

static error_t option_parse(int key, char *argument, struct argp_state *state)
{
    static const struct range rounds = {"rounds", 1, ROUNDS_MAX, true};
    static const struct range cohort = {"cohort", SOTTO_COHORT_MIN, SOTTO_COHORT_MAX, true};
    static const struct range survivors = {"survivors-min", SOTTO_COHORT_MIN, SOTTO_COHORT_MAX,
                                           true};
    static const struct range corrupt = {"corrupt", 0, 0.5, false};
    static const struct range noise = {"noise", SOTTO_NOISE_MIN, SOTTO_NOISE_MAX, false};
    static const struct range delta = {"delta", 1e-15, 0.1, false};
    const struct range epsilon = {"epsilon", epsilon_min, epsilon_max, false};
    struct question *question = state->input;

    switch (key) {
    case 'r': question->rounds = number_read(&rounds, argument, state); return 0;
    case 'n': question->cohort = number_read(&cohort, argument, state); return 0;
    case 's': question->survivors = number_read(&survivors, argument, state); return 0;
    case 'g': question->corrupt = number_read(&corrupt, argument, state); return 0;
    case 'z': question->noise = number_read(&noise, argument, state); return 0;
    case 'e': question->epsilon = number_read(&epsilon, argument, state); return 0;
    case 'd': question->delta = number_read(&delta, argument, state); return 0;
    case OPTION_JSON: question->json = true; return 0;
    case ARGP_KEY_ARG: sotto_console_refuse(state, "what is '%s' for?", argument); return EINVAL;
    case ARGP_KEY_END: question_check(question, state); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {
    options,
    option_parse,
    "--rounds R --cohort N --delta D --noise Z\n--rounds R --cohort N --delta D --epsilon E",
    "Prints what a site's taking part in rounds with noise costs its privacy, or the noise that "
    "keeps it within a budget, as coordinator and sites account for it.\v"
    "epsilon and delta are those of differential privacy for all that one site holds, against "
    "whoever sees every sum and knows who took part. Noise of a site and of the mean are standard "
    "deviations of one value, in clip norms. Exit codes: 0 done, 2 usage.",
    NULL,
    NULL,
    NULL};

struct answer {
    double noise;
    double rho;
    double epsilon;
    double site_noise;
    double mean_noise;
};

static void answer_print(const struct question *question, const struct answer *answer)
{
    if (question->json) {
        printf("{\"rounds\": %.0f, \"cohort\": %.0f, \"survivors_min\": %.0f, \"delta\": %g, "
               "\"noise\": %.9g, \"rho\": %.9g, \"epsilon\": %.9g, \"site_noise\": %.9g, "
               "\"mean_noise\": %.9g}\n",
               question->rounds, question->cohort, question->survivors, question->delta,
               answer->noise, answer->rho, answer->epsilon, answer->site_noise, answer->mean_noise);
        return;
    }
    printf("noise                %.4f\n", answer->noise);
    printf("epsilon              %.4f at delta %g after %.0f rounds\n", answer->epsilon,
           question->delta, question->rounds);
    printf("rho                  %.6g\n", answer->rho);
    printf("noise of a site      %.4f\n", answer->site_noise);
    printf("noise of the mean    %.4f\n", answer->mean_noise);
}

/* Rounded up to what is printed, and to what a plan may ask for. */
static double noise_for(const struct question *question)
{
    double noise =
        sotto_accountant_noise(question->epsilon, question->delta, (uint32_t)question->rounds);

    return fmax(ceil(noise * 1e4) / 1e4, SOTTO_NOISE_MIN);
}

int sotto_program_privacy(int argc, char **argv)
{
    char name[] = "sotto-simulate privacy";
    struct question question = {.corrupt = corrupt_default};
    struct answer answer;
    double honest;

    argv[0] = name;
    argp_parse(&parser, argc, argv, 0, NULL, &question);
    if (question.survivors == 0)
        question.survivors = question.cohort;
    honest = question.survivors - fmax(1, ceil(question.corrupt * question.cohort));
    if (honest < 1) {
        fprintf(stderr,
                "sotto-simulate: of %g survivors of %g nobody is sure to add noise; raise "
                "--survivors-min or lower --corrupt\n",
                question.survivors, question.cohort);
        return EXIT_USAGE;
    }
    answer.noise = question.noise > 0 ? question.noise : noise_for(&question);
    if (answer.noise > SOTTO_NOISE_MAX) {
        fprintf(stderr,
                "sotto-simulate: that would take noise of %g, and a plan has at most %g; lower "
                "--rounds or raise --epsilon\n",
                answer.noise, SOTTO_NOISE_MAX);
        return EXIT_USAGE;
    }
    answer.rho = question.rounds * sotto_accountant_charge(answer.noise);
    answer.epsilon = sotto_accountant_epsilon(answer.rho, question.delta);
    answer.site_noise = answer.noise / sqrt(honest);
    answer.mean_noise = answer.site_noise / sqrt(question.cohort);
    answer_print(&question, &answer);
    return 0;
}
