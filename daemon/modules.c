/* Modules: what a region consists of, opened in order. */
#include "daemon/private.h"

#include <assert.h>
#include <string.h>

#include "core/log.h"
#include "signer/digest.h"
#include "signer/regions.h"

#define HOUR_MS UINT64_C(3600000)
#define DAY_MS  (24 * HOUR_MS)

static_assert(CONFIG_RETRIES_MAX <= RETRY_STEPS_MAX, "a schedule that is valid has room");

/* The store says in the log what is wrong, and in which file. */
static enum daemon_exit open_store(struct daemon *d)
{
    const struct config *config = d->settings.config;
    const struct region *self = topology_self(d->settings.topology);
    const struct residency residency = {
        .jurisdiction = self->jurisdictions.count > 0 ? self->jurisdictions.items[0] : NULL,
        .home = self->ordinal,
        .home_epoch = 1,
    };
    enum err err = store_open(&d->store, &(struct store_options){
                                             .dir = config->data,
                                             .writer = &d->writer.uv,
                                             .reader = &d->reader.uv,
                                             .ids = &d->ids,
                                             .sha256 = digest_sha256,
                                             .residency = &residency,
                                             .retention = {
                                                 config->retention.messages_d * DAY_MS,
                                                 config->retention.attempts_d * DAY_MS,
                                             },
                                             .requests_max = config->limits.waiting_requests,
                                             .clock = clock_now,
                                         });
    if (err)
        return DAEMON_FAILED;
    rekey_store(d->store, d->settings.keyring);
    return DAEMON_OK;
}

static void open_router(struct daemon *d)
{
    if (!topology_is_single(d->settings.topology))
        d->router = router_open(&(struct router_options){
            .inbox = &d->dispatch.inbox,
            .store = d->store,
            .topology = d->settings.topology,
            .board = &d->health,
        });
    d->explainer = explainer_new(&(struct explainer_options){
        .inbox = &d->dispatch.inbox,
        .topology = d->settings.topology,
        .store = d->store,
        .router = d->router,
        .clock = clock_now,
    });
}

static enum daemon_exit open_dispatcher(struct daemon *d)
{
    const struct config_delivery *delivery = &d->settings.config->delivery;
    struct dispatcher_options options = {
        .loop = &d->dispatch.uv,
        .store = d->store,
        .keyring = d->settings.keyring,
        .egress = d->settings.egress,
        .ids = &d->ids,
        .router = d->router ? router_interface(d->router) : NULL,
        .region = topology_self(d->settings.topology)->ordinal,
        .forwarder = d->link ? link_forwarder(d->link) : NULL,
        .ca_file = delivery->ca_file,
        .name_servers = delivery->name_servers,
        .schedule_count = delivery->retry_count,
        .timeout_ms = delivery->timeout_s * 1000,
        .disable_after_ms = delivery->disable_after_h * HOUR_MS,
        .in_flight_max = delivery->in_flight,
        .in_flight_lane_max = delivery->in_flight_per_endpoint,
    };

    for (size_t i = 0; i < delivery->retry_count; i++)
        options.schedule_s[i] = delivery->retry_s[i];
    enum err err = dispatcher_open(&d->dispatcher, &options);
    if (!err)
        return DAEMON_OK;
    log_event(LOG_ERROR, "dispatcher_failed", LOG_STR("reason", err_text(err)));
    return DAEMON_FAILED;
}

static enum daemon_exit open_api(struct daemon *d)
{
    const struct config *config = d->settings.config;

    enum err err = api_open(&d->api, &(struct api_options){
                                         .loop = &d->api_loop.uv,
                                         .store = d->store,
                                         .keyring = d->settings.keyring,
                                         .ids = &d->ids,
                                         .topology = d->settings.topology,
                                         .health = &d->health,
                                         .elsewhere = d->link ? link_elsewhere(d->link) : NULL,
                                         .explainer = explainer_interface(d->explainer),
                                         .rekeyer = &d->rekey.rekeyer,
                                         .portal_url = config->portal.url,
                                         .address = config->listen.address,
                                         .port = config->listen.port,
                                         .limits = &d->limits,
                                     });
    if (!err)
        return DAEMON_OK;
    log_event(LOG_ERROR, "listen_failed", LOG_STR("address", config->listen.address),
              LOG_NUM("port", config->listen.port), LOG_STR("reason", err_text(err)));
    return DAEMON_FAILED;
}

/* The API as the other regions reach it, over the link. */
static enum err open_peers(struct daemon *d)
{
    return api_open(&d->peers, &(struct api_options){
                                   .loop = &d->link_loop.uv,
                                   .store = d->store,
                                   .keyring = d->settings.keyring,
                                   .ids = &d->ids,
                                   .topology = d->settings.topology,
                                   .health = &d->health,
                                   .explainer = explainer_interface(d->explainer),
                                   .rekeyer = &d->rekey.rekeyer,
                                   .peers = true,
                                   .portal_url = d->settings.config->portal.url,
                                   .limits = &d->limits,
                               });
}

static enum err open_link_with(struct daemon *d, const char *key)
{
    const struct config_listen *listen = &d->settings.config->region.link_listen;
    enum err err = open_peers(d);

    if (err)
        return err;
    return link_open(&d->link,
                     &(struct link_options){
                         .loop = &d->link_loop.uv,
                         .topology = d->settings.topology,
                         .store = d->store,
                         .keyring = d->settings.keyring,
                         .board = &d->health,
                         .certificate = topology_self(d->settings.topology)->certificate_pem,
                         .key = key,
                         .address = listen->address,
                         .port = listen->port,
                         .egress = d->settings.egress,
                         .ca_file = d->settings.config->delivery.ca_file,
                         .name_servers = d->settings.config->delivery.name_servers,
                         .api = { .on_headers = api_on_headers,
                                  .on_request = api_on_request,
                                  .on_abandoned = api_on_abandoned,
                                  .ctx = d->peers },
                     });
}

/* With peers: the settings have seen to it that there is a certificate. */
static enum daemon_exit open_link(struct daemon *d)
{
    struct buf key = BUF_INIT(CONFIG_FILE_MAX);
    char why[CONFIG_WHY_MAX];

    if (d->settings.topology->count < 2)
        return DAEMON_OK;
    if (regions_read_key(d->settings.config, d->settings.topology, &key, why) != ERR_OK) {
        log_event(LOG_ERROR, "link_failed", LOG_STR("reason", why));
        return DAEMON_MISCONFIGURED;
    }
    enum err err = open_link_with(d, buf_text(&key));
    explicit_bzero(key.bytes, key.len);
    buf_fini(&key);
    if (!err)
        return DAEMON_OK;
    log_event(LOG_ERROR, "link_failed", LOG_STR("reason", err_text(err)));
    return DAEMON_FAILED;
}

static void set_limits(struct daemon *d)
{
    const struct config_limits *limits = &d->settings.config->limits;

    d->limits = server_default_limits;
    d->limits.body_bytes = limits->body_len;
    d->limits.connections = limits->connections;
    d->limits.connections_per_address = limits->connections_per_address;
}

enum daemon_exit modules_open(struct daemon *d)
{
    enum daemon_exit exit = open_store(d);

    set_limits(d);
    d->health.inbox = &d->link_loop.inbox; /* where the link posts, if there is one */
    if (!exit)
        open_router(d);
    if (!exit)
        exit = open_link(d);
    if (d->router)
        router_probe_by(d->router, d->link);
    if (!exit)
        exit = open_dispatcher(d);
    if (!exit)
        exit = open_api(d);
    return exit;
}
