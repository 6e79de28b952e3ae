/*   resolver_ask ─► ask ─► c-ares: on_socket_state, on_socket_event ─► on_answer ─► on_soon: done
 *        │            └─► on_tick: (too late) ───────────────────────────────────────┤
 *        └─► (kept, or too many) ────────────────────────────────────────────────────┘ */
#include "wire/resolver.h"

#include <assert.h>
#include <string.h>

#include <ares.h>

#include "core/hash.h"
#include "core/mem.h"

#define NAMES_ASKED_MAX  256
#define NAMES_KEPT_MAX   4096
#define TTL_LEAST_MS     5000
#define TTL_MOST_MS      300000
#define FAILURE_KEPT_MS  2000
#define TICK_MS          50  /* between looks at what is overdue */
#define QUERY_TIMEOUT_MS 600 /* of the first try; the second waits twice as long */
#define QUERY_TRIES      2

/* What is known of one name: either it is being asked for, or the answer is kept. */
struct name {
    UT_hash_handle hh;
    struct resolver *resolver;
    struct list link; /* in `asked` or `kept` */
    bool is_asked;
    struct list waiters; /* look-ups; none unless asked */
    enum err err;
    struct addresses addresses;
    uint64_t expires_ms;
    char host[];
};

struct resolver {
    uv_loop_t *loop;
    ares_channel channel;
    struct name *names; /* all of them, by host */
    struct list asked;
    struct list kept; /* oldest first */
    size_t asked_count;
    size_t kept_count;
    struct list ready; /* look-ups whose `done` is due */
    uv_idle_t soon;    /* runs `ready` */
    uv_timer_t tick;   /* runs while names are asked for */
    struct list sockets;
    size_t handles; /* not closed yet */
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* A socket of c-ares. */
struct query_socket {
    struct list link;
    struct resolver *resolver;
    ares_socket_t fd;
    uv_poll_t poll;
};

static void on_socket_state(void *ctx, ares_socket_t fd, int readable, int writable);
static void on_socket_event(uv_poll_t *poll, int status, int events);
static void on_tick(uv_timer_t *timer);
static void on_answer(void *ctx, int status, int timeouts, struct ares_addrinfo *answer);
static void on_soon(uv_idle_t *idle);
static void on_socket_closed(uv_handle_t *handle);
static void on_handle_closed(uv_handle_t *handle);

static enum err from_ares(int status)
{
    switch (status) {
    case ARES_SUCCESS:
        return ERR_OK;
    case ARES_ENODATA:
    case ARES_ENOTFOUND:
    case ARES_EBADNAME:
        return ERR_NOT_FOUND;
    case ARES_ETIMEOUT:
        return ERR_TIMEOUT;
    case ARES_ECANCELLED:
    case ARES_EDESTRUCTION:
        return ERR_CANCELED;
    case ARES_EBADSTR:
        return ERR_INVALID;
    default:
        return ERR_UNAVAILABLE;
    }
}

static void init_library(void)
{
    ares_library_init(ARES_LIB_INIT_ALL);
}

static enum err open_channel(struct resolver *r, const char *name_servers)
{
    static uv_once_t once = UV_ONCE_INIT;
    struct ares_options options = {
        .flags = ARES_FLAG_NOSEARCH,
        .timeout = QUERY_TIMEOUT_MS,
        .tries = QUERY_TRIES,
        .lookups = (char[]){ "fb" },
        .sock_state_cb = on_socket_state,
        .sock_state_cb_data = r,
    };
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
               ARES_OPT_SOCK_STATE_CB;

    uv_once(&once, init_library);
    if (ares_init_options(&r->channel, &options, mask) != ARES_SUCCESS)
        return ERR_UNAVAILABLE;
    if (!name_servers)
        return ERR_OK;

    enum err err = from_ares(ares_set_servers_ports_csv(r->channel, name_servers));
    if (err)
        ares_destroy(r->channel);
    return err;
}

enum err resolver_open(struct resolver **out, const struct resolver_options *options)
{
    struct resolver *r = xcalloc(1, sizeof *r);

    r->loop = options->loop;
    list_init(&r->asked);
    list_init(&r->kept);
    list_init(&r->ready);
    list_init(&r->sockets);
    enum err err = open_channel(r, options->name_servers);
    if (err) {
        free(r);
        return err;
    }
    uv_idle_init(r->loop, &r->soon);
    uv_timer_init(r->loop, &r->tick);
    r->soon.data = r->tick.data = r;
    r->handles = 2;
    *out = r;
    return ERR_OK;
}

bool resolver_takes(const char *name_servers)
{
    struct resolver r = { 0 };
    enum err err = open_channel(&r, name_servers);

    if (!err)
        ares_destroy(r.channel);
    return err != ERR_INVALID;
}

static void finish(struct resolver *r, struct lookup *lookup, enum err err)
{
    lookup->err = err;
    list_append(&r->ready, &lookup->link);
    uv_idle_start(&r->soon, on_soon);
}

static void finish_from(struct name *name, struct lookup *lookup)
{
    lookup->addresses = name->addresses;
    finish(name->resolver, lookup, name->err);
}

static struct name *find_name(struct resolver *r, const char *host)
{
    struct name *name;

