/* Inputs and decisions as JSON. */
#include "region/route_code.h"

static void put_known(struct json_writer *w, const char *name, bool known, uint64_t value)
{
    json_name(w, name);
    if (known)
        json_put_integer(w, (int64_t)value);
    else
        json_put_null(w);
}

static void put_id(struct json_writer *w, const char *name, enum id_kind kind,
                   const struct id *id)
{
    char text[ID_TEXT_MAX];

    id_format(kind, id, text);
    json_add_text(w, name, text);
}

static const char *name_of(const struct route_inputs *in, size_t region)
{
    return region == ROUTE_NOWHERE ? NULL : in->regions[region].name;
}

static void put_region(struct json_writer *w, const char *name, const struct route_inputs *in,
                       size_t region)
{
    json_add_text(w, name, name_of(in, region));
}

static void put_set(struct json_writer *w, const char *name, const struct route_inputs *in,
                    region_set set)
{
    json_name(w, name);
    json_open_array(w);
    for (size_t i = 0; i < in->count; i++)
        if (region_set_has(set, i))
            json_put_text(w, in->regions[i].name);
    json_close_array(w);
}

static void put_memory(struct json_writer *w, const char *name, const struct route_inputs *in,
                       const struct route_memory *m)
{
    json_name(w, name);
    json_open_object(w);
    put_region(w, "current", in, m->current);
    json_add_unsigned(w, "sinceMs", m->since_ms);
    json_add_unsigned(w, "flaps", m->flaps);
    json_add_bool(w, "changed", m->changed);
    put_region(w, "challenger", in, m->challenger);
    json_add_unsigned(w, "wins", m->wins);
    json_add_unsigned(w, "wonMs", m->won_ms);
    json_close_object(w);
}

void route_put(struct json_writer *w, const struct route_inputs *in,
               const struct route_decision *d)
{
    json_open_object(w);
    json_name(w, "inputs");
    route_put_inputs(w, in);
    json_name(w, "decision");
    route_put_decision(w, in, d);
    json_close_object(w);
}

/* Inputs. */

static void put_path(struct json_writer *w, const struct path_view *path)
{
    json_name(w, "path");
    json_open_object(w);
    json_add_text(w, "source", path_source_name(path->source));
    json_add_unsigned(w, "rttUs", path->rtt_us);
    json_add_unsigned(w, "ageS", path->age_s);
    json_add_unsigned(w, "firstByteUs", path->first_byte_us);
    json_add_unsigned(w, "firstByteCount", path->first_byte_count);
    json_add_unsigned(w, "requests", path->requests);
    json_add_unsigned(w, "reused", path->reused);
    json_add_unsigned(w, "failures", path->failures);
    json_add_bool(w, "open", path->open);
    json_close_object(w);
}

static void put_region_inputs(struct json_writer *w, const struct route_region *r)
{
    json_open_object(w);
    json_add_text(w, "name", r->name);
    json_add_unsigned(w, "ordinal", r->ordinal);
    json_add_bool(w, "lawful", r->lawful);
    json_add_bool(w, "entitled", r->entitled);
    json_add_text(w, "state", region_state_name(r->state));
    json_add_bool(w, "draining", r->draining);
    put_known(w, "credit", r->has_credit_limit, r->credit);
    json_add_unsigned(w, "queueUs", r->queue_us);
    json_add_text(w, "target", r->way.label);
    json_add_unsigned(w, "trips", r->way.trips);
    put_known(w, "receiverKm", r->receiver_km != ROUTE_KM_UNKNOWN, r->receiver_km);
    put_known(w, "homeKm", r->home_km != ROUTE_KM_UNKNOWN, r->home_km);
    put_path(w, &r->path);
    json_close_object(w);
}

/* Each once. */
static void put_links(struct json_writer *w, const struct route_inputs *in)
{
    json_name(w, "links");
    json_open_array(w);
    for (size_t a = 0; a < in->count; a++) {
        for (size_t b = a + 1; b < in->count; b++) {
            if (in->link_us[a][b] == 0)
                continue;
            json_open_object(w);
            put_region(w, "from", in, a);
            put_region(w, "to", in, b);
            json_add_unsigned(w, "rttUs", in->link_us[a][b]);
            json_close_object(w);
        }
    }
    json_close_array(w);
}

