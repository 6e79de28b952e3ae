#include "dispatcher/lane.h"

#include <assert.h>

/* Memory holds this many windows of a lane, so that a round trip to the disk doesn't stall it. */
#define DEPTH_WINDOWS 4
#define DEPTH_MIN     16

#define COOL_OFF_JITTER 0.2

void lane_init(struct lane *lane, int64_t endpoint_key, const struct lane_limits *limits)
{
    *lane = (struct lane){ .limits = limits, .endpoint_key = endpoint_key };
    list_init(&lane->queue);
    list_init(&lane->away);
    list_init(&lane->ready);
    list_init(&lane->wanting);
    list_init(&lane->idle);
    lane_reset(lane);
}

void lane_reset(struct lane *lane)
{
    lane->state = LANE_OPEN;
    lane->window = lane->limits->window_first;
    lane->credit = lane->failures = lane->probes_failed = 0;
}

void lane_advance(struct lane *lane, struct now now)
{
    if (lane->state == LANE_SHUT && now.mono_ms >= lane->reopen_mono_ms) {
        lane->state = LANE_PROBING;
        lane->is_probed = false;
    }
    if (lane->next_due_at_ms > 0 && lane->next_due_at_ms <= now.wall_ms) {
        lane->next_due_at_ms = 0;
        lane->more = true;
    }
}

uint64_t lane_next_mono_ms(const struct lane *lane, struct now now)
{
    uint64_t next = AGENDA_NEVER;

    if (lane->held || lane->ended)
        return AGENDA_NEVER;
    if (lane->state == LANE_SHUT)
        return lane->reopen_mono_ms;
    if (lane->queue_len > 0 && !throttle_allows(&lane->throttle, now))
        next = throttle_next_mono_ms(&lane->throttle);
    if (lane->next_due_at_ms > 0) {
        uint64_t due =
            now.mono_ms +
            (lane->next_due_at_ms > now.wall_ms ? lane->next_due_at_ms - now.wall_ms : 0);
        next = due < next ? due : next;
    }
    return next;
}

bool lane_may_send(const struct lane *lane, struct now now)
{
    unsigned limit = 0;

    if (lane->queue_len == 0 || lane->held || lane->ended)
        return false;
    switch (lane->state) {
    case LANE_OPEN:
        limit = lane->window;
        break;
    case LANE_PROBING:
        limit = 1;
        break;
    case LANE_SHUT:
        break;
    }
    return lane->in_flight < limit && throttle_allows(&lane->throttle, now);
}

void lane_leave(struct lane *lane)
{
    if (!lane->tenant)
        return;
    list_remove(&lane->ready);
    list_remove(&lane->wanting);
    lane->tenant->lanes--;
    lane->tenant->queued -= lane->queued;
    lane->tenant = NULL;
    lane->queued = 0;
    lane->hungry = false;
}

/* What it may count on, attempts a second; 0 = no limit. */
static uint32_t rate_of(const struct lane *lane)
{
    uint32_t own = lane->throttle.rate, share = lane->tenant ? tenant_share(lane->tenant) : 0;

    return own > 0 && (share == 0 || own < share) ? own : share;
}

unsigned lane_depth(const struct lane *lane, bool scarce)
{
    if (lane->held || lane->ended || lane->state == LANE_SHUT)
        return 0;
    if (lane->state == LANE_PROBING)
        return 1;

    unsigned depth = scarce ? lane->window : lane->window * DEPTH_WINDOWS;
    if (!scarce && depth < DEPTH_MIN)
        depth = DEPTH_MIN;
    uint32_t rate = rate_of(lane);
    if (rate > 0 && depth > 2 * lane->away_len + rate)
        depth = 2 * lane->away_len + rate;
    return depth < lane->limits->claimed_max ? depth : lane->limits->claimed_max;
}

bool lane_wants_refill(const struct lane *lane, bool scarce)
{
    unsigned depth = lane_depth(lane, scarce);

    return lane->more && !lane->loading && depth > 0 && lane_claimed(lane) <= depth / 2;
}

bool lane_is_idle(const struct lane *lane)
{
    return lane_claimed(lane) == 0 && !lane->loading && !lane->more &&
           lane->next_due_at_ms == 0 && !lane->ended;
}

void lane_note_due(struct lane *lane, uint64_t due_at_ms, struct now now)
{
    if (due_at_ms <= now.wall_ms)
        lane->more = true;
    else if (lane->next_due_at_ms == 0 || due_at_ms < lane->next_due_at_ms)
        lane->next_due_at_ms = due_at_ms;
}

