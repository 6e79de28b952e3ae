/* Bytes as the inputs of a route, a list of suppositions, or a recorded decision.
 *
 * Holds: a decision is the same when it is made again, and again from what was written down of it;
 * it never names a region that isn't permitted; whatever was read can be decided on and explained;
 * suppositions that are refused change nothing. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "region/route_explain.h"
#include "region/route_what_if.h"

#define TEXT_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bytes that were given, then zeros. */
struct bits {
    const uint8_t *at;
    size_t left;
};

static uint32_t take(struct bits *bits, size_t len)
{
    uint32_t value = 0;

    for (size_t i = 0; i<len; i++, bits->at += bits->left> 0, bits->left -= bits->left > 0)
        value = value << 8 | (bits->left > 0 ? *bits->at : 0);
    return value;
}

static size_t take_region(struct bits *bits, size_t count)
{
    size_t region = take(bits, 1) % (count + 1);

    return region < count ? region : ROUTE_NOWHERE;
}

static void make_region(struct bits *bits, size_t index, struct route_region *r)
{
    uint32_t flags = take(bits, 1);

    r->name[0] = 'r';
    r->name[1] = (char)('a' + index);
    r->ordinal = (uint8_t)index;
    r->lawful = flags & 1;
    r->entitled = flags & 2;
    r->draining = flags & 4;
    r->has_credit_limit = flags & 8;
    r->path.open = flags & 16;
    r->way.label[0] = flags & 32 ? 'a' : 'b';
    r->state = (enum region_state)(take(bits, 1) % REGION_STATES);
    r->credit = r->has_credit_limit ? take(bits, 1) : 0;
    r->queue_us = take(bits, 4);
    r->way.trips = (uint8_t)(take(bits, 1) % 9);
    r->path.source = (enum path_source)(take(bits, 1) % PATH_SOURCES);
    r->path.rtt_us = take(bits, 4);
    r->path.first_byte_us = take(bits, 4);
    r->path.first_byte_count = take(bits, 1);
    r->path.requests = take(bits, 2);
    r->path.reused = r->path.requests > 0 ? take(bits, 2) % (r->path.requests + 1) : 0;
    r->receiver_km = flags & 64 ? take(bits, 4) : ROUTE_KM_UNKNOWN;
    r->home_km = flags & 128 ? take(bits, 2) : ROUTE_KM_UNKNOWN;
}

static struct route_inputs make_inputs(struct bits *bits)
{
    struct route_inputs in = { .count = 1 + take(bits, 1) % REGIONS_MAX };

    in.home = take_region(bits, in.count);
    in.mode = (enum dispatch_mode)(take(bits, 1) % 3);
    in.pin_count = take(bits, 1) % (REGIONS_MAX + 1);
    for (size_t i = 0; i < in.pin_count; i++)
        in.pins[i] = take(bits, 1) % in.count;
    in.now.mono_ms = take(bits, 4);
    in.damped = take(bits, 1) & 1;
    in.rules = hysteresis_default;
    if (take(bits, 1) & 1)
        in.rules = (struct hysteresis_rules){
            .margin_us = take(bits, 4),
            .margin_percent = take(bits, 4),
            .wins = take(bits, 1),
            .apart_ms = take(bits, 4),
            .dwell_ms = take(bits, 4),
            .dwell_max_ms = take(bits, 4),
            .calm_ms = take(bits, 4),
        };
    in.memory = (struct route_memory){
        .current = take_region(bits, in.count),
        .since_ms = take(bits, 4),
        .flaps = take(bits, 4),
        .changed = take(bits, 1) & 1,
        .challenger = take_region(bits, in.count),
        .wins = take(bits, 1),
        .won_ms = take(bits, 4),
    };
    for (size_t i = 0; i < in.count; i++)
        make_region(bits, i, &in.regions[i]);
    for (size_t a = 0; a < in.count; a++)
        for (size_t b = a + 1; b < in.count; b++)
            in.link_us[a][b] = in.link_us[b][a] = take(bits, 3);
    return in;
}

static void record(const struct route_inputs *in, const struct route_decision *d,
                   struct buf *out)
{
    struct json_writer w;

    json_write_begin(&w, out);
    route_put(&w, in, d);
    if (json_write_end(&w))
        abort();
}

static void check_recorded(const struct route_inputs *in, const struct route_decision *d)
{
    struct buf text = BUF_INIT(TEXT_MAX);
    struct route_decision again;
    struct route_inputs back;
    char why[ROUTE_WHY_MAX];
    struct scan_fault fault;
    struct json *json;

    record(in, d, &text);
    if (json_parse(text.bytes, text.len, &json, &fault) ||
        route_recompute(json, &back, &again, why))
        abort();
    assert(again.region == d->region && again.held == d->held);
    json_free(json);
    buf_fini(&text);
}

static void check_decision(const struct route_inputs *in)
{
    static const struct route_subject subject = { NULL, NULL };
    struct buf text = BUF_INIT(TEXT_MAX);
    struct route_decision d, again;

    route_decide(in, &d);
    route_decide(in, &again);
    assert(again.region == d.region && again.held == d.held && again.best == d.best &&
           again.verdict == d.verdict && again.after.current == d.after.current);
    assert((d.region == ROUTE_NOWHERE) == (d.held != ROUTE_SENT));
    if (!d.held) {
        assert(in->regions[d.region].lawful && in->regions[d.region].entitled);
        assert(d.region == d.after.current);
    }
    assert((d.alive & ~d.wished) == 0 && (d.wished & ~d.legal) == 0);
    assert(d.forbidden == ROUTE_NOWHERE || !region_set_has(d.legal, d.forbidden));
    if (route_explain(&subject, in, &d, &text))
        abort();
    buf_fini(&text);
    check_recorded(in, &d);
}

static void suppose(const char *text, struct route_inputs in)
{
    struct route_inputs before = in;
    char why[ROUTE_WHY_MAX] = "";

    if (route_what_if(text, &in, why))
        assert(why[0] && memcmp(&in, &before, sizeof in) == 0);
    else
        check_decision(&in);
}

/* A record with some bytes changed. */
static void check_damaged(const struct route_inputs *in, struct bits *bits)
{
    struct buf text = BUF_INIT(TEXT_MAX);
    char why[ROUTE_WHY_MAX] = "";
    struct route_inputs back;
    struct route_decision d;
    struct scan_fault fault;
    struct json *json;

    route_decide(in, &d);
    record(in, &d, &text);
    while (bits->left > 0) {
        size_t at = take(bits, 2) % text.len;
        text.bytes[at] = (uint8_t)take(bits, 1);
    }
    if (json_parse(text.bytes, text.len, &json, &fault) == ERR_OK) {
        enum err err = route_recompute(json, &back, &d, why);
        assert(!err || why[0]);
        if (!err || err == ERR_CONFLICT)
            check_decision(&back);
        json_free(json);
    }
    buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bits bits = { data, size };
    bool damages = take(&bits, 1) & 1;
    struct route_inputs in = make_inputs(&bits);

    check_decision(&in);
    if (damages) {
        check_damaged(&in, &bits);
    } else {
        char *text = xmemdup(bits.at, bits.left);
        suppose(text, in);
        free(text);
    }
    return 0;
}
