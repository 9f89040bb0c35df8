/*
 * How fast a language model answers: LoRA of rank 8 on query and value, random weights and text,
 * the most probable token each time. Prints one line of JSON.
 *
 *     bench_answer MODEL PROMPT TOKENS WEIGHTS
 *
 * PROMPT tokens are read, then TOKENS said; WEIGHTS is f32 or bf16. Times are of one processor.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "core/base/entropy.h"
#include "models/answer/answerer.h"

enum { RANK = 8, TOKENS_MAX = 4096 };

struct bench {
    struct sotto_model *model;
    struct sotto_layout layout;
    struct sotto_answerer *answerer;
    uint32_t prompt[TOKENS_MAX];
    uint32_t prompt_count;
    double said_ms[TOKENS_MAX];
    uint32_t said_count;
};

static double now_ms(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return 1e3 * (double)time.tv_sec + 1e-6 * (double)time.tv_nsec;
}

static void require(enum sotto_status status, const struct sotto_fault *fault)
{
    if (status == SOTTO_OK)
        return;
    fprintf(stderr, "bench_answer: %s: %s\n", sotto_status_name(status), fault->text);
    exit(1);
}

static enum sotto_status say(void *context, uint32_t token)
{
    struct bench *bench = context;

    (void)token;
    bench->said_ms[bench->said_count++] = now_ms();
    return SOTTO_OK;
}

static void open_answerer(struct bench *bench)
{
    struct sotto_adapter_choice choice = {.rank = RANK,
                                          .alpha = 2.0 * RANK,
                                          .target_set =
                                              1u << SOTTO_TARGET_QUERY | 1u << SOTTO_TARGET_VALUE};
    struct sotto_fault fault = {0};
    struct sotto_entropy entropy;
    float *lanes;

    sotto_entropy_init_seeded(&entropy, 4);
    require(sotto_layout_derive(&bench->layout, sotto_model_arch(bench->model), &choice, &fault),
            &fault);
    lanes = calloc(bench->layout.lane_count, sizeof *lanes);
    if (lanes == NULL)
        exit(1);
    sotto_layout_start(lanes, &bench->layout, &entropy);
    require(sotto_answerer_open(&bench->answerer, bench->model, &bench->layout, lanes, &fault),
            &fault);
    free(lanes);
    for (uint32_t i = 0; i < bench->prompt_count; i++)
        bench->prompt[i] =
            (uint32_t)sotto_entropy_below(&entropy, sotto_model_arch(bench->model)->vocabulary);
}

/* The first token comes with the prompt; the others have a step of their own. */
static void print(const struct bench *bench, double began_ms)
{
    uint32_t last = bench->said_count - 1;
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    printf("{\"prompt_ms\": %.3f, \"token_ms\": %.4f, \"peak_mib\": %.1f}\n",
           bench->said_ms[0] - began_ms, (bench->said_ms[last] - bench->said_ms[0]) / last,
           (double)usage.ru_maxrss / 1024.0);
}

int main(int count, char **arguments)
{
    static struct bench bench;
    struct sotto_answer_rule rule = {.say = say, .context = &bench};
    struct sotto_fault fault = {0};
    enum sotto_answer_end end;
    double began_ms;

    if (count != 5) {
        fprintf(stderr, "usage: bench_answer MODEL PROMPT TOKENS WEIGHTS\n");
        return 2;
    }
    bench.prompt_count = (uint32_t)atoi(arguments[2]);
    rule.token_max = (uint32_t)atoi(arguments[3]);
    if (bench.prompt_count > TOKENS_MAX || rule.token_max < 2 || rule.token_max > TOKENS_MAX)
        return 2;
    require(sotto_model_open_on(&bench.model, arguments[1], NULL,
                                strcmp(arguments[4], "bf16") == 0 ? SOTTO_WEIGHTS_BFLOAT16
                                                                  : SOTTO_WEIGHTS_FLOAT32,
                                &fault),
            &fault);
    open_answerer(&bench);
    began_ms = now_ms();
    require(sotto_answerer_run(bench.answerer, &end, bench.prompt, bench.prompt_count, &rule),
            &fault);
    print(&bench, began_ms);
    sotto_answerer_close(bench.answerer);
    sotto_model_close(bench.model);
    return 0;
}