static int64_t key_of(const struct list *link)
{
    return id_key(&container_of(link, struct claim, link)->delivery.message->id);
}

/* Into a list that is sorted by message; what comes is nearly always the newest. */
static void insert(struct list *head, struct claim *claim)
{
    struct list *after = head->prev;
    int64_t key = key_of(&claim->link);

    while (after != head && key_of(after) > key)
        after = after->prev;
    list_append(after->next, &claim->link);
}

void lane_queue(struct lane *lane, struct claim *claim)
{
    claim->lane = lane;
    insert(&lane->queue, claim);
    lane->queue_len++;
}

void lane_unqueue(struct lane *lane, struct claim *claim)
{
    assert(lane->queue_len > 0);
    list_remove(&claim->link);
    lane->queue_len--;
}

static bool list_has_key(const struct list *head, int64_t key)
{
    const struct list *link = head->prev;

    while (link != head && key_of(link) > key)
        link = link->prev;
    return link != head && key_of(link) == key;
}

bool lane_has(const struct lane *lane, int64_t message_key)
{
    return list_has_key(&lane->queue, message_key) || list_has_key(&lane->away, message_key);
}

void lane_keys(const struct lane *lane, int64_t *out)
{
    const struct list *a = lane->queue.next, *b = lane->away.next;

    while (a != &lane->queue || b != &lane->away) {
        bool from_a = b == &lane->away || (a != &lane->queue && key_of(a) < key_of(b));
        const struct list **from = from_a ? &a : &b;
        *out++ = key_of(*from);
        *from = (*from)->next;
    }
}

unsigned lane_claimed(const struct lane *lane)
{
    return lane->queue_len + lane->away_len;
}

struct claim *lane_send(struct lane *lane, struct now now)
{
    assert(lane_may_send(lane, now));

    struct claim *claim = container_of(list_pop(&lane->queue), struct claim, link);
    insert(&lane->away, claim);
    lane->queue_len--;
    lane->away_len++;
    lane->in_flight++;
    lane->is_probed = lane->state == LANE_PROBING;
    throttle_take(&lane->throttle, now);
    return claim;
}

void lane_succeeded(struct lane *lane)
{
    lane_aborted(lane);
    lane->failures = lane->probes_failed = 0;
    lane->state = LANE_OPEN;
    if (++lane->credit >= lane->window) {
        lane->credit = 0;
        if (lane->window < lane->limits->window_max)
            lane->window++;
    }
}

static uint64_t cool_off_ms(const struct lane *lane, double jitter)
{
    uint64_t ms = lane->limits->cool_off_first_ms;

    for (unsigned n = 0; n < lane->probes_failed && ms < lane->limits->cool_off_max_ms; n++)
        ms *= 2;
    if (ms > lane->limits->cool_off_max_ms)
        ms = lane->limits->cool_off_max_ms;
    return (uint64_t)((double)ms * (1 - COOL_OFF_JITTER + 2 * COOL_OFF_JITTER * jitter));
}

/* Attempts that were under way when the lane was shut change nothing more, however long they take. */
static bool is_straggler(const struct lane *lane)
{
    return lane->state == LANE_SHUT || (lane->state == LANE_PROBING && !lane->is_probed);
}

void lane_failed(struct lane *lane, struct now now, double jitter)
{
    lane_aborted(lane);
    lane->failures++;
    lane->credit = 0;
    lane->window = lane->window > 1 ? lane->window / 2 : 1;
    if (is_straggler(lane) ||
        (lane->state == LANE_OPEN && lane->failures < lane->limits->fail_limit))
        return;
    if (lane->state == LANE_PROBING)
        lane->probes_failed++;
    lane->state = LANE_SHUT;
    lane->reopen_mono_ms = now.mono_ms + cool_off_ms(lane, jitter);
}

void lane_aborted(struct lane *lane)
{
    assert(lane->in_flight > 0);
    lane->in_flight--;
}

void lane_settle(struct lane *lane, struct claim *claim)
{
    assert(lane->away_len > 0);
    list_remove(&claim->link);
    lane->away_len--;
}

void lane_shut(struct lane *lane, uint64_t until_mono_ms)
{
    if (lane->state != LANE_SHUT || lane->reopen_mono_ms < until_mono_ms)
        lane->reopen_mono_ms = until_mono_ms;
    lane->state = LANE_SHUT;
}
