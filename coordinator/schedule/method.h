/*
 * How a campaign aggregates the pairs A, B of its adapter, when nothing but a weighted sum over the
 * sites can be seen. What each is exact about: docs/adapters.md.
 *     fedit    A and B are trained and averaged in every round        Zhang et al., ICASSP 2024
 *     ffa      A stands still as it was drawn, B is averaged          Sun et al., ICLR 2024
 *     ffa-svd  the same; after each round other factors of the same products, the rows of A
 *              orthonormal (models/adapter/rebase.h)                  Lee et al., NeurIPS 2025
 *     rolora   B and A in turn, by the number of finished rounds; B first, since the gradient of A
 *              is zero while B is                                     Chen et al., NeurIPS 2025
 */
#ifndef SOTTO_COORDINATOR_SCHEDULE_METHOD_H
#define SOTTO_COORDINATOR_SCHEDULE_METHOD_H

#include "models/adapter/subset.h"
#include "models/optim/server.h"

enum sotto_method {
    SOTTO_METHOD_FEDIT,
    SOTTO_METHOD_FFA,
    SOTTO_METHOD_FFA_SVD,
    SOTTO_METHOD_ROLORA,
    SOTTO_METHOD_COUNT
};

/* By enum sotto_method and enum sotto_server_kind: "fedit", "fedavg" and so on. */
extern const char *const sotto_method_names[SOTTO_METHOD_COUNT];
extern const char *const sotto_server_names[SOTTO_SERVER_KIND_COUNT];

/*
 * What a campaign takes that names none: fedit where there are no pairs; rolora without noise; with
 * noise ffa-svd, or ffa where something is kept of B between rounds (feedback, a server's moments).
 */
enum sotto_method sotto_method_default(bool has_pairs, bool has_noise, bool keeps_b);

/* The part that a round trains after so many finished ones. */
enum sotto_trained sotto_method_trained(enum sotto_method method, uint32_t finished);

/* Does any round train this part? */
bool sotto_method_uses(enum sotto_method method, enum sotto_trained trained);

#endif
