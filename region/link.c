/*   link_open ─► on_turn ─► callers ─► link_settle ─► health board
 *   link_close ─► on_server_closed ─► nothing under way ─► on_courier_closed ─► on_left
 *             ─► on_part_closed ─► closed */
#include "region/private.h"

#include <stdio.h>
#include <string.h>

#include "core/hex.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/random.h"
#include "core/residency.h"

#define TURN_MS         100
#define SERVER_CLOSE_MS 1000 /* for answers that are owed */
#define HEADER_BYTES    16384
#define BODY_BYTES      (64u << 20) /* of a request that another region carries here */
#define BUFFERED_BYTES  (256u << 20)
#define CONNECTIONS     1024
#define HEADER_MS       10000
#define BODY_MS         30000

static void on_turn(uv_timer_t *timer);
static void on_applied(struct store_follower *follower, const struct journal_reach *reach);
static void on_drained(struct store_follower *follower, uint8_t ordinal);
static void on_headers(struct exchange *x, void *ctx);
static void on_request(struct exchange *x, void *ctx);
static void on_abandoned(struct exchange *x, void *ctx);
static void on_stranger(const char *address, const char *why, void *ctx);
static void close_if_told(struct link *link, struct now now);
static void on_server_closed(void *ctx);
static void on_courier_closed(void *ctx);
static void on_left(struct task *left);
static void on_inbox_closed(struct inbox *inbox);
static void on_timer_closed(uv_handle_t *timer);

static enum err open_egress(struct link *link)
{
    char *subnets[] = { (char *)"0.0.0.0/0", (char *)"::/0" };
    const struct text_list everywhere = { .count = 2, .items = subnets };
    const char *bad;

    return egress_new(&everywhere, &link->egress, &bad);
}

static enum err open_callers(struct link *link, const struct link_options *options)
{
    const struct topology *t = link->topology;

    for (size_t i = 0; i < t->count; i++) {
        const struct region *region = &t->regions[i];
        if (i == t->self || !region->certificate_pem)
            continue;
        enum err err =
            caller_open(&link->callers[link->caller_count++], link, options->loop, region);
        if (err)
            return err;
    }
    return ERR_OK;
}

static enum err open_tls(struct link *link)
{
    struct tls_peer peers[REGIONS_MAX];
    const char *why;
    size_t count = 0;

    for (size_t i = 0; i < link->topology->count; i++) {
        const struct region *region = &link->topology->regions[i];
        if (i != link->topology->self && region->certificate_pem)
            peers[count++] = (struct tls_peer){ region->name, region->certificate_pem };
    }
    const struct tls_options options = {
        .certificate = link->certificate, .key = link->key, .peers = peers, .peer_count = count
    };
    enum err err = tls_context_new(&options, &link->tls, &why);
    if (err)
        log_event(LOG_ERROR, "link_unusable", LOG_STR("reason", why));
    return err;
}

static enum err open_server(struct link *link, const struct link_options *options)
{
    static const struct server_limits LIMITS = {
        .header_bytes = HEADER_BYTES,
        .body_bytes = BODY_BYTES,
        .buffered_bytes = BUFFERED_BYTES,
        .connections = CONNECTIONS,
        .connections_per_address = CONNECTIONS,
        .header_timeout_ms = HEADER_MS,
        .body_timeout_ms = BODY_MS,
    };

    if (!options->address)
        return ERR_OK;
    enum err err = open_tls(link);
    return err ? err
               : server_open(&link->server, &(struct server_options){
                                                .loop = options->loop,
                                                .address = options->address,
                                                .port = options->port,
                                                .limits = &LIMITS,
                                                .tls = link->tls,
                                                .on_headers = on_headers,
                                                .on_request = on_request,
                                                .on_abandoned = on_abandoned,
                                                .on_stranger = on_stranger,
                                                .ctx = link,
                                            });
}

void link_take_keyring(struct link *link, const struct keyring *keyring)
{
    link->keyring = keyring;
}

static void link_free(struct link *link)
{
    for (size_t i = 0; i < link->caller_count; i++)
        caller_free(&link->callers[i]);
    tls_context_free(link->tls);
    egress_free(link->egress);
    catalog_free(link->catalog);
    if (link->key)
        explicit_bzero(link->key, strlen(link->key));
    free(link->key);
    free(link->certificate);
    free(link);
}

static void write_run(struct link *link)
{
    uint8_t bytes[(INCARNATION_TEXT_MAX - 1) / 2];

    random_bytes(bytes, sizeof bytes);
    hex_encode(bytes, sizeof bytes, link->run);
}

enum err link_open(struct link **out, const struct link_options *options)
{
    struct link *link = xcalloc(1, sizeof *link);
    enum err err = inbox_open(&link->inbox, options->loop);

