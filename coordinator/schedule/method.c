#include "coordinator/schedule/method.h"

#include <assert.h>

const char *const sotto_method_names[SOTTO_METHOD_COUNT] = {
    [SOTTO_METHOD_FEDIT] = "fedit",
    [SOTTO_METHOD_FFA] = "ffa",
    [SOTTO_METHOD_FFA_SVD] = "ffa-svd",
    [SOTTO_METHOD_ROLORA] = "rolora",
};

const char *const sotto_server_names[SOTTO_SERVER_KIND_COUNT] = {
    [SOTTO_SERVER_FEDAVG] = "fedavg",
    [SOTTO_SERVER_FEDAVGM] = "fedavgm",
    [SOTTO_SERVER_FEDADAM] = "fedadam",
    [SOTTO_SERVER_FEDYOGI] = "fedyogi",
};

enum sotto_method sotto_method_default(bool has_pairs, bool has_noise, bool keeps_b)
{
    if (!has_pairs)
        return SOTTO_METHOD_FEDIT;
    if (!has_noise)
        return SOTTO_METHOD_ROLORA;
    return keeps_b ? SOTTO_METHOD_FFA : SOTTO_METHOD_FFA_SVD;
}

enum sotto_trained sotto_method_trained(enum sotto_method method, uint32_t finished)
{
    switch (method) {
    case SOTTO_METHOD_FEDIT: return SOTTO_TRAINED_ALL;
    case SOTTO_METHOD_FFA:
    case SOTTO_METHOD_FFA_SVD: return SOTTO_TRAINED_B;
    case SOTTO_METHOD_ROLORA: return finished % 2 == 0 ? SOTTO_TRAINED_B : SOTTO_TRAINED_A;
    case SOTTO_METHOD_COUNT: break;
    }
    assert(false && "no method");
    return SOTTO_TRAINED_ALL;
}

bool sotto_method_uses(enum sotto_method method, enum sotto_trained trained)
{
    return sotto_method_trained(method, 0) == trained || sotto_method_trained(method, 1) == trained;
}
