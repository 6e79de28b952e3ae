/* Daemon: starts and stops what a region consists of.
 *
 *   on_signal ─► stop_api ─► stop_dispatcher ─► stop_link ─► stop_peers ─► stop_router
 *             ─► stop_store ─► on_store_closed ─► join
 *
 * Each step runs where its module lives and reports to the main loop by a task. A failed start
 * takes the same way, from the step of the last module that opened. */
#include "daemon/daemon.h"

#include <assert.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "api/api.h"
#include "core/log.h"
#include "core/loop.h"
#include "daemon/process.h"
#include "daemon/settings.h"
#include "dispatcher/dispatcher.h"
#include "region/explainer.h"
#include "region/link.h"
#include "region/router.h"
#include "signer/digest.h"
#include "signer/regions.h"
#include "store/store.h"
#include "wire/server.h"

/* Parts of DAEMON_STOP_MS; the store needs the rest. */
#define HOUR_MS UINT64_C(3600000)

#define API_STOP_MS        2500
#define DISPATCHER_STOP_MS 5000
#define LINK_STOP_MS       7500 /* from the beginning */

static_assert(CONFIG_RETRIES_MAX <= RETRY_STEPS_MAX, "a schedule that is valid has room");

struct daemon {
    struct settings settings;
    struct id_source ids;
    struct server_limits limits;
    struct loop main, writer, reader, dispatch, api_loop, link_loop;
    struct health_board health;
    struct store *store;          /* each NULL until it is open */
    struct region_router *router; /* NULL in a region that is alone */
    struct region_explainer *explainer;
    struct dispatcher *dispatcher;
    struct api *api;
    struct link *link; /* both NULL in a region without peers */
    struct api *peers; /* for what they carry here */

    /* main loop */
    uv_signal_t term, interrupt;
    uv_timer_t deadline; /* of stopping */
    bool stopping;
    uint64_t stop_mono_ms; /* when that began */
    enum daemon_exit exit;
    struct task retire; /* to the link */
    struct task step;   /* to the module that closes next, and back */
};

static bool open_loops(struct daemon *d);
static void watch_signals(struct daemon *d);
static enum daemon_exit open_modules(struct daemon *d);
static void start_loops(struct daemon *d);
static void announce(const struct daemon *d);
static void on_signal(uv_signal_t *signal, int number);
static void stop(struct daemon *d);
static void retire_link(struct task *retire);
static void stop_api(struct task *step);
static void on_api_closed(void *ctx);
static void stop_dispatcher(struct task *step);
static void on_dispatcher_closed(void *ctx);
static void stop_link(struct task *step);
static void on_link_closed(void *ctx);
static void stop_peers(struct daemon *d);
static void on_peers_closed(void *ctx);
static void stop_router(struct task *step);
static void on_router_closed(void *ctx);
static void stop_store(struct task *step);
static void on_store_closed(struct task *step);
static void on_deadline(uv_timer_t *timer);
static void join_loops(struct daemon *d);

/* Their links don't come to be, and everything else goes on. */
static void tell_left_out(const struct text_list *cards)
{
    for (size_t i = 0; i < cards->count; i++)
        log_event(LOG_ERROR, "peer_left_out", LOG_STR("reason", cards->items[i]));
}

int daemon_serve(const struct config_sources *sources)
{
    struct daemon d = { 0 };

    if (!settings_load(sources, &d.settings))
        return DAEMON_MISCONFIGURED;
    log_open(d.settings.config->log.format, d.settings.config->log.level);
    tell_left_out(&d.settings.left_out);
    process_prepare();
    if (!open_loops(&d)) {
        settings_fini(&d.settings);
        return DAEMON_FAILED;
    }
    watch_signals(&d);
    id_source_init(&d.ids, topology_self(d.settings.topology)->ordinal, 0);
    health_board_open(&d.health, d.settings.topology);
    d.exit = open_modules(&d);
    if (d.exit)
        stop(&d);
    start_loops(&d);
    if (!d.exit)
        announce(&d);
    uv_run(&d.main.uv, UV_RUN_DEFAULT);
    join_loops(&d);
    explainer_free(d.explainer);
    health_board_close(&d.health);
    settings_fini(&d.settings);
    return (int)d.exit;
}

