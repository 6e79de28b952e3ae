/* Caller: what we ask one peer, again and again.
 *
 *   (time) ─► hello ─► on_hello ─┐          a ping that is missed: hello again
 *                ▲               ▼
 *                └── (time) ─► ping ─► on_ping ─► health */
#include "region/private.h"

#include <stdio.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/random.h"

#define FIRST_TIMEOUT_MS  5000 /* while the round trip isn't known */
#define ANSWER_TIMEOUT_MS 500  /* and some round trips: */
#define HELLO_ROUND_TRIPS 6    /* on a new connection: four and more */
#define PING_ROUND_TRIPS  3
#define ANSWER_MAX        65536
#define PAUSE_MS_MAX      5000 /* while it is dead or refused: that it is mended shows soon */
#define CONNECTIONS       64   /* kept open to a peer: ping, journal, and what is carried */
#define USER_AGENT        "posthaste-link/" POSTHASTE_VERSION

static void say_hello(struct caller *caller);
static void on_hello(struct call *call);
static void send_ping(struct caller *caller);
static void on_ping(struct call *call);

struct target *caller_target(const struct caller *caller, const char *method, const char *path,
                             const char *query, const struct text_list *headers)
{
    struct buf url = BUF_INIT(URL_LEN_MAX), normal = BUF_INIT(URL_LEN_MAX);
    const struct text_list none = { 0 };
    struct target *target = NULL;
    const char *why;

    if (buf_printf(&url, "%s%s%s%s", caller->region->link_url, path, query[0] ? "?" : "",
                   query) != ERR_OK ||
        courier_url(buf_text(&url), &normal, &why) != ERR_OK ||
        target_new(method, buf_text(&normal), headers ? headers : &none, &target) != ERR_OK)
        target = NULL;
    buf_fini(&url);
    buf_fini(&normal);
    return target;
}

static enum err refuse(const struct region *region, const char *why)
{
    log_event(LOG_ERROR, "peer_unusable", LOG_STR("peer", region->name),
              LOG_STR("reason", why));
    return ERR_INVALID;
}

enum err caller_open(struct caller *caller, struct link *link, uv_loop_t *loop,
                     const struct region *region)
{
    const struct tls_peer peer = { .name = region->name,
                                   .certificates = region->certificate_pem };
    const char *why = NULL;

    caller->link = link;
    caller->region = region;
    forwards_init(&caller->forwards);
    stand_in_init(&caller->stand_in);
    caller->index = topology_index(link->topology, region);
    caller->backoff = (struct backoff){ .first_ms = PEER_PING_MS, .most_ms = PAUSE_MS_MAX };
    puller_open(caller);
    auditor_open(caller);
    if (tls_pins_new(&peer, 1, &caller->pins, &why) != ERR_OK ||
        pair_new(link->certificate, link->key, region->certificate_pem, &caller->pair, &why) !=
            ERR_OK)
        return refuse(region, why);
    if (!region->link_url)
        return ERR_OK; /* it asks, and is never asked */
    caller->hello = caller_target(caller, "GET", "/link/v1/hello", "", NULL);
    caller->ping = caller_target(caller, "POST", "/link/v1/ping", "", NULL);
    if (!caller->hello || !caller->ping) {
        peer_refused(&caller->health, "its link_url isn't one");
        return ERR_OK;
    }
    caller->identity = (struct courier_identity){ .certificate = link->certificate,
                                                  .key = link->key,
                                                  .pins = caller->pins };
    return courier_open(&caller->courier, &(struct courier_options){
                                              .loop = loop,
                                              .egress = link->egress,
                                              .user_agent = USER_AGENT,
                                              .identity = &caller->identity,
                                              .idle_connections = CONNECTIONS,
                                          });
}

struct caller *caller_to(struct link *link, uint8_t ordinal)
{
    for (size_t i = 0; i < link->caller_count; i++)
        if (link->callers[i].region->ordinal == ordinal)
            return &link->callers[i];
    return NULL;
}

bool caller_is_heard(const struct caller *caller)
{
    return caller->greeted && peer_is_heard(&caller->health);
}

void caller_poke(struct caller *caller, struct now now)
{
    if (!caller->courier)
        return;
    if (!caller->calling && now.mono_ms >= caller->next_mono_ms) {
        caller->calling = true;
        if (caller->greeted)
            send_ping(caller);
        else
            say_hello(caller);
    }
    puller_poke(caller, now);
    auditor_poke(caller, now);
    forwards_poke(caller, now);
}

static void begin_call(struct caller *caller, struct target *target, uint32_t timeout_ms,
                       void (*done)(struct call *))
{
    caller->call = (struct call){ .target = target,
                                  .timeout_ms = timeout_ms,
                                  .response_kept = ANSWER_MAX,
                                  .response_max = ANSWER_MAX,
                                  .is_timed = true,
                                  .done = done };
    courier_send(caller->courier, &caller->call);
}

/* Spread, so that regions that start together don't ask together. Whoever misses one is asked again
 * sooner, so that what is wrong is known sooner; who is given up less and less often. */
