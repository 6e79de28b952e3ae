/* Daemon: starts and stops what a region consists of.
 *
 *   daemon_serve ─► modules_open ─► start_loops ─► on_signal ─► stopping_begin ─► join_loops */
#include "daemon/private.h"

#include <signal.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "core/log.h"
#include "daemon/process.h"

static bool open_loops(struct daemon *d);
static void watch_signals(struct daemon *d);
static void start_loops(struct daemon *d);
static void announce(const struct daemon *d);
static void on_signal(uv_signal_t *signal, int number);
static void on_hangup(uv_signal_t *signal, int number);
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
    rekey_open(&d);
    id_source_init(&d.ids, topology_self(d.settings.topology)->ordinal, 0);
    health_board_open(&d.health, d.settings.topology);
    d.exit = modules_open(&d);
    if (d.exit)
        stopping_begin(&d);
    start_loops(&d);
    if (!d.exit) {
        announce(&d);
        missing_keys_look(&d);
    }
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
    uv_signal_init(&d->main.uv, &d->hangup);
    d->term.data = d->interrupt.data = d->hangup.data = d;
    uv_signal_start(&d->term, on_signal, SIGTERM);
    uv_signal_start(&d->interrupt, on_signal, SIGINT);
    uv_signal_start(&d->hangup, on_hangup, SIGHUP);
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
    if (!rekey_puts_off_stopping(d))
        stopping_begin(d);
}

static void on_hangup(uv_signal_t *signal, int number)
{
    struct daemon *d = signal->data;

    (void)number;
    if (!d->stopping)
        rekey_begin(d);
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
    uv_close((uv_handle_t *)&d->hangup, NULL);
    uv_close((uv_handle_t *)&d->deadline, NULL);
    loop_close(&d->main);
    if (d->exit == DAEMON_OK)
        log_event(LOG_INFO, "stopped", LOG_END);
}
