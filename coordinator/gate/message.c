#include "coordinator/gate/message.h"

#include <string.h>

struct message_rule {
    const char *name;
    enum sotto_round_event_kind kind;
    size_t bytes_max;
};

static const struct message_rule message_rules[] = {
    {"advert", SOTTO_ROUND_ADVERT, SOTTO_PROTOCOL_ANSWER_MAX},
    {"shares", SOTTO_ROUND_SHARES, SOTTO_PROTOCOL_ANSWER_MAX},
    {"receipt", SOTTO_ROUND_RECEIPT, SOTTO_PROTOCOL_ANSWER_MAX},
    {"inclusion", SOTTO_ROUND_INCLUSION, SOTTO_PROTOCOL_ANSWER_MAX},
    {"reveal", SOTTO_ROUND_REVEAL, SOTTO_PROTOCOL_ANSWER_MAX},
    {"leave", SOTTO_ROUND_LEAVE, 1},
};

static const struct message_rule *rule_find(const char *name)
{
    for (size_t i = 0; i < sizeof message_rules / sizeof message_rules[0]; i++)
        if (strcmp(message_rules[i].name, name) == 0)
            return &message_rules[i];
    return NULL;
}

size_t sotto_gate_message_max(const char *name)
{
    const struct message_rule *rule = rule_find(name);

    return rule == NULL ? 0 : rule->bytes_max;
}

enum sotto_status sotto_gate_message(struct sotto_round_event *event, const char *name,
                                     uint32_t site, struct sotto_view body, uint64_t at_ms)
{
    const struct message_rule *rule = rule_find(name);
    uint32_t reason = 0;

    if (rule == NULL)
        return SOTTO_NOT_FOUND;
    if (body.length > rule->bytes_max)
        return SOTTO_OVER_LIMIT;
    if (body.length == 0)
        return SOTTO_MALFORMED;
    if (rule->kind == SOTTO_ROUND_LEAVE) {
        reason = body.at[0];
        if (reason == SOTTO_REFUSAL_NONE || reason >= SOTTO_REFUSAL_COUNT)
            return SOTTO_MALFORMED;
    }
    *event = (struct sotto_round_event){
        .kind = rule->kind, .at_ms = at_ms, .site = site, .reason = reason, .bytes = body};
    return SOTTO_OK;
}
