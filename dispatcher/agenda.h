/* Agenda: who wants to be looked at when; the earliest first. A binary heap.
 *
 * An item is embedded in what it stands for. Setting, moving and removing cost O(log n).
 *
 * Thread: one. */
#ifndef DISPATCHER_AGENDA_H
#define DISPATCHER_AGENDA_H

#include <stddef.h>
#include <stdint.h>

#define AGENDA_NEVER UINT64_MAX

struct agenda_item {
    uint64_t at_mono_ms;
    size_t place; /* 1 + its index in the heap; 0 = in none */
};

struct agenda {
    struct agenda_item **items;
    size_t count, room;
};

void agenda_fini(struct agenda *a);

/* Put the item in, move it, or (AGENDA_NEVER) take it out. */
void agenda_set(struct agenda *a, struct agenda_item *item, uint64_t at_mono_ms);

/* The earliest item if its time has come, taken out; else NULL. */
struct agenda_item *agenda_pop(struct agenda *a, uint64_t mono_ms);

/* The earliest instant; AGENDA_NEVER when empty. */
uint64_t agenda_next(const struct agenda *a);

#endif