static bool open_loops(struct daemon *d)
{
    if (loop_open(&d->main, "main") == ERR_OK && loop_open(&d->writer, "writer") == ERR_OK &&
        loop_open(&d->reader, "reader") == ERR_OK &&
        loop_open(&d->dispatch, "dispatch") == ERR_OK &&
        loop_open(&d->api_loop, "api") == ERR_OK && loop_open(&d->link_loop, "link") == ERR_OK)
        return true;
    log_event(LOG_ERROR, "loops_failed", LOG_STR("reason", err_text(ERR_UNAVAILABLE)));
    return false;
}

static void watch_signals(struct daemon *d)
{
    uv_signal_init(&d->main.uv, &d->term);
    uv_signal_init(&d->main.uv, &d->interrupt);
    uv_timer_init(&d->main.uv, &d->deadline);
    d->term.data = d->interrupt.data = d;
    uv_signal_start(&d->term, on_signal, SIGTERM);
    uv_signal_start(&d->interrupt, on_signal, SIGINT);
}

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
                                             .requests_max = config->limits.waiting_requests,
                                             .clock = clock_now,
                                         });
    return err ? DAEMON_FAILED : DAEMON_OK;
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
    if (err == ERR_INVALID && delivery->name_servers) {
        settings_complain(d->settings.config, "delivery.name_servers",
                          "not ADDRESS:PORT, separated by commas");
        return DAEMON_MISCONFIGURED;
    }
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
                                         .address = config->listen.address,
                                         .port = config->listen.port,
                                         .limits = &d->limits,
                                     });
    if (err == ERR_INVALID) {
        settings_complain(config, "listen", "not an IP address and port");
        return DAEMON_MISCONFIGURED;
    }
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
                                   .peers = true,
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

static enum daemon_exit open_modules(struct daemon *d)
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

static void start_loops(struct daemon *d)
{
    if (loop_start(&d->writer) == ERR_OK && loop_start(&d->reader) == ERR_OK &&
        loop_start(&d->dispatch) == ERR_OK && loop_start(&d->api_loop) == ERR_OK &&
        loop_start(&d->link_loop) == ERR_OK)
        return;
    /* Some threads run and none can be waited for: as after a crash, the outbox has it all. */
    log_event(LOG_ERROR, "threads_failed", LOG_STR("reason", err_text(ERR_UNAVAILABLE)));
    _exit(DAEMON_FAILED);
}

static void announce(const struct daemon *d)
{
    log_event(LOG_INFO, "listening", LOG_STR("address", d->settings.config->listen.address),
              LOG_NUM("port", api_port(d->api)), LOG_STR("version", POSTHASTE_VERSION));
    sd_notify(0, "READY=1");
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct daemon *d = signal->data;

    if (d->stopping) {
        log_event(LOG_WARN, "stopped_at_once", LOG_NUM("signal", number));
        _exit(DAEMON_FAILED);
    }
    log_event(LOG_INFO, "stopping", LOG_NUM("signal", number));
    sd_notify(0, "STOPPING=1");
    stop(d);
}

static void go_on(struct daemon *d, struct loop *where, void (*run)(struct task *))
{
    d->step.run = run;
    inbox_post(&where->inbox, &d->step);
}

static void stop(struct daemon *d)
{
    d->stopping = true;
    d->stop_mono_ms = clock_now().mono_ms;
    if (d->link) {
        d->retire.run = retire_link;
        inbox_post(&d->link_loop.inbox, &d->retire);
    }
    uv_timer_start(&d->deadline, on_deadline, DAEMON_STOP_MS, 0);
    go_on(d, &d->api_loop, stop_api);
}

