#include "tests/lib/subscribers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"

#define TIMEOUT_MS        30000
#define THROTTLE_SLACK_US UINT64_C(101000)

/* One attempt on its way. */
struct flight {
    struct list link;
    struct attempt *attempt;
    struct subscriber *subscriber;
    struct parcel *parcel;
    uint64_t ends_mono_ms;
    struct answer answer;
};

static void start(struct transport *t, struct attempt *attempt);
static void cancel(struct transport *t, struct attempt *attempt);

void subscribers_init(struct subscribers *r, struct dice *dice,
                      const struct retry_policy *policy, unsigned in_flight_max,
                      unsigned in_flight_lane_max)
{
    *r = (struct subscribers){
        .transport = { .start = start, .cancel = cancel },
        .dice = dice,
        .policy = policy,
        .in_flight_max = in_flight_max,
        .in_flight_lane_max = in_flight_lane_max,
    };
    list_init(&r->flights);
}

void subscribers_fini(struct subscribers *r)
{
    assert_true(list_is_empty(&r->flights));
    for (size_t i = 0; i < r->count; i++)
        free(r->items[i]);
}

struct subscriber *subscribers_add(struct subscribers *r, const struct id *endpoint)
{
    struct subscriber *subscriber = xcalloc(1, sizeof *subscriber);

    assert_true(r->count < SUBSCRIBERS_MAX);
    subscriber->endpoint = *endpoint;
    r->items[r->count++] = subscriber;
    return subscriber;
}

static struct subscriber *find(const struct subscribers *r, const struct id *endpoint)
{
    for (size_t i = 0; i < r->count; i++)
        if (id_equal(&r->items[i]->endpoint, endpoint))
            return r->items[i];
    fail_msg("an attempt at an endpoint that nobody made");
    return NULL;
}

/* The transport's answer and how long it takes, by the subscriber's manner. */
static uint64_t plan(struct subscribers *r, const struct subscriber *subscriber,
                     struct answer *out)
{
    static const unsigned moods[] = { 200, 200, 204, 302, 400, 404, 500, 502, 503 };
    struct dice *dice = r->dice;

    *out = (struct answer){ .err = ERR_OK, .reason = "", .status = 200 };
    switch (subscriber->manner) {
    case MANNER_SLOW:
        return dice_between(dice, 1000, 25000);
    case MANNER_BROKEN:
        out->status = 500;
        break;
    case MANNER_MOODY:
        out->status = moods[dice_between(dice, 0, COUNT(moods) - 1)];
        break;
    case MANNER_OVERLOADED:
        out->status = dice_chance(dice, 50) ? 429 : 503;
        out->retry_after_s = subscriber->retry_after_s > 0
                                 ? subscriber->retry_after_s
                                 : (uint32_t)dice_between(dice, 1, 900);
        break;
    case MANNER_HANGING:
        out->err = ERR_TIMEOUT;
        out->reason = "no answer in time";
        return TIMEOUT_MS;
    case MANNER_UNREACHABLE:
        out->err = dice_chance(dice, 50) ? ERR_UNAVAILABLE : ERR_DENIED;
        out->reason = "no connection";
        break;
    case MANNER_GONE:
        out->status = 410;
        break;
    case MANNER_BEYOND_US:
        out->err = ERR_BUSY;
        out->reason = "too many open files";
        break;
    case MANNER_SEALED:
        out->err = ERR_SEALED;
        out->reason = "its secret doesn't open";
        break;
    case MANNER_PROMPT:
    case MANNERS:
        break;
    }
    return dice_between(dice, 1, 80);
}

static void check_rate(struct subscriber *subscriber, struct now now)
{
    uint64_t now_us = now.mono_ms * 1000;

    if (subscriber->throttle_rate == 0)
        return;
    assert_true(now_us + THROTTLE_SLACK_US >= subscriber->throttle_mono_us);
    if (subscriber->throttle_mono_us < now_us)
        subscriber->throttle_mono_us = now_us;
    subscriber->throttle_mono_us += 1000000 / subscriber->throttle_rate;
}

static void check_start(struct subscribers *r, struct subscriber *subscriber,
                        const struct parcel *parcel, const struct attempt *a)
{
    assert_true(parcel->owed);
    assert_false(parcel->in_flight);
    assert_false(subscriber->closed);
    assert_true(a->record.number <= r->policy->count + 1);
    if (parcel->unclear) {
        assert_true(a->record.number <= parcel->attempts + 1);
    } else {
        assert_int_equal(a->record.number, parcel->attempts + 1);
        assert_true(r->newest_wall_ms >= parcel->due_at_ms);
        assert_true(parcel->accepted == 0 && !parcel->unwanted);
    }
    assert_true(r->in_flight < r->in_flight_max);
    assert_true(subscriber->in_flight < r->in_flight_lane_max);
    check_rate(subscriber, a->started);
}

