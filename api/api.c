/* Api: wiring and the way of a request to its handler.
 *
 *   on_headers ─► route ─► query ─► token ─► ingest ─► (body) ─► on_request ─► the route's function
 *                                   ▲           │                     └─► carried to another region
 *                                   └── waits ◄─┘
 *
 *   api_close ─► on_server_closed ─► the last request ended ─► on_left ─► on_health_left
 *             ─► on_session_closed ─► on_inbox_closed ─► closed */
#include "api/api.h"

#include "api/auth.h"
#include "api/carry.h"
#include "api/ingest.h"
#include "api/once.h"
#include "api/reply.h"
#include "api/request.h"
#include "api/router.h"
#include "api/routes.h"
#include "api/session.h"
#include "core/mem.h"

struct api {
    struct services services;
    struct store_follower follower;
    struct task left; /* a follower has */
    struct router *router;
    struct token_checker *checker;
    struct server *server;
    bool server_closed;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

static void on_applied(struct store_follower *follower, const struct journal_reach *reach);
static void on_server_closed(void *ctx);
static void on_request_ended(struct services *services);
static void on_left(struct task *left);
static void on_health_left(struct task *left);
static void on_session_closed(uv_handle_t *waited);
static void on_inbox_closed(struct inbox *inbox);

enum err api_open(struct api **out, const struct api_options *options)
{
    struct api *api = xcalloc(1, sizeof *api);
    struct services *services = &api->services;
    const struct server_options server = {
        .loop = options->loop,
        .address = options->address,
        .port = options->port,
        .limits = options->limits,
        .on_headers = api_on_headers,
        .on_request = api_on_request,
        .on_abandoned = api_on_abandoned,
        .ctx = api,
    };

    enum err err = inbox_open(&services->inbox, options->loop);
    if (err) {
        free(api);
        return err;
    }
    services->store = options->store;
    services->keyring = options->keyring;
    services->ids = options->ids;
    services->topology = options->topology;
    services->elsewhere = options->elsewhere;
    services->explainer = options->explainer;
    services->rekeyer = options->rekeyer;
    services->peers = options->peers;
    services->portal_url = options->portal_url;
    list_init(&services->carried);
    services->catalog = catalog_new();
    services->digest = digest_new();
    services->started_mono_ms = clock_now().mono_ms;
    services->ended = on_request_ended;
    api->router = router_new(routes, route_count);
    api->checker = token_checker_new(options->keyring);

