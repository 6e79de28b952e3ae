/*   prober_start ─► resolver ─► on_resolved ─► egress ─► on_connected ─┐
 *                     (time, or prober_close) ─► on_time ──────────────┴─► on_handle_closed ─► done */
#include "wire/prober.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "wire/round_trip.h"

#define PORT_HTTP  80
#define PORT_HTTPS 443

struct prober {
    uv_loop_t *loop;
    const struct egress *egress;
    struct resolver *resolver;
    struct list probes; /* under way */
    size_t count;
    bool closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

static void on_resolved(struct lookup *lookup);
static void on_connected(uv_connect_t *connect, int status);
static void on_time(uv_timer_t *timer);
static void on_handle_closed(uv_handle_t *handle);
static void on_resolver_closed(void *ctx);

enum err prober_open(struct prober **out, const struct prober_options *options)
{
    struct prober *p = xcalloc(1, sizeof *p);
    enum err err = resolver_open(
        &p->resolver, &(struct resolver_options){ .loop = options->loop,
                                                  .name_servers = options->name_servers });

    if (err) {
        free(p);
        return err;
    }
    p->loop = options->loop;
    p->egress = options->egress;
    list_init(&p->probes);
    *out = p;
    return ERR_OK;
}

/* Whether it is over, but for its handles. */
static bool is_over(const struct probe *probe)
{
    return uv_is_closing((const uv_handle_t *)&probe->timer);
}

/* Once; what comes later changes nothing. */
static void finish(struct probe *probe, enum err err)
{
    if (is_over(probe))
        return;
    probe->err = err;
    uv_close((uv_handle_t *)&probe->timer, on_handle_closed);
    if (probe->connecting)
        uv_close((uv_handle_t *)&probe->tcp, on_handle_closed);
    if (probe->looking)
        resolver_cancel(probe->prober->resolver, &probe->lookup);
}

static void end_if_idle(struct prober *p)
{
    if (p->closing && p->count == 0)
        resolver_close(p->resolver, on_resolver_closed, p);
}

static void deliver_if_done(struct probe *probe)
{
    struct prober *p = probe->prober;

    if (probe->open > 0 || probe->looking)
        return;
    list_remove(&probe->link);
    p->count--;
    probe->done(probe);
    end_if_idle(p);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct probe *probe = handle->data;

    probe->open--;
    deliver_if_done(probe);
}

/* 0: it isn't one. */
static uint16_t port_of(const char *text, bool is_https)
{
    unsigned long port;
    char *end;

    if (*text != ':')
        return is_https ? PORT_HTTPS : PORT_HTTP;
    port = strtoul(text + 1, &end, 10);
    if ((*end && !strchr("/?#", *end)) || port > UINT16_MAX)
        return 0;
    return (uint16_t)port;
}

/* "https://[::1]:8443/in" → "[::1]", 8443. */
static bool read_url(struct probe *probe)
{
    bool is_https = strncmp(probe->url, "https://", strlen("https://")) == 0;
    const char *host = strstr(probe->url, "://");

    if (!host)
        return false;
    host += strlen("://");
    size_t len = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/?#");
    if (len == 0 || len >= PROBE_HOST_MAX || len > strlen(host))
        return false;
    memcpy(probe->host, host, len);
    probe->host[len] = '\0';
    probe->port = port_of(host + len, is_https);
    return probe->port != 0;
}

static void connect_to(struct probe *probe, const union address *address)
{
    union address to = *address;

    if (to.any.sa_family == AF_INET6)
        to.v6.sin6_port = htons(probe->port);
    else
        to.v4.sin_port = htons(probe->port);
    uv_tcp_init(probe->prober->loop, &probe->tcp);
    probe->tcp.data = probe;
    probe->open++;
    probe->connecting = true;
    if (uv_tcp_connect(&probe->connect, &probe->tcp, &to.any, on_connected) != 0)
        finish(probe, ERR_UNAVAILABLE);
}

/* To the first that is allowed. */
static void connect_to_one(struct probe *probe, const union address *addresses, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (egress_allows(probe->prober->egress, &addresses[i].any)) {
            connect_to(probe, &addresses[i]);
            return;
        }
    finish(probe, ERR_DENIED);
}

static void look_up(struct probe *probe)
{
    probe->looking = true;
    probe->lookup = (struct lookup){ .host = probe->host,
                                     .timeout_ms = probe->timeout_ms,
                                     .done = on_resolved };
    resolver_ask(probe->prober->resolver, &probe->lookup);
}

void prober_start(struct prober *p, struct probe *probe)
{
    union address address;

    assert(!p->closing);
    probe->prober = p;
    probe->err = ERR_OK;
    probe->rtt_us = 0;
    probe->looking = probe->connecting = false;
    uv_timer_init(p->loop, &probe->timer);
    probe->timer.data = probe;
    probe->open = 1;
    list_append(&p->probes, &probe->link);
    p->count++;
    uv_timer_start(&probe->timer, on_time, probe->timeout_ms, 0);
    if (p->count > PROBES_MAX)
        finish(probe, ERR_BUSY);
    else if (!read_url(probe))
        finish(probe, ERR_INVALID);
    else if (address_parse(probe->host, &address))
        connect_to_one(probe, &address, 1);
    else
        look_up(probe);
}

static void on_resolved(struct lookup *lookup)
{
    struct probe *probe = container_of(lookup, struct probe, lookup);

    probe->looking = false;
    if (is_over(probe))
        deliver_if_done(probe);
    else if (lookup->err == ERR_OK)
        connect_to_one(probe, lookup->addresses.items, lookup->addresses.count);
    else
        finish(probe, lookup->err == ERR_NOT_FOUND ? ERR_UNAVAILABLE : lookup->err);
}

static void on_connected(uv_connect_t *connect, int status)
{
    struct probe *probe = container_of(connect, struct probe, connect);
    uv_os_fd_t fd;

    if (is_over(probe))
        return;
    if (status != 0 || uv_fileno((const uv_handle_t *)&probe->tcp, &fd) != 0) {
        finish(probe, ERR_UNAVAILABLE);
        return;
    }
    struct round_trip rtt = round_trip_of(fd);
    probe->rtt_us = rtt.smoothed_us > 0 ? rtt.smoothed_us : 1;
    finish(probe, ERR_OK);
}

static void on_time(uv_timer_t *timer)
{
    finish(timer->data, ERR_TIMEOUT);
}

void prober_close(struct prober *p, void (*closed)(void *ctx), void *ctx)
{
    p->closing = true;
    p->closed = closed;
    p->closed_ctx = ctx;
    for (struct list *at = p->probes.next; at != &p->probes; at = at->next)
        finish(container_of(at, struct probe, link), ERR_CANCELED);
    end_if_idle(p);
}

static void on_resolver_closed(void *ctx)
{
    struct prober *p = ctx;
    void (*closed)(void *) = p->closed;
    void *closed_ctx = p->closed_ctx;

    free(p);
    closed(closed_ctx);
}
