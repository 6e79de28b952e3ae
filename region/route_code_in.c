/* Inputs from JSON, and decisions made again. */
#include "region/route_code.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/explain.h"

#define INSTANT_MAX   INT64_MAX
#define TRIPS_MAX     8
#define SHOWN_MAX     128 /* bytes of a value in a difference */
#define PATH_TEXT_MAX 128

/* The first thing that is wrong; what was read is still good to free, for there is nothing to. */
struct reader {
    char *why;
    bool failed;
};

static void fail(struct reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void fail(struct reader *r, const char *format, ...)
{
    va_list args;

    if (r->failed)
        return;
    r->failed = true;
    va_start(args, format);
    explain_list(r->why, ROUTE_WHY_MAX, format, args);
    va_end(args);
}

static bool is_none(const struct json *j)
{
    return !j || json_type_of(j) == SCAN_NULL;
}

static uint64_t take_number(struct reader *r, const struct json *j, const char *name,
                            int64_t most)
{
    int64_t value = 0;

    if (!json_int64(json_member(j, name), &value) || value < 0 || value > most)
        fail(r, "%s: expected a whole number from 0 to %lld", name, (long long)most);
    return r->failed ? 0 : (uint64_t)value;
}

static uint32_t take_short(struct reader *r, const struct json *j, const char *name)
{
    return (uint32_t)take_number(r, j, name, UINT32_MAX);
}

/* Null where nothing is known. */
static uint32_t take_known(struct reader *r, const struct json *j, const char *name,
                           uint32_t otherwise)
{
    return is_none(json_member(j, name)) ? otherwise : take_short(r, j, name);
}

static bool take_bool(struct reader *r, const struct json *j, const char *name)
{
    const struct json *value = json_member(j, name);
    enum scan_type type = json_type_of(value);

    if (type != SCAN_TRUE && type != SCAN_FALSE)
        fail(r, "%s: expected true or false", name);
    return json_bool(value);
}

static const char *take_text(struct reader *r, const struct json *j, const char *name)
{
    const char *text = json_text(json_member(j, name));

    if (!text)
        fail(r, "%s: expected a string", name);
    return text ? text : "";
}

/* Such as a region's, or nothing. */
static void take_name(struct reader *r, const struct json *j, const char *name,
                      char out[REGION_NAME_LEN_MAX + 1])
{
    const char *text = take_text(r, j, name);

    if (*text && !region_name_is_valid(text))
        fail(r, "%s: " REGION_NAME_WANTED, name);
    else
        snprintf(out, REGION_NAME_LEN_MAX + 1, "%s", text);
}

static void take_id(struct reader *r, const struct json *j, const char *name, enum id_kind kind,
                    struct id *out)
{
    if (id_parse(kind, take_text(r, j, name), out))
        fail(r, "%s: expected an id", name);
}

/* The index of one among the names; `count` when it is none of them. */
static size_t find_name(const char *(*name_at)(size_t), size_t count, const char *name)
{
    size_t i = 0;

    while (i < count && strcmp(name_at(i), name) != 0)
        i++;
    return i;
}

static const char *state_at(size_t i)
{
    return region_state_name((enum region_state)i);
}

static const char *source_at(size_t i)
{
    return path_source_name((enum path_source)i);
}

static size_t take_choice(struct reader *r, const struct json *j, const char *name,
                          const char *(*name_at)(size_t), size_t count)
{
    const char *text = take_text(r, j, name);
    size_t found = find_name(name_at, count, text);

    if (found == count)
        fail(r, "%s: \"%.32s\" is none", name, text);
    return found < count ? found : 0;
}

static size_t find_region(const struct route_inputs *in, const char *name)
{
    for (size_t i = 0; i < in->count; i++)
        if (strcmp(in->regions[i].name, name) == 0)
            return i;
    return ROUTE_NOWHERE;
}

/* Null: nowhere. */
static size_t take_region(struct reader *r, const struct json *j, const char *name,
                          const struct route_inputs *in)
{
    const struct json *value = json_member(j, name);
    size_t region = ROUTE_NOWHERE;

    if (is_none(value))
        return region;
    if (json_text(value))
        region = find_region(in, json_text(value));
    if (region == ROUTE_NOWHERE)
        fail(r, "%s: expected one of the regions", name);
    return region;
}

static void take_path(struct reader *r, const struct json *j, struct path_view *out)
{
    *out = (struct path_view){
        .source = (enum path_source)take_choice(r, j, "source", source_at, PATH_SOURCES),
        .rtt_us = take_short(r, j, "rttUs"),
        .age_s = take_short(r, j, "ageS"),
        .first_byte_us = take_short(r, j, "firstByteUs"),
        .first_byte_count = take_short(r, j, "firstByteCount"),
        .requests = take_short(r, j, "requests"),
        .reused = take_short(r, j, "reused"),
        .failures = take_short(r, j, "failures"),
        .open = take_bool(r, j, "open"),
    };
    if (out->reused > out->requests)
        fail(r, "reused: expected no more than requests");
}

static void take_region_inputs(struct reader *r, const struct json *j,
                               const struct route_inputs *in, struct route_region *out)
{
    take_name(r, j, "name", out->name);
    if (!r->failed && find_region(in, out->name) != ROUTE_NOWHERE)
        fail(r, "name: there are two of \"%s\"", out->name);
    out->ordinal = (uint8_t)take_number(r, j, "ordinal", REGION_ORDINAL_MAX);
    out->lawful = take_bool(r, j, "lawful");
    out->entitled = take_bool(r, j, "entitled");
    out->state = (enum region_state)take_choice(r, j, "state", state_at, REGION_STATES);
    out->draining = take_bool(r, j, "draining");
    out->has_credit_limit = !is_none(json_member(j, "credit"));
    out->credit = take_known(r, j, "credit", 0);
    out->queue_us = take_short(r, j, "queueUs");
    take_name(r, j, "target", out->way.label);
    out->way.trips = (uint8_t)take_number(r, j, "trips", TRIPS_MAX);
    out->receiver_km = take_known(r, j, "receiverKm", ROUTE_KM_UNKNOWN);
    out->home_km = take_known(r, j, "homeKm", ROUTE_KM_UNKNOWN);
    take_path(r, json_member(j, "path"), &out->path);
}

static void take_regions(struct reader *r, const struct json *j, struct route_inputs *out)
{
    const struct json *regions = json_member(j, "regions");
    size_t count = json_type_of(regions) == SCAN_ARRAY ? json_count(regions) : 0;

    if (count < 1 || count > REGIONS_MAX)
        fail(r, "regions: expected 1 to %d", REGIONS_MAX);
    while (!r->failed && out->count < count) {
        take_region_inputs(r, json_at(regions, out->count), out, &out->regions[out->count]);
        out->count++;
    }
}

static void take_links(struct reader *r, const struct json *j, struct route_inputs *out)
{
    const struct json *links = json_member(j, "links");

    if (json_type_of(links) != SCAN_ARRAY)
        fail(r, "links: expected an array");
    for (size_t i = 0; i < json_count(links) && !r->failed; i++) {
        const struct json *link = json_at(links, i);
        size_t a = take_region(r, link, "from", out), b = take_region(r, link, "to", out);
        uint32_t rtt_us = take_short(r, link, "rttUs");

        if (a == b || a == ROUTE_NOWHERE || b == ROUTE_NOWHERE)
            fail(r, "links: expected two regions");
        else
            out->link_us[a][b] = out->link_us[b][a] = rtt_us;
    }
}

static void take_pins(struct reader *r, const struct json *j, struct route_inputs *out)
{
    const struct json *pins = json_member(j, "pins");

    if (json_type_of(pins) != SCAN_ARRAY || json_count(pins) > REGIONS_MAX)
        fail(r, "pins: expected at most %d regions", REGIONS_MAX);
    for (size_t i = 0; i < json_count(pins) && !r->failed; i++) {
        const char *name = json_text(json_at(pins, i));
        size_t region = name ? find_region(out, name) : ROUTE_NOWHERE;

        if (region == ROUTE_NOWHERE)
            fail(r, "pins: expected regions");
        else
            out->pins[out->pin_count++] = region;
    }
}

static void take_memory(struct reader *r, const struct json *j, struct route_inputs *out)
{
    out->memory = (struct route_memory){
        .current = take_region(r, j, "current", out),
        .since_ms = take_number(r, j, "sinceMs", INSTANT_MAX),
        .flaps = take_short(r, j, "flaps"),
        .changed = take_bool(r, j, "changed"),
        .challenger = take_region(r, j, "challenger", out),
        .wins = take_short(r, j, "wins"),
        .won_ms = take_number(r, j, "wonMs", INSTANT_MAX),
    };
}

static void take_rules(struct reader *r, const struct json *j, struct hysteresis_rules *out)
{
    *out = (struct hysteresis_rules){
        .margin_us = take_short(r, j, "marginUs"),
        .margin_percent = take_short(r, j, "marginPercent"),
        .wins = take_short(r, j, "wins"),
        .apart_ms = take_short(r, j, "apartMs"),
        .dwell_ms = take_short(r, j, "dwellMs"),
        .dwell_max_ms = take_short(r, j, "dwellMaxMs"),
        .calm_ms = take_short(r, j, "calmMs"),
    };
}

static void take_head(struct reader *r, const struct json *j, struct route_inputs *out)
{
    take_id(r, j, "application", ID_APPLICATION, &out->application);
    out->application_version = take_number(r, j, "applicationVersion", INT64_MAX);
    take_id(r, j, "endpoint", ID_ENDPOINT, &out->endpoint);
    out->endpoint_version = take_number(r, j, "endpointVersion", INT64_MAX);
    out->now.wall_ms = take_number(r, j, "wallMs", INSTANT_MAX);
    out->now.mono_ms = take_number(r, j, "monoMs", INSTANT_MAX);
    take_name(r, j, "jurisdiction", out->jurisdiction);
    if (!dispatch_mode_find(take_text(r, j, "mode"), &out->mode))
        fail(r, "mode: expected auto, home or pin");
    out->damped = take_bool(r, j, "damped");
}

enum err route_read_inputs(const struct json *j, struct route_inputs *out,
                           char why[ROUTE_WHY_MAX])
{
    struct reader r = { .why = why };
    struct route_inputs in = { .home = ROUTE_NOWHERE };

    if (take_number(&r, j, "version", INT64_MAX) != ROUTE_VERSION && !r.failed) {
        fail(&r, "version: made by other rules than version %d", ROUTE_VERSION);
        return ERR_VERSION;
    }
    take_head(&r, j, &in);
    take_regions(&r, j, &in);
    in.home = take_region(&r, j, "home", &in);
    take_pins(&r, j, &in);
    take_links(&r, j, &in);
    take_memory(&r, json_member(j, "memory"), &in);
    take_rules(&r, json_member(j, "rules"), &in.rules);
    if (r.failed)
        return ERR_INVALID;
    *out = in;
    return ERR_OK;
}

/* Differences. */

struct comparison {
    struct reader *r; /* fails at the first difference */
    char at[PATH_TEXT_MAX];
    const struct json *was; /* the object that is walked */
};

static void compare(struct comparison *c, const struct json *was, const struct json *is);

static void show(const struct json *j, struct buf *out)
{
    if (!j || json_dump(j, false, out) != ERR_OK)
        buf_clear(out);
}

static void compare_values(struct comparison *c, const struct json *was, const struct json *is)
{
    struct buf a = BUF_INIT(SHOWN_MAX), b = BUF_INIT(SHOWN_MAX);

    show(was, &a);
    show(is, &b);
    if (a.len != b.len || strcmp(buf_text(&a), buf_text(&b)) != 0)
        fail(c->r, "%s was %s, is %s", c->at, buf_text(&a), buf_text(&b));
    buf_fini(&a);
    buf_fini(&b);
}

static void compare_inner(struct comparison *c, const char *name, const struct json *was,
                          const struct json *is)
{
    struct comparison inner = { .r = c->r };

    explain(inner.at, sizeof inner.at, "%s%s%s", c->at, c->at[0] ? "/" : "", name);
    compare(&inner, was, is);
}

static void compare_member(const char *name, const struct json *is, void *ctx)
{
    struct comparison *c = ctx;

    compare_inner(c, name, json_member(c->was, name), is);
}

/* Its depth is that of a decision, which is ours. */
static void compare(struct comparison *c, const struct json *was, const struct json *is)
{
    enum scan_type type = json_type_of(is);
    bool is_container = type == SCAN_OBJECT || type == SCAN_ARRAY;

    if (c->r->failed)
        return;
    if (is_container && (json_type_of(was) != type || json_count(was) != json_count(is))) {
        fail(c->r, "%s was another", c->at[0] ? c->at : "decision");
    } else if (type == SCAN_OBJECT) {
        c->was = was;
        json_each(is, compare_member, c);
    } else if (type == SCAN_ARRAY) {
        for (size_t i = 0; i < json_count(is); i++) {
            char name[24];
            snprintf(name, sizeof name, "%zu", i);
            compare_inner(c, name, json_at(was, i), json_at(is, i));
        }
    } else {
        compare_values(c, was, is);
    }
}

/* As what is written of it, which is all that was recorded. */
static enum err compare_decision(const struct json *was, const struct route_inputs *in,
                                 const struct route_decision *d, char why[ROUTE_WHY_MAX])
{
    struct buf text = BUF_INIT(ROUTE_CODE_MAX);
    struct reader r = { .why = why };
    struct comparison comparison = { .r = &r };
    struct scan_fault fault;
    struct json_writer w;
    struct json *is = NULL;

    json_write_begin(&w, &text);
    route_put_decision(&w, in, d);
    enum err err = json_write_end(&w);
    if (!err)
        err = json_parse(text.bytes, text.len, &is, &fault);
    if (!err) {
        compare(&comparison, was, is);
        json_free(is);
    }
    buf_fini(&text);
    if (!err && r.failed)
        err = ERR_CONFLICT;
    return err;
}

enum err route_recompute(const struct json *recorded, struct route_inputs *in,
                         struct route_decision *d, char why[ROUTE_WHY_MAX])
{
    enum err err = route_read_inputs(json_member(recorded, "inputs"), in, why);

    if (err)
        return err;
    route_decide(in, d);
    return compare_decision(json_member(recorded, "decision"), in, d, why);
}
