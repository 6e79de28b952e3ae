#include "region/route_explain.h"

#include <stdarg.h>
#include <stdio.h>

#define ALONE "this region" /* it has no name */

/* Text that is written to; the first error sticks. */
struct page {
    const struct route_inputs *in;
    const struct route_decision *d;
    struct buf *out;
    enum err err;
};

static void put(struct page *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct page *p, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!p->err)
        p->err = buf_append_text(p->out, text);
}

static const char *name_of(const struct page *p, size_t region)
{
    const char *name = p->in->regions[region].name;

    return name[0] ? name : ALONE;
}

/* Times below 10 ms with a digit behind the point. */
static void put_ms(struct page *p, uint64_t us)
{
    uint64_t tenths = (us + 50) / 100;

    if (tenths < 100 && tenths % 10 != 0)
        put(p, "%llu.%llu", (unsigned long long)tenths / 10, (unsigned long long)tenths % 10);
    else
        put(p, "%llu", (unsigned long long)(us + 500) / 1000);
}

static void put_duration(struct page *p, uint64_t ms)
{
    unsigned long long s = ms / 1000;

    if (s < 2 * 60)
        put(p, "%llu s", s);
    else if (s < 2 * 60 * 60)
        put(p, "%llu min", s / 60);
    else if (s < 2 * 24 * 60 * 60)
        put(p, "%llu h", s / (60 * 60));
    else
        put(p, "%llu d", s / (24 * 60 * 60));
}

static void put_set(struct page *p, region_set set)
{
    const char *separator = "";

    put(p, "{");
    for (size_t i = 0; i < p->in->count; i++) {
        if (!region_set_has(set, i))
            continue;
        put(p, "%s%s", separator, name_of(p, i));
        separator = ", ";
    }
    put(p, "}");
}

/* Those that a step left out, by its reason: "iad, sin: not in the jurisdiction". */
static void put_excluded(struct page *p, region_set before, region_set after)
{
    const char *gap = "   ";

    for (int why = ROUTE_LEFT_IN + 1; why < ROUTE_EXCLUSIONS; why++) {
        const char *separator = gap;

        for (size_t i = 0; i < p->in->count; i++) {
            if (!region_set_has(before & ~after, i) || (int)p->d->excluded[i] != why)
                continue;
            put(p, "%s%s", separator, name_of(p, i));
            separator = ", ";
        }
        if (separator == gap)
            continue;
        put(p, ": %s", route_exclusion_text((enum route_exclusion)why));
        gap = "; ";
    }
}

static void put_head(struct page *p, const struct route_subject *subject)
{
    char application[ID_TEXT_MAX], endpoint[ID_TEXT_MAX];

    id_format(ID_APPLICATION, &p->in->application, application);
    id_format(ID_ENDPOINT, &p->in->endpoint, endpoint);
    put(p, "application %s", subject->application ? subject->application : application);
    if (p->in->jurisdiction[0])
        put(p, " (%s, home %s)", p->in->jurisdiction,
            p->in->home == ROUTE_NOWHERE ? "unknown here" : name_of(p, p->in->home));
    put(p, "   endpoint %s", endpoint);
    if (subject->url)
        put(p, " %.400s", subject->url);
    put(p, "\n");
}

static void put_wish(struct page *p)
{
    put(p, " 2 explicit    %s", dispatch_mode_name(p->in->mode));
    for (size_t i = 0; i < p->in->pin_count; i++)
        put(p, "%s%s", i > 0 ? ", " : " ", name_of(p, p->in->pins[i]));
    put_excluded(p, p->d->legal, p->d->wished);
    put(p, "\n");
}

static void put_steps(struct page *p)
{
    region_set all = region_set_of(p->in->count) - 1;

    put(p, " 1 legal       ");
    put_set(p, p->d->legal);
    put_excluded(p, all, p->d->legal);
    put(p, "\n");
    put_wish(p);
    put(p, " 3 alive       ");
    put_set(p, p->d->alive);
    put_excluded(p, p->d->wished, p->d->alive);
    if (p->d->last_resort)
        put(p, "; so the home, all the same");
    put(p, "\n");
}

/* Costs. */

static const char *source_text(enum path_source source)
{
    switch (source) {
    case PATH_DELIVERY:
        return "measured";
    case PATH_PROBE:
        return "probed";
    case PATH_GEO:
        return "estimated";
    case PATH_BOUND:
        return "at most";
    case PATH_SUPPOSED:
        return "supposed";
    case PATH_UNKNOWN:
    case PATH_SOURCES:
        break;
    }
    return "unknown";
}

static void put_link(struct page *p, const struct route_cost *c)
{
    put(p, "link ");
    put_ms(p, c->link_us);
    if (c->link_source == PATH_GEO)
        put(p, " (%s)", source_text(c->link_source));
    put(p, " + queue ");
    put_ms(p, c->queue_us);
    put(p, " + ");
    put_ms(p, c->handling_us);
    put(p, " + ");
}

static void put_first_byte(struct page *p, const struct route_cost *c)
{
    put(p, " + ttfb ");
    put_ms(p, c->first_byte_us);
    if (c->first_byte_measured) {
        put(p, " (p50 of %u deliveries%s)", c->first_byte_count,
            c->rtt_source == PATH_SUPPOSED ? ", shifted as supposed" : "");
        return;
    }
    put(p, " (rtt ");
    put_ms(p, c->rtt_us);
    put(p, " %s + server ", source_text(c->rtt_source));
    if (c->server_known)
        put_ms(p, c->server_us);
    else
        put(p, "unknown");
    put(p, ")");
}

