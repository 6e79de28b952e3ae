#include "dispatcher/agenda.h"

#include <assert.h>

#include "core/mem.h"

#define ROOM_FIRST 64

static void put(struct agenda *a, size_t at, struct agenda_item *item)
{
    a->items[at] = item;
    item->place = at + 1;
}

static void sift_up(struct agenda *a, size_t at, struct agenda_item *item)
{
    while (at > 0) {
        size_t parent = (at - 1) / 2;
        if (a->items[parent]->at_mono_ms <= item->at_mono_ms)
            break;
        put(a, at, a->items[parent]);
        at = parent;
    }
    put(a, at, item);
}

static void sift_down(struct agenda *a, size_t at, struct agenda_item *item)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= a->count)
            break;
        if (child + 1 < a->count &&
            a->items[child + 1]->at_mono_ms < a->items[child]->at_mono_ms)
            child++;
        if (item->at_mono_ms <= a->items[child]->at_mono_ms)
            break;
        put(a, at, a->items[child]);
        at = child;
    }
    put(a, at, item);
}

static void take_out(struct agenda *a, struct agenda_item *item)
{
    size_t at = item->place - 1;
    struct agenda_item *last = a->items[--a->count];

    assert(a->items[at] == item);
    item->place = 0;
    if (last == item)
        return;
    if (last->at_mono_ms < item->at_mono_ms)
        sift_up(a, at, last);
    else
        sift_down(a, at, last);
}

void agenda_fini(struct agenda *a)
{
    free(a->items);
    *a = (struct agenda){ 0 };
}

void agenda_set(struct agenda *a, struct agenda_item *item, uint64_t at_mono_ms)
{
    if (item->place > 0 && item->at_mono_ms == at_mono_ms)
        return;
    if (item->place > 0)
        take_out(a, item);
    item->at_mono_ms = at_mono_ms;
    if (at_mono_ms == AGENDA_NEVER)
        return;
    if (a->count == a->room)
        a->items = xgrow(a->items, &a->room, ROOM_FIRST, sizeof(struct agenda_item *));
    sift_up(a, a->count++, item);
}

struct agenda_item *agenda_pop(struct agenda *a, uint64_t mono_ms)
{
    if (a->count == 0 || a->items[0]->at_mono_ms > mono_ms)
        return NULL;

    struct agenda_item *first = a->items[0];
    take_out(a, first);
    return first;
}

uint64_t agenda_next(const struct agenda *a)
{
    return a->count > 0 ? a->items[0]->at_mono_ms : AGENDA_NEVER;
}
