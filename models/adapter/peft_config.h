/*
 * adapter_config.json: what PEFT's LoraConfig says of an adapter, as far as a layout can say it.
 */
#ifndef SOTTO_MODELS_ADAPTER_PEFT_CONFIG_H
#define SOTTO_MODELS_ADAPTER_PEFT_CONFIG_H

#include "models/adapter/layout.h"

struct json_t;

enum { SOTTO_PEFT_CONFIG_BYTES_MAX = 1024 * 1024 };

struct sotto_peft_config {
    enum sotto_adapter_kind kind;
    uint32_t rank; /* of modules that rank_pattern does not name */
    double alpha;  /* of modules that alpha_pattern does not name */
    bool is_rank_stabilised;
    struct json_t *object; /* owned; where the patterns are */
};

/*
 * Norms and biases are no kind of PEFT's own: such an adapter is LoRA on no module, with bias "all"
 * and the norms in modules_to_save.
 *
 * `path` is for the fault, which names the key. SOTTO_MALFORMED; SOTTO_UNSUPPORTED: it asks for
 * something else than plain LoRA, known here or not. Nothing is owned then.
 */
SOTTO_CHECKED enum sotto_status sotto_peft_config_decode(struct sotto_peft_config *config,
                                                         struct sotto_view json, const char *path,
                                                         struct sotto_fault *fault);
void sotto_peft_config_close(struct sotto_peft_config *config); /* twice is harmless */

/*
 * Whether a key of a pattern, or a name in target_modules, means a module: it is the path, or whole
 * words at its end; after '^' the path alone.
 */
bool sotto_peft_key_fits(const char *key, const char *module);

/* The rank and alpha of a module by its path, such as "bert.encoder.layer.0.attention.self.key". */
uint32_t sotto_peft_config_rank(const struct sotto_peft_config *config, const char *module);
double sotto_peft_config_alpha(const struct sotto_peft_config *config, const char *module);

/* The text of the file, from malloc; NULL: no memory. Names modules in the words of both majors. */
char *sotto_peft_config_encode(const struct sotto_layout *layout, const char *base_name);

#endif
