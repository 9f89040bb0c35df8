#include "crypto/secagg/secaggplus/context.h"

#include <assert.h>

#include "crypto/primitives/hash.h"
#include "crypto/secagg/terms.h"

enum { LEVELS_MAX = 32 };

static void hash_pair(struct sotto_digest *out, const struct sotto_digest *left,
                      const struct sotto_digest *right)
{
    static const uint8_t inner = 0x01;
    const struct sotto_view parts[] = {sotto_view_of(&inner, 1), sotto_view_digest(left),
                                       sotto_view_digest(right)};

    sotto_hash(out, parts, 3);
}

/*
 * Leaf by leaf, joining whole subtrees of one size as they fill up; at the end the smaller ones to
 * the right join those to their left, which gives RFC 6962's tree.
 */
static void merkle_root(struct sotto_digest *root, const struct sotto_digest *leaves,
                        uint32_t count)
{
    struct sotto_digest subtrees[LEVELS_MAX];
    size_t height = 0;

    for (uint32_t i = 0; i < count; i++) {
        subtrees[height++] = leaves[i];
        for (uint32_t filled = i + 1; filled % 2 == 0; filled /= 2, height--)
            hash_pair(&subtrees[height - 2], &subtrees[height - 2], &subtrees[height - 1]);
    }
    for (; height > 1; height--)
        hash_pair(&subtrees[height - 2], &subtrees[height - 2], &subtrees[height - 1]);
    *root = subtrees[0];
}

void sotto_context_of_ids(struct sotto_digest *context, const struct sotto_digest *plan,
                          const struct sotto_digest *leaves, uint32_t count, struct sotto_view ids)
{
    assert(count >= 1 && count <= SOTTO_COHORT_MAX);

    struct sotto_digest root;
    uint8_t size[4];

    merkle_root(&root, leaves, count);
    sotto_store_u32(size, count);

    const struct sotto_view parts[] = {sotto_view_text("sotto/1 cohort"), sotto_view_digest(plan),
                                       sotto_view_digest(&root), sotto_view_of(size, sizeof size),
                                       ids};

    sotto_hash(context, parts, 5);
}

void sotto_context_of(struct sotto_digest *context, const struct sotto_digest *plan,
                      const struct sotto_digest *leaves, uint32_t count)
{
    const struct sotto_view none = {0};

    sotto_context_of_ids(context, plan, leaves, count, none);
}