    if (err) {
        free(link);
        return err;
    }
    link->topology = options->topology;
    link->store = options->store;
    link->keyring = options->keyring;
    link->board = options->board;
    link->api = options->api;
    link->audit_ms = options->audit_ms;
    link->certificate = xstrdup(options->certificate);
    link->key = xstrdup(options->key);
    link->catalog = catalog_new();
    answers_open(link);
    carry_open(link);
    forwards_open(link);
    write_run(link);
    expiry_init(&link->expiry, link->topology);
    uv_timer_init(options->loop, &link->timer);
    link->follower = (struct store_follower){ .inbox = &link->inbox,
                                              .catalog = link->catalog,
                                              .applied = on_applied,
                                              .drained = on_drained };
    store_follow(link->store, &link->follower);
    *out = link;
    err = open_egress(link);
    if (!err)
        err = stand_in_open(link, options);
    if (!err)
        err = prober_open(&link->prober,
                          &(struct prober_options){ .loop = options->loop,
                                                    .egress = options->egress,
                                                    .name_servers = options->name_servers });
    if (!err)
        err = open_callers(link, options);
    if (!err)
        err = open_server(link, options);
    if (!err)
        uv_timer_start(&link->timer, on_turn, 0, TURN_MS);
    return err; /* a half-opened one is closed like any other */
}

uint16_t link_port(const struct link *link)
{
    return link->server ? server_port(link->server) : 0;
}

bool link_permits(const struct link *link, const struct id *application, size_t region)
{
    const struct application *a =
        catalog_application_by_key(link->catalog, id_key(application));

    return a && region_set_has(residency_allowed(link->topology, &a->residency), region);
}

/* The turn. */

static void on_turn(uv_timer_t *timer)
{
    struct link *link = container_of(timer, struct link, timer);
    struct now now = clock_now();

    for (size_t i = 0; !link->closing && i < link->caller_count; i++)
        caller_poke(&link->callers[i], now);
    answers_poke(link, now);
    expiry_poke(&link->expiry, link->topology, now);
    for (size_t i = 0; i < link->caller_count; i++)
        stand_in_poke(&link->callers[i], now);
    link_settle(link);
    close_if_told(link, now);
}

static void on_applied(struct store_follower *follower, const struct journal_reach *reach)
{
    struct link *link = container_of(follower, struct link, follower);

    if (reach->origin != topology_self(link->topology)->ordinal)
        return;
    link->own_seq = reach->seq;
    answers_grown(link);
}

/* Peers are told of a drain of our own with the next ping. */
static void on_drained(struct store_follower *follower, uint8_t ordinal)
{
    (void)ordinal;
    link_settle(container_of(follower, struct link, follower));
}

/* Health. */

static void log_change(const struct region *region, const struct region_condition *c)
{
    log_event(c->state == REGION_ALIVE || c->state == REGION_DRAINING ? LOG_INFO : LOG_WARN,
              "peer", LOG_STR("region", region->name),
              LOG_STR("state", region_state_name(c->state)), LOG_STR("reason", c->reason),
              LOG_NUM("rtt_us", c->rtt_us));
}

static void judge(struct link *link, struct region_condition out[REGIONS_MAX])
{
    struct peer_health peers[REGIONS_MAX] = { { 0 } };

    for (size_t i = 0; i < link->caller_count; i++)
        peers[link->callers[i].index] = link->callers[i].health;
    peers_judge(peers, link->topology->count, link->topology->self, out);
    out[link->topology->self].draining =
        catalog_is_draining(link->catalog, topology_self(link->topology)->ordinal);
    for (size_t i = 0; i < link->caller_count; i++) {
        const struct caller *caller = &link->callers[i];
        struct region_condition *c = &out[caller->index];
        if (c->reason[0] == '\0')
            snprintf(c->reason, sizeof c->reason, "%s", caller->puller.trouble);
        auditor_condition(&caller->auditor, c);
    }
    for (size_t i = 0; i < link->topology->count; i++)
        expiry_condition(&link->expiry, i, clock_now().wall_ms, &out[i]);
}

static bool is_same(const struct region_condition *a, const struct region_condition *b)
{
    return a->state == b->state && a->draining == b->draining && a->rtt_us == b->rtt_us &&
           a->clock_offset_us == b->clock_offset_us && a->heard_at_ms == b->heard_at_ms &&
           a->compared_at_ms == b->compared_at_ms && a->differs == b->differs &&
           strcmp(a->reason, b->reason) == 0;
}

static void post_health(struct link *link)
{
    struct region_condition now[REGIONS_MAX];
    bool changed = false;

    judge(link, now);
    for (size_t i = 0; i < link->topology->count; i++) {
        if (now[i].state != link->conditions[i].state && i != link->topology->self) {
            log_change(&link->topology->regions[i], &now[i]);
            if (now[i].state == REGION_DEAD)
                forwards_give_up(link, &link->topology->regions[i]);
        }
        changed = changed || !is_same(&now[i], &link->conditions[i]);
    }
    for (size_t i = 0; i < link->caller_count; i++)
        if (peer_is_given_up(&link->callers[i].health))
            carry_give_up(link, &link->callers[i]);
    if (!changed)
        return;
    memcpy(link->conditions, now, sizeof link->conditions);
    struct region_health *health = region_health_new(link->topology);
    memcpy(health->regions, now, link->topology->count * sizeof now[0]);
    health_post(link->board, health);
}

