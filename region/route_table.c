#include "region/route_table.h"

#include <assert.h>

#include "core/mem.h"

struct route_table {
    size_t limit;
    struct route_entry *by_key;
    struct list used; /* least recently first */
};

struct route_table *route_table_new(size_t limit)
{
    struct route_table *table = xcalloc(1, sizeof *table);

    assert(limit > 0);
    table->limit = limit;
    list_init(&table->used);
    return table;
}

static void forget_oldest(struct route_table *table)
{
    struct route_entry *entry = container_of(table->used.next, struct route_entry, used);

    HASH_DEL(table->by_key, entry);
    list_remove(&entry->used);
    free(entry);
}

void route_table_free(struct route_table *table)
{
    if (!table)
        return;
    while (!list_is_empty(&table->used))
        forget_oldest(table);
    free(table);
}

size_t route_table_count(const struct route_table *table)
{
    return HASH_COUNT(table->by_key);
}

struct route_entry *route_table_find(const struct route_table *table, int64_t endpoint_key)
{
    struct route_entry *entry;

    HASH_FIND(hh, table->by_key, &endpoint_key, sizeof endpoint_key, entry);
    return entry;
}

struct route_entry *route_table_take(struct route_table *table, int64_t endpoint_key)
{
    struct route_entry *entry = route_table_find(table, endpoint_key);

    if (entry) {
        list_remove(&entry->used);
    } else {
        if (route_table_count(table) == table->limit)
            forget_oldest(table);
        entry = xcalloc(1, sizeof *entry);
        entry->endpoint_key = endpoint_key;
        entry->memory = ROUTE_MEMORY_NONE;
        entry->region = ROUTE_NOWHERE;
        list_init(&entry->used);
        HASH_ADD(hh, table->by_key, endpoint_key, sizeof entry->endpoint_key, entry);
    }
    list_append(&table->used, &entry->used);
    return entry;
}