static uint64_t pause_ms(struct caller *caller)
{
    double mean_ms = caller->health.missed > 0 ? PEER_DOUBT_MS : PEER_PING_MS;

    if (peer_is_given_up(&caller->health))
        return backoff_fail(&caller->backoff, random_fraction());
    caller->backoff.failures = 0;
    return (uint64_t)(mean_ms * (0.5 + random_fraction()));
}

static void end_call(struct caller *caller)
{
    caller->calling = false;
    caller->next_mono_ms = clock_now().mono_ms + pause_ms(caller);
    buf_fini(&caller->call.response);
    link_settle(caller->link);
}

static void lose(struct caller *caller, const char *reason)
{
    caller->greeted = false;
    peer_missed(&caller->health, reason);
}

static void refuse_peer(struct caller *caller, const char *reason)
{
    caller->greeted = false;
    peer_refused(&caller->health, reason);
}

/* Whether an answer came, and was good; what else it was is noted. */
static bool is_answered(struct caller *caller)
{
    const struct call *call = &caller->call;
    char reason[REGION_REASON_MAX];

    if (call->err == ERR_OK && call->status == 200)
        return true;
    if (call->err && call->is_distrust) {
        refuse_peer(caller, call->reason);
    } else if (call->err) {
        lose(caller, call->reason);
    } else if (call->status == 503) {
        lose(caller, "it is too busy to answer");
    } else {
        snprintf(reason, sizeof reason, "it answers with status %u", call->status);
        refuse_peer(caller, reason);
    }
    return false;
}

static uint32_t timeout_ms(const struct caller *caller, uint32_t round_trips)
{
    uint32_t rtt_us = caller->health.rtt_us;

    return rtt_us ? ANSWER_TIMEOUT_MS + round_trips * rtt_us / 1000 : FIRST_TIMEOUT_MS;
}

static void say_hello(struct caller *caller)
{
    begin_call(caller, caller->hello, timeout_ms(caller, HELLO_ROUND_TRIPS), on_hello);
}

static void judge_hello(struct caller *caller, const struct hello_words *words)
{
    const struct region *region = caller->region;
    char reason[REGION_REASON_MAX];

    if (strcmp(words->region, region->name) != 0 || words->ordinal != region->ordinal) {
        snprintf(reason, sizeof reason,
                 "it says that it is %s, ordinal %u, not what its card says", words->region,
                 words->ordinal);
        refuse_peer(caller, reason);
    } else if (words->version_least > LINK_VERSION || words->version_most < LINK_VERSION) {
        snprintf(reason, sizeof reason,
                 "it speaks versions %lld to %lld of the link, we speak %d",
                 (long long)words->version_least, (long long)words->version_most, LINK_VERSION);
        refuse_peer(caller, reason);
    } else {
        caller->greeted = true;
    }
}

static void on_hello(struct call *call)
{
    struct caller *caller = container_of(call, struct caller, call);
    struct hello_words words;

    if (is_answered(caller)) {
        if (hello_read(call->response.bytes, call->response.len, &words) == ERR_OK)
            judge_hello(caller, &words);
        else
            refuse_peer(caller, "its hello isn't one");
    }
    end_call(caller);
    if (!caller->greeted)
        return;
    caller->next_mono_ms = 0; /* the first ping at once */
    puller_resume(caller);
    auditor_hurry(&caller->auditor);
}

static void send_ping(struct caller *caller)
{
    caller->sent_us = clock_wall_us();
    begin_call(caller, caller->ping, timeout_ms(caller, PING_ROUND_TRIPS), on_ping);
}

static region_set regions_of(const struct topology *t, const struct ping_words *words)
{
    region_set set = REGION_SET_NONE;

    for (size_t i = 0; i < words->reaches_count; i++) {
        const struct region *region = topology_by_ordinal(t, words->reaches[i]);
        if (region)
            set |= region_set_of(topology_index(t, region));
    }
    return set;
}

/* When the ping left: a new connection, to be made while others are taken, is no part of the
 * path. */
static uint64_t ping_left_us(const struct caller *caller)
{
    const struct call_times *times = &caller->call.times;

    return caller->sent_us + times->connect_us + times->tls_us;
}

static void on_ping(struct call *call)
{
    struct caller *caller = container_of(call, struct caller, call);
    struct ping_words words;

    if (is_answered(caller)) {
        if (ping_read(call->response.bytes, call->response.len, &words) == ERR_OK)
            peer_answered(
                &caller->health,
                &(struct pong){ .sent_us = ping_left_us(caller),
                                .got_us = clock_wall_us(),
                                .received_us = words.received_us,
                                .replied_us = words.replied_us,
                                .draining = words.draining,
                                .reaches = regions_of(caller->link->topology, &words) },
                clock_now().wall_ms);
        else
            refuse_peer(caller, "its answer to a ping isn't one");
    }
    end_call(caller);
}

void caller_close(struct caller *caller, void (*closed)(void *ctx), void *ctx)
{
    courier_close(caller->courier, closed, ctx);
    caller->courier = NULL;
}

void caller_free(struct caller *caller)
{
    puller_free(caller);
    auditor_fini(&caller->auditor);
    stand_in_fini(&caller->stand_in);
    target_unref(caller->hello);
    target_unref(caller->ping);
    pair_free(caller->pair);
    tls_pins_free(caller->pins);
}
