#include "tests/wan/holding.h"

#include <stdbool.h>
#include <stdlib.h>

#include "core/mem.h"

#define ROOM_FIRST 1024

void holding_fini(struct holding *h)
{
    for (size_t i = 0; i < h->count; i++)
        free(h->heap[i]);
    free(h->heap);
    *h = (struct holding){ 0 };
}

static bool is_before(const struct packet *a, const struct packet *b)
{
    return a->due_ns < b->due_ns || (a->due_ns == b->due_ns && a->number < b->number);
}

enum err holding_put(struct holding *h, struct packet *packet)
{
    if (h->count == HOLDING_MAX)
        return ERR_LIMIT;
    if (h->count == h->room)
        h->heap = xgrow(h->heap, &h->room, ROOM_FIRST, sizeof *h->heap);

    size_t at = h->count++;
    packet->number = h->taken++;
    for (; at > 0 && is_before(packet, h->heap[(at - 1) / 2]); at = (at - 1) / 2)
        h->heap[at] = h->heap[(at - 1) / 2];
    h->heap[at] = packet;
    return ERR_OK;
}

const struct packet *holding_next(const struct holding *h)
{
    return h->count > 0 ? h->heap[0] : NULL;
}

struct packet *holding_take(struct holding *h)
{
    if (h->count == 0)
        return NULL;

    struct packet *next = h->heap[0];
    struct packet *last = h->heap[--h->count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < h->count; at = child) {
        if (child + 1 < h->count && is_before(h->heap[child + 1], h->heap[child]))
            child++;
        if (!is_before(h->heap[child], last))
            break;
        h->heap[at] = h->heap[child];
    }
    if (h->count > 0)
        h->heap[at] = last;
    return next;
}
