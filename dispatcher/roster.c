#include "dispatcher/roster.h"

#include <assert.h>

#include "core/mem.h"

void roster_init(struct roster *r, const struct roster_limits *limits)
{
    *r = (struct roster){ .limits = *limits };
    list_init(&r->idle);
    list_init(&r->spare);
}

void roster_fini(struct roster *r)
{
    struct list *link;

    assert(r->claims == 0 && r->bytes == 0);
    while (r->by_key)
        roster_remove(r, r->by_key);
    while ((link = list_pop(&r->spare)))
        free(container_of(link, struct claim, link));
}

struct lane *roster_find(const struct roster *r, int64_t endpoint_key)
{
    struct lane *lane;

    HASH_FIND(hh, r->by_key, &endpoint_key, sizeof endpoint_key, lane);
    return lane;
}

struct lane *roster_add(struct roster *r, int64_t endpoint_key)
{
    struct lane *lane = xcalloc(1, sizeof *lane);

    lane_init(lane, endpoint_key, &r->limits.lane);
    HASH_ADD(hh, r->by_key, endpoint_key, sizeof lane->endpoint_key, lane);
    return lane;
}

void roster_remove(struct roster *r, struct lane *lane)
{
    assert(lane_claimed(lane) == 0 && !lane->loading);
    assert(lane->wake.place == 0);
    roster_unrest(r, lane);
    lane_leave(lane);
    list_remove(&lane->ready);
    list_remove(&lane->wanting);
    HASH_DEL(r->by_key, lane);
    free(lane);
}

void roster_rest(struct roster *r, struct lane *lane)
{
    roster_unrest(r, lane);
    if (r->idle_count == r->limits.idle_max)
        roster_remove(r, container_of(r->idle.next, struct lane, idle));
    list_append(&r->idle, &lane->idle);
    r->idle_count++;
}

void roster_unrest(struct roster *r, struct lane *lane)
{
    if (list_is_empty(&lane->idle))
        return;
    list_remove(&lane->idle);
    r->idle_count--;
}

bool roster_is_scarce(const struct roster *r)
{
    return r->claims >= r->limits.claims_max / 2 || r->bytes >= r->limits.bytes_max / 2;
}

bool roster_is_full(const struct roster *r)
{
    return r->claims >= r->limits.claims_max || r->bytes >= r->limits.bytes_max;
}

void roster_claim(struct roster *r, struct lane *lane, const struct delivery *delivery)
{
    struct list *link = list_pop(&r->spare);
    struct claim *claim =
        link ? container_of(link, struct claim, link) : xcalloc(1, sizeof *claim);

    list_init(&claim->link);
    claim->delivery = *delivery;
    roster_promise(r, 1, delivery->message->payload.len);
    lane_queue(lane, claim);
}

void roster_release(struct roster *r, struct claim *claim)
{
    assert(list_is_empty(&claim->link));
    roster_redeem(r, 1, claim->delivery.message->payload.len);
    message_unref(claim->delivery.message);
    list_append(&r->spare, &claim->link);
}

void roster_promise(struct roster *r, size_t claims, size_t bytes)
{
    r->claims += claims;
    r->bytes += bytes;
}

void roster_redeem(struct roster *r, size_t claims, size_t bytes)
{
    assert(r->claims >= claims && r->bytes >= bytes);
    r->claims -= claims;
    r->bytes -= bytes;
}
