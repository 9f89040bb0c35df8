#include "participant/trainer/base.h"

#include "crypto/primitives/hash.h"
#include "models/adapter/peft.h"

void sotto_base_digest(struct sotto_digest *digest, const struct sotto_view *parts,
                       size_t part_count)
{
    sotto_hash_list(digest, "sotto/1 model", parts, part_count);
}

enum sotto_status sotto_base_check(const char *folder, const char *model_folder,
                                   const struct sotto_view *parts, size_t part_count,
                                   struct sotto_fault *fault)
{
    struct sotto_digest wanted;
    struct sotto_digest own;
    char wanted_hex[SOTTO_DIGEST_HEX];
    char own_hex[SOTTO_DIGEST_HEX];
    enum sotto_status status = sotto_peft_base_read(&wanted, folder, fault);

    if (status != SOTTO_OK)
        return status == SOTTO_NOT_FOUND ? SOTTO_OK : status;
    sotto_base_digest(&own, parts, part_count);
    if (sotto_digest_equal(&wanted, &own))
        return SOTTO_OK;
    sotto_digest_hex(wanted_hex, &wanted);
    sotto_digest_hex(own_hex, &own);
    return sotto_fault_set(fault, SOTTO_MISMATCH,
                           "%s: the adapter is for the base model %.12s..., and %s is %.12s...: "
                           "give the model that it was made for",
                           folder, wanted_hex, model_folder, own_hex);
}
