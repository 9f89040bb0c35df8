#include "crypto/secagg/secaggplus/context.h"

#include <assert.h>

#include "crypto/primitives/hash.h"
#include "crypto/secagg/terms.h"

static void hash_pair(struct sotto_digest *out, const struct sotto_digest *left,
                      const struct sotto_digest *right)
{
    static const uint8_t inner = 0x01;
    const struct sotto_view parts[] = {sotto_view_of(&inner, 1), sotto_view_digest(left),
                                       sotto_view_digest(right)};

    sotto_hash(out, parts, 3);
}

/* Level by level; the last node of an odd level goes up as it is, which gives RFC 6962's tree. */
static void merkle_root(struct sotto_digest *root, const struct sotto_digest *leaves,
                        uint32_t count)
{
    struct sotto_digest level[SOTTO_COHORT_MAX];

    for (uint32_t i = 0; i < count; i++)
        level[i] = leaves[i];
    while (count > 1) {
        for (uint32_t i = 0; i < count / 2; i++)
            hash_pair(&level[i], &level[2 * i], &level[2 * i + 1]);
        if (count % 2 == 1)
            level[count / 2] = level[count - 1];
        count = (count + 1) / 2;
    }
    *root = level[0];
}

void sotto_context_of(struct sotto_digest *context, const struct sotto_digest *plan,
                      const struct sotto_digest *leaves, uint32_t count)
{
    assert(count >= 1 && count <= SOTTO_COHORT_MAX);

    struct sotto_digest root;
    uint8_t size[4];

    merkle_root(&root, leaves, count);
    sotto_store_u32(size, count);

    const struct sotto_view parts[] = {sotto_view_text("sotto/1 cohort"), sotto_view_digest(plan),
                                       sotto_view_digest(&root), sotto_view_of(size, sizeof size)};

    sotto_hash(context, parts, 4);
}
