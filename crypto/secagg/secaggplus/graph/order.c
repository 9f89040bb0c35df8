#include "crypto/secagg/secaggplus/graph/order.h"

static void swap(uint32_t *places, size_t left, size_t right)
{
    uint32_t kept = places[left];

    places[left] = places[right];
    places[right] = kept;
}

/* Lets places[root] sink below those of its heap that come after it. */
static void sink(uint32_t *places, size_t root, size_t count, const struct sotto_order *order)
{
    for (;;) {
        size_t child = 2 * root + 1;

        if (child >= count)
            return;
        if (child + 1 < count && order->is_before(order->list, places[child], places[child + 1]))
            child++;
        if (!order->is_before(order->list, places[root], places[child]))
            return;
        swap(places, root, child);
        root = child;
    }
}

void sotto_order_sort(uint32_t *places, size_t count, const struct sotto_order *order)
{
    for (size_t root = count / 2; root-- > 0;)
        sink(places, root, count, order);
    for (size_t left = count; left-- > 1;) {
        swap(places, 0, left);
        sink(places, 0, left, order);
    }
}