    /* Before following: that can't be taken back. */
    if (options->address)
        err = server_open(&api->server, &server);
    if (err) {
        inbox_close(&services->inbox, on_inbox_closed);
        return err;
    }
    session_open(services, options->loop);
    api->follower.inbox = &services->inbox;
    api->follower.catalog = services->catalog;
    api->follower.applied = on_applied;
    store_follow(options->store, &api->follower);
    services->health.inbox = &services->inbox;
    health_follow(options->health, &services->health);
    *out = api;
    return ERR_OK;
}

static void on_applied(struct store_follower *follower, const struct journal_reach *reach)
{
    struct api *api = container_of(follower, struct api, follower);
    struct bookmark_mark mark = { .origin = reach->origin, .seq = reach->seq };

    memcpy(mark.incarnation, reach->incarnation, BOOKMARK_INCARNATION_LEN);
    session_reached(&api->services, &mark);
}

uint16_t api_port(const struct api *api)
{
    return server_port(api->server);
}

/* A browser asks before it lets a page send a token; anyone may. */
static void reply_preflight(struct request *r)
{
    exchange_add_header(r->exchange, "Access-Control-Allow-Methods",
                        "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    exchange_add_header(r->exchange, "Access-Control-Allow-Headers", "Authorization, *");
    exchange_add_header(r->exchange, "Access-Control-Max-Age", "86400");
    reply_empty(r);
}

/* False: answered. */
static bool find_route(struct api *api, struct request *r)
{
    struct exchange *x = r->exchange;

    switch ((int)router_match(api->router, exchange_method(x), exchange_path(x), &r->match)) {
    case ERR_OK:
        return true;
    case ERR_DENIED:
        exchange_add_header(x, "Allow", r->match.allow);
        reply_error(r, 405, "method_not_allowed", "Method not allowed");
        return false;
    default:
        reply_not_found(r);
        return false;
    }
}

static bool read_query(struct request *r)
{
    struct faults faults = { .count = 0 };
    char why[QUERY_WHY_MAX];

    if (query_parse(exchange_query(r->exchange), r->match.route->query, &r->query, &faults,
                    why)) {
        reply_error(r, 400, "generic_error", why);
        return false;
    }
    if (faults.count > 0) {
        reply_faults(r, &faults);
        return false;
    }
    return true;
}

/* A token for an application is good for nothing once that is deleted, or has revoked it. */
static bool is_valid(struct api *api, struct request *r)
{
    struct token *token = &r->token;
    const char *header = exchange_header(r->exchange, "authorization");

    if (auth_check(api->checker, header, r->now.wall_ms / 1000, token))
        return false;
    const struct application *application = request_application_of_token(r);
    return token->scope == TOKEN_ORGANIZATION ||
           (application &&
            !revocation_voids(&application->revocations, &token->revocable, r->now.wall_ms));
}

static bool is_allowed(const struct token *token, enum access access)
{
    switch (access) {
    case ACCESS_ANYONE:
    case ACCESS_APPLICATION:
        return true;
    case ACCESS_ORGANIZATION:
        return token->scope == TOKEN_ORGANIZATION;
    case ACCESS_VIEW_SECRET:
        return token->capabilities & TOKEN_VIEW_SECRET;
    case ACCESS_MANAGE_SECRET:
        return token->capabilities & TOKEN_MANAGE_SECRET;
    case ACCESS_MANAGE_ENDPOINT:
        return token->capabilities & TOKEN_MANAGE_ENDPOINT;
    case ACCESS_CREATE_ATTEMPTS:
        return token->capabilities & TOKEN_CREATE_ATTEMPTS;
    }
    return false;
}

static bool let_in(struct api *api, struct request *r)
{
    enum access access = r->match.route->access;

    if (access == ACCESS_ANYONE)
        return true;
    if (!is_valid(api, r)) {
        reply_error(r, 401, "authentication_failed", "Invalid token");
        return false;
    }
    if (!is_allowed(&r->token, access)) {
        reply_forbidden(r);
        return false;
    }
    return true;
}

/* It is put off, answered, or its body is wanted. */
static void settle(struct request *r)
{
    exchange_set_data(r->exchange, r);
    ingest_decide(r);
    if (!session_holds(r))
        ingest_turns_away(r);
}

/* All that needs no body is settled before it is read. A request that was put off comes again; its
 * token may have been revoked by the news that it waited for. */
void api_on_headers(struct exchange *x, void *ctx)
{
    struct api *api = ctx;
    struct request *r = exchange_data(x);

    if (r) {
        r->now = clock_now();
        if (let_in(api, r))
            settle(r);
        return;
    }
    r = request_new(&api->services, x);
    if (strcmp(exchange_method(x), "OPTIONS") == 0)
        reply_preflight(r);
    else if (find_route(api, r) && read_query(r) && let_in(api, r) && session_read(r))
        settle(r);
}

void api_on_request(struct exchange *x, void *ctx)
{
    struct request *r = exchange_data(x);

    (void)ctx;
    if (r->decision.action == RESIDENCY_CARRY) {
        carry_request(r);
        return;
    }
    once_begin(r);
    r->match.route->handle(r);
}

void api_on_abandoned(struct exchange *x, void *ctx)
{
    (void)ctx;
    request_free(exchange_data(x));
}

void api_take_keyring(struct api *api, const struct keyring *keyring)
{
    api->services.keyring = keyring;
    token_checker_take(api->checker, keyring);
    session_take_keyring(&api->services);
}

void api_close(struct api *api, uint32_t timeout_ms, void (*closed)(void *ctx), void *ctx)
{
    api->closed = closed;
    api->closed_ctx = ctx;
    if (api->server)
        server_close(api->server, timeout_ms, on_server_closed, api);
    else
        on_server_closed(api);
}

static void on_server_closed(void *ctx)
{
    struct api *api = ctx;

    carry_hasten(&api->services);
    session_hasten(&api->services);
    api->server_closed = true;
    on_request_ended(&api->services);
}

/* The store may still owe answers to requests that the server has given up. */
static void on_request_ended(struct services *services)
{
    struct api *api = container_of(services, struct api, services);

    if (api->server_closed && services->requests == 0) {
        api->left.run = on_left;
        store_unfollow(services->store, &api->follower, &api->left);
    }
}

static void on_left(struct task *left)
{
    struct api *api = container_of(left, struct api, left);

    left->run = on_health_left;
    health_unfollow(&api->services.health, left);
}

static void on_health_left(struct task *left)
{
    struct api *api = container_of(left, struct api, left);

    session_close(&api->services, on_session_closed);
}

static void on_session_closed(uv_handle_t *waited)
{
    struct services *services = waited->data;

    inbox_close(&services->inbox, on_inbox_closed);
}

static void on_inbox_closed(struct inbox *inbox)
{
    struct services *services = container_of(inbox, struct services, inbox);
    struct api *api = container_of(services, struct api, services);
    void (*closed)(void *ctx) = api->closed;
    void *ctx = api->closed_ctx;

    token_checker_free(api->checker);
    router_free(api->router);
    digest_free(services->digest);
    catalog_free(services->catalog);
    region_health_unref(services->health.health);
    free(api);
    if (closed)
        closed(ctx);
}
