#include "participant/trainer/check.h"

#include <argp.h>
#include <stdio.h>

#include "core/console/console.h"
#include "models/trainer.h"
#include "participant/trainer/base.h"

static const struct argp_option option_table[] = {
    {"model", 'm', "DIR", 0, "Base model directory", 0},
    {0},
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    const char **model = state->input;

    switch (key) {
    case 'm': *model = text; return 0;
    case ARGP_KEY_END:
        if (*model == NULL)
            sotto_console_refuse(state, "--model is needed");
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static void print_model(const struct sotto_model *model)
{
    static const char *const tasks[] = {[SOTTO_TASK_PICTURE_CLASS] = "names classes of pictures",
                                        [SOTTO_TASK_TEXT_CLASS] = "names classes of texts",
                                        [SOTTO_TASK_CAUSAL_LM] = "is a language model"};
    const struct sotto_arch *arch = sotto_model_arch(model);
    struct sotto_view parts[SOTTO_MODEL_PARTS_MAX];
    struct sotto_digest digest;
    char hex[SOTTO_DIGEST_HEX];

    sotto_base_digest(&digest, parts, sotto_model_parts(model, parts));
    sotto_digest_hex(hex, &digest);
    printf("%s, %u blocks of width %u; digest %s\n", tasks[arch->task], arch->block_count,
           arch->width, hex);
}

enum sotto_status sotto_command_check(int argument_count, char **arguments,
                                      struct sotto_fault *fault)
{
    static const struct argp argp = {
        .options = option_table,
        .parser = parse,
        .doc =
            "Opens a base model as a site does, all of it, and tells what it is, with the digest "
            "that plans and policies name it by."};
    const char *folder = NULL;
    struct sotto_model *model = NULL;
    enum sotto_status status;

    argp_parse(&argp, argument_count, arguments, 0, NULL, &folder);
    status = sotto_model_open(&model, folder, fault);
    if (status != SOTTO_OK)
        return status;
    print_model(model);
    sotto_model_close(model);
    return SOTTO_OK;
}