    HASH_FIND_STR(r->names, host, name);
    return name;
}

static bool is_fresh(const struct name *name)
{
    return !name->is_asked && name->expires_ms > uv_now(name->resolver->loop);
}

static void forget(struct name *name)
{
    struct resolver *r = name->resolver;

    list_remove(&name->link);
    r->kept_count--;
    HASH_DEL(r->names, name);
    free(name);
}

static void keep(struct name *name)
{
    struct resolver *r = name->resolver;

    list_append(&r->kept, &name->link);
    if (++r->kept_count > NAMES_KEPT_MAX)
        forget(container_of(r->kept.next, struct name, link));
}

static struct name *add_name(struct resolver *r, const char *host)
{
    size_t len = strlen(host);
    struct name *name = xcalloc(1, sizeof *name + len + 1);

    name->resolver = r;
    list_init(&name->waiters);
    memcpy(name->host, host, len);
    HASH_ADD_STR(r->names, host, name);
    keep(name);
    return name;
}

/* The answer may come before this returns: the hosts file is read at once. */
static void ask(struct name *name)
{
    static const struct ares_addrinfo_hints hints = { .ai_family = AF_UNSPEC,
                                                      .ai_socktype = SOCK_STREAM };
    struct resolver *r = name->resolver;

    list_remove(&name->link);
    r->kept_count--;
    list_append(&r->asked, &name->link);
    r->asked_count++;
    name->is_asked = true;
    if (!uv_is_active((uv_handle_t *)&r->tick))
        uv_timer_start(&r->tick, on_tick, TICK_MS, TICK_MS);
    ares_getaddrinfo(r->channel, name->host, NULL, &hints, on_answer, name);
}

void resolver_ask(struct resolver *r, struct lookup *lookup)
{
    struct name *name = find_name(r, lookup->host);
    uint32_t wait_ms = lookup->timeout_ms;

    assert(!r->closed);
    if (name && is_fresh(name)) {
        finish_from(name, lookup);
        return;
    }
    if (!(name && name->is_asked) && r->asked_count >= NAMES_ASKED_MAX) {
        finish(r, lookup, ERR_BUSY);
        return;
    }
    if (!name)
        name = add_name(r, lookup->host);
    lookup->deadline_ms = uv_now(r->loop) + (wait_ms < LOOKUP_MAX_MS ? wait_ms : LOOKUP_MAX_MS);
    list_append(&name->waiters, &lookup->link);
    if (!name->is_asked)
        ask(name);
}

static void on_socket_state(void *ctx, ares_socket_t fd, int readable, int writable)
{
    struct resolver *r = ctx;
    struct query_socket *s = NULL;

    for (struct list *l = r->sockets.next; l != &r->sockets && !s; l = l->next)
        if (container_of(l, struct query_socket, link)->fd == fd)
            s = container_of(l, struct query_socket, link);

    if (!readable && !writable) {
        if (!s)
            return;
        list_remove(&s->link);
        uv_close((uv_handle_t *)&s->poll, on_socket_closed);
        return;
    }
    if (!s) {
        s = xcalloc(1, sizeof *s);
        if (uv_poll_init_socket(r->loop, &s->poll, fd) != 0) {
            free(s); /* the question fails by its timeout */
            return;
        }
        s->resolver = r;
        s->fd = fd;
        s->poll.data = s;
        list_append(&r->sockets, &s->link);
        r->handles++;
    }
    uv_poll_start(&s->poll, (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0),
                  on_socket_event);
}

static void on_socket_event(uv_poll_t *poll, int status, int events)
{
    struct query_socket *s = poll->data;
    bool failed = status < 0;

    ares_process_fd(s->resolver->channel,
                    failed || (events & UV_READABLE) ? s->fd : ARES_SOCKET_BAD,
                    failed || (events & UV_WRITABLE) ? s->fd : ARES_SOCKET_BAD);
}

static void give_up(struct name *name, uint64_t now_ms)
{
    for (struct list *l = name->waiters.next, *next; l != &name->waiters; l = next) {
        struct lookup *lookup = container_of(l, struct lookup, link);
        next = l->next;
        if (lookup->deadline_ms > now_ms)
            continue;
        list_remove(l);
        finish(name->resolver, lookup, ERR_TIMEOUT);
    }
}

/* Questions that were sent too long ago are repeated or given up by c-ares, waiters by us. */
static void on_tick(uv_timer_t *timer)
{
    struct resolver *r = timer->data;

    ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    for (struct list *l = r->asked.next; l != &r->asked; l = l->next)
        give_up(container_of(l, struct name, link), uv_now(r->loop));
    if (list_is_empty(&r->asked))
        uv_timer_stop(&r->tick);
}

/* A TTL of 2^31 s or more, which comes as a negative one, means none (RFC 2181, section 8). */
static uint64_t kept_ms(const struct ares_addrinfo *answer)
{
    int ttl_s = TTL_MOST_MS / 1000;

    for (const struct ares_addrinfo_node *n = answer->nodes; n; n = n->ai_next)
        if (n->ai_ttl < ttl_s)
            ttl_s = n->ai_ttl;
    for (const struct ares_addrinfo_cname *n = answer->cnames; n; n = n->next)
        if (n->ttl < ttl_s)
            ttl_s = n->ttl;
    return ttl_s < TTL_LEAST_MS / 1000 ? TTL_LEAST_MS : (uint64_t)ttl_s * 1000;
}

static void collect(struct addresses *to, const struct ares_addrinfo *answer)
{
    to->count = 0;
    for (const struct ares_addrinfo_node *n = answer->nodes; n; n = n->ai_next) {
        union address *a = &to->items[to->count];
        size_t len = n->ai_family == AF_INET ? sizeof a->v4 : sizeof a->v6;
        if (to->count == ADDRESSES_MAX || (n->ai_family != AF_INET && n->ai_family != AF_INET6))
            continue;
        *a = (union address){ 0 };
        memcpy(a, n->ai_addr, len);
        to->count++;
    }
}

/* Also from within ask(), and for every open question from within ares_destroy(). */
static void on_answer(void *ctx, int status, int timeouts, struct ares_addrinfo *answer)
{
    struct name *name = ctx;
    struct resolver *r = name->resolver;
    struct list waiters;

    (void)timeouts;
    name->err = from_ares(status);
    name->expires_ms = uv_now(r->loop) + FAILURE_KEPT_MS;
    if (name->err == ERR_OK) {
        collect(&name->addresses, answer);
        name->expires_ms = uv_now(r->loop) + kept_ms(answer);
        if (name->addresses.count == 0)
            name->err = ERR_NOT_FOUND;
    }
    if (answer)
        ares_freeaddrinfo(answer);

    list_move_all(&name->waiters, &waiters);
    for (struct list *l; (l = list_pop(&waiters));)
        finish_from(name, container_of(l, struct lookup, link));
    list_remove(&name->link);
    r->asked_count--;
    name->is_asked = false;
    keep(name);
}

static void on_soon(uv_idle_t *idle)
{
    struct resolver *r = idle->data;
    struct list ready;

    uv_idle_stop(idle);
    list_move_all(&r->ready, &ready);
    for (struct list *l; (l = list_pop(&ready));) {
        struct lookup *lookup = container_of(l, struct lookup, link);
        lookup->done(lookup);
    }
}

void resolver_cancel(struct resolver *r, struct lookup *lookup)
{
    list_remove(&lookup->link);
    finish(r, lookup, ERR_CANCELED);
}

bool resolver_known(struct resolver *r, const char *host, struct addresses *out)
{
    const struct name *name = find_name(r, host);

    if (!name || !is_fresh(name) || name->err)
        return false;
    *out = name->addresses;
    return true;
}

void resolver_demote(struct resolver *r, const char *host, const union address *address)
{
    struct name *name = find_name(r, host);

    if (!name || name->is_asked)
        return;
    struct addresses *a = &name->addresses;
    for (size_t i = 0; i < a->count; i++) {
        if (!address_equal(&a->items[i], address))
            continue;
        union address last = a->items[i];
        memmove(&a->items[i], &a->items[i + 1], (a->count - i - 1) * sizeof *a->items);
        a->items[a->count - 1] = last;
        return;
    }
}

void resolver_close(struct resolver *r, void (*closed)(void *ctx), void *ctx)
{
    r->closed = closed;
    r->closed_ctx = ctx;
    ares_destroy(r->channel);
    assert(list_is_empty(&r->ready));
    while (!list_is_empty(&r->kept))
        forget(container_of(r->kept.next, struct name, link));
    uv_close((uv_handle_t *)&r->soon, on_handle_closed);
    uv_close((uv_handle_t *)&r->tick, on_handle_closed);
}

static void handle_closed(struct resolver *r)
{
    if (--r->handles > 0)
        return;

    r->closed(r->closed_ctx);
    free(r);
}

static void on_socket_closed(uv_handle_t *handle)
{
    struct query_socket *s = handle->data;
    struct resolver *r = s->resolver;

    free(s);
    handle_closed(r);
}

static void on_handle_closed(uv_handle_t *handle)
{
    handle_closed(handle->data);
}
