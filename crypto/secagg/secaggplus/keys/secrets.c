#include "crypto/secagg/secaggplus/keys/secrets.h"

#include "crypto/primitives/hkdf.h"

static void derive(struct sotto_secret *out, const struct sotto_secret *seed,
                   const struct sotto_digest *plan, const char *purpose)
{
    sotto_hkdf(out, sotto_view_of(seed->bytes, sizeof seed->bytes), sotto_view_digest(plan),
               sotto_view_text(purpose));
}

void sotto_secrets_derive(struct sotto_secrets *out, const struct sotto_secret *seed,
                          const struct sotto_digest *plan)
{
    derive(&out->mask_key, seed, plan, "sotto/1 mask key");
    derive(&out->share_key, seed, plan, "sotto/1 share key");
    derive(&out->self_mask, seed, plan, "sotto/1 self mask");
    derive(&out->nonce, seed, plan, "sotto/1 nonce");
    derive(&out->split_mask, seed, plan, "sotto/1 split mask key");
    derive(&out->split_self, seed, plan, "sotto/1 split self mask");
}
