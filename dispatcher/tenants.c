/* Tenants: the lanes of an application that has a rate, and their turns. */
#include "dispatcher/private.h"

#include "core/mem.h"

static struct tenant *find(const struct scheduler *s, int64_t application_key)
{
    struct tenant *tenant;

    HASH_FIND(hh, s->tenants, &application_key, sizeof application_key, tenant);
    return tenant;
}

static struct tenant *tenant_for(struct scheduler *s, const struct application *application)
{
    int64_t key = id_key(&application->base.id);
    struct tenant *tenant = find(s, key);

    if (!tenant) {
        tenant = xcalloc(1, sizeof *tenant);
        tenant->application_key = key;
        list_init(&tenant->waiting);
        list_init(&tenant->hungry);
        HASH_ADD(hh, s->tenants, application_key, sizeof tenant->application_key, tenant);
    }
    tenant->throttle.rate = application->throttle_rate;
    return tenant;
}

static void forget(struct scheduler *s, struct tenant *tenant)
{
    agenda_set(&s->turns, &tenant->wake, AGENDA_NEVER);
    HASH_DEL(s->tenants, tenant);
    free(tenant);
}

void tenants_fini(struct scheduler *s)
{
    while (s->tenants)
        forget(s, s->tenants);
    agenda_fini(&s->turns);
}

void tenants_join(struct scheduler *s, struct lane *lane, const struct endpoint *endpoint)
{
    const struct application *application =
        endpoint
            ? catalog_application_by_key(s->options.catalog, id_key(&endpoint->application))
            : NULL;
    struct tenant *tenant =
        application && application->throttle_rate > 0 ? tenant_for(s, application) : NULL;

    if (lane->tenant == tenant)
        return;
    lane_leave(lane);
    lane->tenant = tenant;
    if (tenant)
        tenant->lanes++;
}

bool tenants_change_rate(struct scheduler *s, const struct application *application,
                         struct now now)
{
    struct tenant *tenant = find(s, id_key(&application->base.id));

    if (!tenant || application->base.deleted || application->throttle_rate == 0)
        return tenant || application->throttle_rate > 0;
    tenant->throttle.rate = application->throttle_rate;
    if (!list_is_empty(&tenant->waiting))
        agenda_set(&s->turns, &tenant->wake, now.mono_ms);
    return false;
}

void tenants_drop(struct scheduler *s, const struct application *application)
{
    struct tenant *tenant = find(s, id_key(&application->base.id));

    if (tenant && tenant->lanes == 0)
        forget(s, tenant);
}

/* Turns to send. */

/* Its next turn is when the rate allows one, but not before `least_mono_ms`. */
static void arm(struct scheduler *s, struct tenant *tenant, uint64_t least_mono_ms)
{
    agenda_set(&s->turns, &tenant->wake,
               list_is_empty(&tenant->waiting)
                   ? AGENDA_NEVER
                   : later(throttle_next_mono_ms(&tenant->throttle), least_mono_ms));
}

void tenants_place(struct scheduler *s, struct lane *lane, bool may_send, struct now now)
{
    struct tenant *tenant = lane->tenant;

    if (!may_send) {
        list_remove(&lane->ready);
        return;
    }
    if (!list_is_empty(&lane->ready))
        return;
    if (!tenant ||
        (list_is_empty(&tenant->waiting) && throttle_allows(&tenant->throttle, now))) {
        list_append(&s->ready, &lane->ready);
        return;
    }
    list_append(&tenant->waiting, &lane->ready);
    if (tenant->wake.place == 0)
        arm(s, tenant, now.mono_ms);
}

/* Those that are let go now take their share of the rate when they are sent, which sets the next turn;
 * that they may be kept from it asks for a look a little later. */
static void let_go(struct scheduler *s, struct tenant *tenant, struct now now)
{
    uint64_t room = throttle_room(&tenant->throttle, now);

    for (; room > 0 && !list_is_empty(&tenant->waiting); room--)
        list_append(&s->ready, list_pop(&tenant->waiting));
    arm(s, tenant, now.mono_ms + 1 + 1000 / tenant->throttle.rate);
}

void tenants_wake(struct scheduler *s, struct now now)
{
    struct agenda_item *item;

    while ((item = agenda_pop(&s->turns, now.mono_ms)))
        let_go(s, container_of(item, struct tenant, wake), now);
}

bool tenants_allow(const struct lane *lane, struct now now)
{
    return !lane->tenant || throttle_allows(&lane->tenant->throttle, now);
}

void tenants_sent(struct scheduler *s, struct lane *lane, struct now now)
{
    if (!lane->tenant)
        return;
    throttle_take(&lane->tenant->throttle, now);
    arm(s, lane->tenant, now.mono_ms);
}

/* Turns to read. */

static void count(struct lane *lane)
{
    size_t queued = lane->queue_len + (lane->loading || (!list_is_empty(&lane->wanting) &&
                                                         !lane->hungry && !lane->ended));

    lane->tenant->queued += queued - lane->queued;
    lane->queued = queued;
}

static void feed(struct scheduler *s, struct tenant *tenant)
{
    struct list *link;

    while (!tenant_is_full(tenant) && (link = list_pop(&tenant->hungry))) {
        struct lane *lane = container_of(link, struct lane, wanting);
        lane->hungry = false;
        list_append(&s->wanting, &lane->wanting);
        count(lane);
    }
}

void tenants_place_wanting(struct scheduler *s, struct lane *lane, bool wants)
{
    struct tenant *tenant = lane->tenant;

    if (!wants) {
        list_remove(&lane->wanting);
        lane->hungry = false;
    } else if (list_is_empty(&lane->wanting)) {
        lane->hungry = tenant && tenant_is_full(tenant);
        list_append(lane->hungry ? &tenant->hungry : &s->wanting, &lane->wanting);
    }
    if (tenant) {
        count(lane);
        feed(s, tenant);
    }
}
