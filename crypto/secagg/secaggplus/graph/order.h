/* Puts places into the order of what stands at them. In place, without allocation. */
#ifndef SOTTO_CRYPTO_SECAGG_SECAGGPLUS_GRAPH_ORDER_H
#define SOTTO_CRYPTO_SECAGG_SECAGGPLUS_GRAPH_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sotto_order {
    /* Does what stands at `left` come before what stands at `right`? */
    bool (*is_before)(const void *list, uint32_t left, uint32_t right);
    const void *list;
};

/*
 *   places  inout  [count]
 * Work: about 2 count log2(count) comparisons, whatever the input.
 */
void sotto_order_sort(uint32_t *places, size_t count, const struct sotto_order *order);

#endif
