/* Route table: for each endpoint the route that was decided last.
 *
 * Bounded: beyond `limit` endpoints the one that was asked for longest ago is forgotten, and begins
 * anew.
 *
 * Thread: one. */
#ifndef REGION_ROUTE_TABLE_H
#define REGION_ROUTE_TABLE_H

#include "core/hash.h"
#include "core/list.h"
#include "region/hysteresis.h"

#define ROUTE_TABLE_MAX 16384 /* a limit that will do; about 3 MiB */

struct route_entry {
    int64_t endpoint_key;
    struct route_memory memory;
    size_t region; /* who sends; ROUTE_NOWHERE: held */
    bool recorded; /* that it does */

    /* What it was decided for; all 0: nothing was yet. */
    uint64_t decided_mono_ms;
    uint64_t application_version, endpoint_version;
    uint64_t knowledge;

    /* private */
    struct list used;
    UT_hash_handle hh;
};

struct route_table;

struct route_table *route_table_new(size_t limit);
void route_table_free(struct route_table *table); /* NULL does nothing */
size_t route_table_count(const struct route_table *table);

/* find: NULL when there is none; take: there is one afterwards, without a route at first. Valid
 * until the next take. */
struct route_entry *route_table_find(const struct route_table *table, int64_t endpoint_key);
struct route_entry *route_table_take(struct route_table *table, int64_t endpoint_key);

#endif