/* Peers' requests: ours, or those that they carry to the API. */

static bool is_for_api(const struct exchange *x)
{
    return strncmp(exchange_path(x), "/api/", strlen("/api/")) == 0;
}

static void on_headers(struct exchange *x, void *ctx)
{
    struct link *link = ctx;

    if (is_for_api(x) && link->api.on_headers)
        link->api.on_headers(x, link->api.ctx);
}

static void on_request(struct exchange *x, void *ctx)
{
    struct link *link = ctx;

    if (is_for_api(x) && link->api.on_request)
        link->api.on_request(x, link->api.ctx);
    else
        answers_on_request(x, link);
}

static void on_abandoned(struct exchange *x, void *ctx)
{
    struct link *link = ctx;

    if (is_for_api(x) && link->api.on_abandoned)
        link->api.on_abandoned(x, link->api.ctx);
}

static void on_stranger(const char *address, const char *why, void *ctx)
{
    (void)ctx;
    log_event(LOG_DEBUG, "stranger_refused", LOG_STR("address", address),
              LOG_STR("reason", why));
}

/* Closing. */

void link_retire(struct link *link)
{
    link->retiring = true;
}

void link_close(struct link *link, uint32_t timeout_ms, void (*closed)(void *ctx), void *ctx)
{
    struct now now = clock_now();

    link->retiring = true;
    link->closed = closed;
    link->closed_ctx = ctx;
    link->close_mono_ms = now.mono_ms + timeout_ms;
    close_if_told(link, now);
}

static bool all_told(const struct link *link)
{
    for (size_t i = 0; i < link->caller_count; i++)
        if (!stand_in_has_told(&link->callers[i].stand_in))
            return false;
    return true;
}

/* Peers have what came of their attempts, or there is no more time. */
static void close_if_told(struct link *link, struct now now)
{
    if (!link->closed || link->closing ||
        (!all_told(link) && now.mono_ms < link->close_mono_ms))
        return;
    link->closing = true;
    answers_grown(link);
    for (size_t i = 0; i < link->caller_count; i++)
        stand_in_poke(&link->callers[i], clock_now());
    if (link->server)
        server_close(link->server, SERVER_CLOSE_MS, on_server_closed, link);
    else
        on_server_closed(link);
}

static void on_server_closed(void *ctx)
{
    struct link *link = ctx;

    link->server = NULL;
    link->server_closed = true;
    if (link->away) {
        link->open_couriers++;
        courier_close(link->away, on_courier_closed, link);
        link->away = NULL;
    }
    if (link->prober) {
        link->open_couriers++;
        prober_close(link->prober, on_courier_closed, link);
        link->prober = NULL;
    }
    for (size_t i = 0; i < link->caller_count; i++)
        if (link->callers[i].courier) {
            link->open_couriers++;
            caller_close(&link->callers[i], on_courier_closed, link);
        }
    link_settle(link);
}

static void on_courier_closed(void *ctx)
{
    struct link *link = ctx;

    link->open_couriers--;
    link_settle(link);
}

static bool is_done(const struct link *link)
{
    for (size_t i = 0; i < link->caller_count; i++)
        if (!puller_is_idle(&link->callers[i]) || !auditor_is_idle(&link->callers[i].auditor) ||
            !forwards_are_idle(&link->callers[i].forwards) ||
            !stand_in_is_idle(&link->callers[i].stand_in))
            return false;
    return link->server_closed && link->open_couriers == 0 && link->reading_count == 0 &&
           carry_is_idle(link) && link->late_count == 0 && link->probe_count == 0;
}

void link_settle(struct link *link)
{
    if (!link->closing) {
        post_health(link);
        return;
    }
    if (link->leaving || !is_done(link))
        return;
    link->leaving = true;
    link->left.run = on_left;
    store_unfollow(link->store, &link->follower, &link->left);
}

static void on_left(struct task *left)
{
    struct link *link = container_of(left, struct link, left);

    link->open_parts = 2;
    uv_close((uv_handle_t *)&link->timer, on_timer_closed);
    inbox_close(&link->inbox, on_inbox_closed);
}

static void part_closed(struct link *link)
{
    void (*closed)(void *ctx) = link->closed;
    void *ctx = link->closed_ctx;

    if (--link->open_parts > 0)
        return;
    link_free(link);
    closed(ctx);
}

static void on_inbox_closed(struct inbox *inbox)
{
    part_closed(container_of(inbox, struct link, inbox));
}

static void on_timer_closed(uv_handle_t *timer)
{
    part_closed(container_of((uv_timer_t *)timer, struct link, timer));
}