static void start(struct transport *t, struct attempt *attempt)
{
    struct subscribers *r = container_of(t, struct subscribers, transport);
    const struct bytes *payload = &attempt->claim->delivery.message->payload;
    struct subscriber *subscriber = find(r, &attempt->record.endpoint);
    char text[16] = "";

    assert_in_range(payload->len, 1, sizeof text - 1);
    memcpy(text, payload->data, payload->len);
    unsigned long number = strtoul(text, NULL, 10);
    assert_in_range(number, 0, MESSAGES_MAX - 1);

    struct parcel *parcel = &subscriber->parcels[number];
    check_start(r, subscriber, parcel, attempt);
    parcel->in_flight = true;
    parcel->attempts = attempt->record.number - 1;
    subscriber->in_flight++;
    r->in_flight++;
    r->attempts++;

    struct flight *flight = xcalloc(1, sizeof *flight);
    flight->attempt = attempt;
    flight->subscriber = subscriber;
    flight->parcel = parcel;
    flight->ends_mono_ms = attempt->started.mono_ms + plan(r, subscriber, &flight->answer);
    list_append(&r->flights, &flight->link);
    attempt->carriage = flight;
}

static void cancel(struct transport *t, struct attempt *attempt)
{
    struct flight *flight = attempt->carriage;

    (void)t;
    flight->answer = (struct answer){ .err = ERR_CANCELED, .reason = "canceled" };
    flight->ends_mono_ms = 0;
}

uint64_t subscribers_next(const struct subscribers *r)
{
    uint64_t next = AGENDA_NEVER;

    for (struct list *link = r->flights.next; link != &r->flights; link = link->next) {
        const struct flight *flight = container_of(link, struct flight, link);
        if (flight->ends_mono_ms < next)
            next = flight->ends_mono_ms;
    }
    return next;
}

/* The schedule as the contract words it, apart from the code that is tested. */
static void check_due(const struct subscribers *r, const struct attempt *a,
                      const struct answer *answer, struct now now)
{
    double step = 1000.0 * r->policy->schedule_s[a->record.number - 1];
    double delay = (double)(a->verdict.due_at_ms - now.wall_ms);
    double least = 0.8 * step, most = 1.2 * step;

    if (answer->retry_after_s > 0) {
        least = step;
        most = 2 * step;
    }
    if (answer->err == ERR_TIMEOUT) {
        least = least < 60000 ? 60000 : least;
        most = most < 60000 ? 60000 : most;
    }
    assert_true(delay >= least - 1 && delay <= most + 1);
}

static void note_outcome(struct subscribers *r, struct flight *f, const struct attempt *a,
                         struct now now)
{
    struct parcel *parcel = f->parcel;
    const struct answer *answer = &f->answer;
    bool last = a->record.number == r->policy->count + 1;

    parcel->attempts = a->record.number;
    if (answer->err == ERR_OK && answer->status / 100 == 2) {
        assert_int_equal(a->verdict.state, DELIVERY_DELIVERED);
        r->repeats += parcel->accepted > 0;
        parcel->accepted++;
    } else if (answer->err == ERR_OK && answer->status == 410) {
        assert_int_equal(a->verdict.state, DELIVERY_DEAD);
        parcel->unwanted = true;
    } else {
        assert_int_equal(a->verdict.state, last ? DELIVERY_DEAD : DELIVERY_PENDING);
        parcel->due_at_ms = a->verdict.due_at_ms;
        if (!last)
            check_due(r, a, answer, now);
    }
}

/* Whether there is an attempt: some are as if they had never been made. */
static bool counts(enum err err)
{
    return err != ERR_CANCELED && err != ERR_BUSY && err != ERR_SEALED;
}

static void land(struct subscribers *r, struct flight *f)
{
    list_remove(&f->link);
    f->parcel->in_flight = false;
    f->subscriber->in_flight--;
    r->in_flight--;
}

void subscribers_answer(struct subscribers *r, struct now now)
{
    struct list *link = r->flights.next;

    while (link != &r->flights) {
        struct flight *f = container_of(link, struct flight, link);
        struct attempt *a = f->attempt;

        link = link->next;
        if (f->ends_mono_ms > now.mono_ms)
            continue;
        land(r, f);
        f->answer.duration_ms = (uint32_t)(now.mono_ms - a->started.mono_ms);
        attempt_done(a, &f->answer, now);
        if (counts(f->answer.err))
            note_outcome(r, f, a, now);
        free(f);
    }
}

void subscribers_crash(struct subscribers *r)
{
    for (struct list *link = r->flights.next; link != &r->flights; link = link->next) {
        struct flight *f = container_of(link, struct flight, link);
        if (f->answer.err == ERR_OK && f->answer.status / 100 == 2 && dice_chance(r->dice, 50))
            f->parcel->accepted++;
        f->parcel->unclear = true;
    }
}

void subscribers_doubt_all(struct subscribers *r)
{
    for (size_t i = 0; i < r->count; i++)
        for (size_t n = 0; n < MESSAGES_MAX; n++)
            r->items[i]->parcels[n].unclear = true;
}

void subscribers_check_all_settled(const struct subscribers *r)
{
    for (size_t i = 0; i < r->count; i++) {
        for (size_t n = 0; n < MESSAGES_MAX; n++) {
            const struct parcel *p = &r->items[i]->parcels[n];
            bool exhausted = p->attempts == r->policy->count + 1;
            if (p->owed && !p->forgiven && !p->unwanted && p->accepted == 0 && !exhausted)
                fail_msg("subscriber %zu never got message %zu (%u attempts)", i, n,
                         p->attempts);
        }
    }
}