/* On the link's loop: what it sends for others it finishes meanwhile. */
static void retire_link(struct task *retire)
{
    link_retire(container_of(retire, struct daemon, retire)->link);
}

/* On the api loop. */
static void stop_api(struct task *step)
{
    struct daemon *d = container_of(step, struct daemon, step);

    if (d->api)
        api_close(d->api, API_STOP_MS, on_api_closed, d);
    else
        on_api_closed(d);
}

static void on_api_closed(void *ctx)
{
    struct daemon *d = ctx;

    go_on(d, &d->dispatch, stop_dispatcher);
}

/* On the dispatch loop. */
static void stop_dispatcher(struct task *step)
{
    struct daemon *d = container_of(step, struct daemon, step);

    if (d->dispatcher)
        dispatcher_close(d->dispatcher, DISPATCHER_STOP_MS, on_dispatcher_closed, d);
    else
        on_dispatcher_closed(d);
}

static void on_dispatcher_closed(void *ctx)
{
    struct daemon *d = ctx;

    go_on(d, &d->link_loop, stop_link);
}

static uint32_t link_time_left_ms(const struct daemon *d)
{
    uint64_t spent_ms = clock_now().mono_ms - d->stop_mono_ms;

    return spent_ms < LINK_STOP_MS ? (uint32_t)(LINK_STOP_MS - spent_ms) : 0;
}

/* On the link's loop. */
static void stop_link(struct task *step)
{
    struct daemon *d = container_of(step, struct daemon, step);

    if (d->link)
        link_close(d->link, link_time_left_ms(d), on_link_closed, d);
    else
        on_link_closed(d);
}

static void on_link_closed(void *ctx)
{
    stop_peers(ctx);
}

static void stop_peers(struct daemon *d)
{
    if (d->peers)
        api_close(d->peers, 0, on_peers_closed, d);
    else
        on_peers_closed(d);
}

static void on_peers_closed(void *ctx)
{
    struct daemon *d = ctx;

    go_on(d, &d->dispatch, stop_router);
}

/* On the dispatch loop. Nobody asks why any more. */
static void stop_router(struct task *step)
{
    struct daemon *d = container_of(step, struct daemon, step);

    if (d->router)
        router_close(d->router, on_router_closed, d);
    else
        on_router_closed(d);
}

static void on_router_closed(void *ctx)
{
    struct daemon *d = ctx;

    go_on(d, &d->main, stop_store);
}

/* On the main loop, from here on. */
static void stop_store(struct task *step)
{
    struct daemon *d = container_of(step, struct daemon, step);

    step->run = on_store_closed;
    if (d->store)
        store_close(d->store, &d->main.inbox, step);
    else
        on_store_closed(step);
}

static void on_store_closed(struct task *step)
{
    struct daemon *d = container_of(step, struct daemon, step);

    uv_stop(&d->main.uv);
}

/* Something hangs. Ending now is what a crash would do, and the outbox is made for that. */
static void on_deadline(uv_timer_t *timer)
{
    (void)timer;
    log_event(LOG_ERROR, "stop_timed_out", LOG_NUM("ms", DAEMON_STOP_MS));
    _exit(DAEMON_FAILED);
}

static void join_loops(struct daemon *d)
{
    loop_stop(&d->api_loop);
    loop_stop(&d->link_loop);
    loop_stop(&d->dispatch);
    loop_stop(&d->reader);
    loop_stop(&d->writer);
    uv_close((uv_handle_t *)&d->term, NULL);
    uv_close((uv_handle_t *)&d->interrupt, NULL);
    uv_close((uv_handle_t *)&d->deadline, NULL);
    loop_close(&d->main);
    if (d->exit == DAEMON_OK)
        log_event(LOG_INFO, "stopped", LOG_END);
}