static void put_rules(struct json_writer *w, const struct hysteresis_rules *rules)
{
    json_name(w, "rules");
    json_open_object(w);
    json_add_unsigned(w, "marginUs", rules->margin_us);
    json_add_unsigned(w, "marginPercent", rules->margin_percent);
    json_add_unsigned(w, "wins", rules->wins);
    json_add_unsigned(w, "apartMs", rules->apart_ms);
    json_add_unsigned(w, "dwellMs", rules->dwell_ms);
    json_add_unsigned(w, "dwellMaxMs", rules->dwell_max_ms);
    json_add_unsigned(w, "calmMs", rules->calm_ms);
    json_close_object(w);
}

void route_put_inputs(struct json_writer *w, const struct route_inputs *in)
{
    json_open_object(w);
    json_add_unsigned(w, "version", ROUTE_VERSION);
    put_id(w, "application", ID_APPLICATION, &in->application);
    json_add_unsigned(w, "applicationVersion", in->application_version);
    put_id(w, "endpoint", ID_ENDPOINT, &in->endpoint);
    json_add_unsigned(w, "endpointVersion", in->endpoint_version);
    json_add_unsigned(w, "wallMs", in->now.wall_ms);
    json_add_unsigned(w, "monoMs", in->now.mono_ms);
    json_add_text(w, "jurisdiction", in->jurisdiction);
    put_region(w, "home", in, in->home);
    json_add_text(w, "mode", dispatch_mode_name(in->mode));
    json_name(w, "pins");
    json_open_array(w);
    for (size_t i = 0; i < in->pin_count; i++)
        json_put_text(w, in->regions[in->pins[i]].name);
    json_close_array(w);
    json_name(w, "regions");
    json_open_array(w);
    for (size_t i = 0; i < in->count; i++)
        put_region_inputs(w, &in->regions[i]);
    json_close_array(w);
    put_links(w, in);
    put_memory(w, "memory", in, &in->memory);
    put_rules(w, &in->rules);
    json_add_bool(w, "damped", in->damped);
    json_close_object(w);
}

/* Decisions. */

static void put_cost(struct json_writer *w, const struct route_cost *c)
{
    json_open_object(w);
    put_known(w, "totalUs", c->known, c->total_us);
    json_add_bool(w, "remote", c->remote);
    json_add_unsigned(w, "linkUs", c->link_us);
    json_add_text(w, "linkSource", path_source_name(c->link_source));
    json_add_unsigned(w, "queueUs", c->queue_us);
    json_add_unsigned(w, "handlingUs", c->handling_us);
    json_add_unsigned(w, "rttUs", c->rtt_us);
    json_add_text(w, "rttSource", path_source_name(c->rtt_source));
    json_add_unsigned(w, "coldPermille", c->cold_permille);
    json_add_unsigned(w, "trips", c->trips);
    json_add_unsigned(w, "setupUs", c->setup_us);
    json_add_unsigned(w, "firstByteUs", c->first_byte_us);
    json_add_bool(w, "firstByteMeasured", c->first_byte_measured);
    json_add_unsigned(w, "firstByteCount", c->first_byte_count);
    put_known(w, "serverUs", c->server_known, c->server_us);
    json_add_unsigned(w, "backUs", c->back_us);
    json_close_object(w);
}

static void put_excluded(struct json_writer *w, const struct route_inputs *in,
                         const struct route_decision *d)
{
    json_name(w, "excluded");
    json_open_object(w);
    for (size_t i = 0; i < in->count; i++)
        if (d->excluded[i])
            json_add_text(w, in->regions[i].name, route_exclusion_text(d->excluded[i]));
    json_close_object(w);
}

void route_put_decision(struct json_writer *w, const struct route_inputs *in,
                        const struct route_decision *d)
{
    json_open_object(w);
    put_region(w, "region", in, d->region);
    json_add_text(w, "held", d->held ? route_held_text(d->held) : NULL);
    put_set(w, "legal", in, d->legal);
    put_set(w, "explicit", in, d->wished);
    put_set(w, "alive", in, d->alive);
    put_excluded(w, in, d);
    json_add_bool(w, "lastResort", d->last_resort);
    json_name(w, "costs");
    json_open_object(w);
    for (size_t i = 0; i < in->count; i++) {
        json_name(w, in->regions[i].name);
        put_cost(w, &d->costs[i]);
    }
    json_close_object(w);
    put_region(w, "best", in, d->best);
    json_add_text(w, "hysteresis", hysteresis_verdict_name(d->verdict));
    put_memory(w, "after", in, &d->after);
    put_region(w, "forbidden", in, d->forbidden);
    json_close_object(w);
}