static void put_cost(struct page *p, size_t region, const char *margin)
{
    const struct route_cost *c = &p->d->costs[region];
    const unsigned reused = (ROUTE_PERMILLE - c->cold_permille + 5) / 10;

    put(p, "%s%s", margin, name_of(p, region));
    if (!c->known) {
        put(p, ": nothing is known of the way %s\n",
            c->rtt_source == PATH_UNKNOWN ? "to the receiver" : "to it");
        return;
    }
    put(p, " ");
    put_ms(p, c->total_us);
    put(p, " ms = ");
    if (c->remote)
        put_link(p, c);
    put(p, "setup ");
    put_ms(p, c->setup_us);
    put(p, " (%u %% reused)", reused);
    put_first_byte(p, c);
    put(p, " - way back ");
    put_ms(p, c->back_us);
    put(p, "\n");
}

/* The next behind `after` by cost, then ordinal; ROUTE_NOWHERE at the end. */
static size_t next_by_cost(const struct page *p, region_set left)
{
    size_t next = ROUTE_NOWHERE;

    for (size_t i = 0; i < p->in->count; i++) {
        const struct route_cost *c = &p->d->costs[i];

        if (!region_set_has(left, i))
            continue;
        if (next == ROUTE_NOWHERE || (c->known && !p->d->costs[next].known) ||
            (c->known && c->total_us < p->d->costs[next].total_us))
            next = i;
    }
    return next;
}

static void put_costs(struct page *p)
{
    const char *margin = " 4 cost        ";
    region_set left = p->d->alive;

    if (p->d->last_resort)
        left = region_set_of(p->in->home);
    for (size_t i = next_by_cost(p, left); i != ROUTE_NOWHERE; i = next_by_cost(p, left)) {
        put_cost(p, i, margin);
        margin = "               ";
        left &= ~region_set_of(i);
    }
}

/* Hysteresis. */

static void put_challenger(struct page *p)
{
    const struct route_memory *m = &p->d->after;
    uint64_t current_us = p->d->costs[m->current].total_us;

    put(p, "; %s is better by more than ", name_of(p, m->challenger));
    put_ms(p, hysteresis_margin_us(&p->in->rules, current_us));
    put(p, " ms, %u of %u times", m->wins, p->in->rules.wins);
}

static void put_current(struct page *p)
{
    const struct route_memory *m = &p->in->memory;
    uint64_t now_ms = p->in->now.mono_ms;

    put(p, "current %s since ", name_of(p, m->current));
    put_duration(p, now_ms > m->since_ms ? now_ms - m->since_ms : 0);
}

static void put_hysteresis(struct page *p)
{
    const struct route_memory *before = &p->in->memory;

    put(p, " 5 hysteresis  ");
    switch (p->d->verdict) {
    case HYSTERESIS_FIRST:
        put(p, "no route yet");
        break;
    case HYSTERESIS_LEFT:
        put(p, "left %s, which may not send any more", name_of(p, before->current));
        break;
    case HYSTERESIS_KEPT:
        put_current(p);
        put(p, "; no challenger");
        break;
    case HYSTERESIS_CHALLENGED:
        put_current(p);
        put_challenger(p);
        break;
    case HYSTERESIS_YOUNG:
        put_current(p);
        put_challenger(p);
        put(p, "; it may go from ");
        put_duration(p, hysteresis_dwell_ms(&p->in->rules, before));
        put(p, " on");
        break;
    case HYSTERESIS_DAMPED:
        put_current(p);
        put_challenger(p);
        put(p, "; too many routes change right now");
        break;
    case HYSTERESIS_MOVED:
        put_current(p);
        put(p, "; %s was better often enough", name_of(p, p->d->region));
        break;
    case HYSTERESIS_UNASKED:
    case HYSTERESIS_VERDICTS:
        put(p, "not asked");
        break;
    }
    put(p, "\n");
}

/* The result. */

static void put_forbidden(struct page *p)
{
    size_t fastest = p->d->forbidden;

    if (fastest == ROUTE_NOWHERE)
        return;
    put(p, "   %s would be ", name_of(p, fastest));
    if (p->d->region == ROUTE_NOWHERE) {
        put(p, "able to");
    } else {
        put_ms(p, p->d->costs[p->d->region].total_us - p->d->costs[fastest].total_us);
        put(p, " ms faster");
    }
    put(p, ", but isn't permitted: %s.", route_exclusion_text(p->d->excluded[fastest]));
}

static void put_result(struct page *p)
{
    if (p->d->held)
        put(p, " → held: %s.", route_held_text(p->d->held));
    else
        put(p, " → %s.", name_of(p, p->d->region));
    put_forbidden(p);
    put(p, "\n");
}

enum err route_explain(const struct route_subject *subject, const struct route_inputs *in,
                       const struct route_decision *d, struct buf *out)
{
    struct page page = { .in = in, .d = d, .out = out };

    put_head(&page, subject);
    put_steps(&page);
    put_costs(&page);
    if (!d->held)
        put_hysteresis(&page);
    put_result(&page);
    return page.err;
}
