#include "tests/lib/site.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "signer/digest.h"
#include "tests/lib/journals.h"

#define REQUEST_MAX  (3u << 20) /* bytes */
#define ASK_PATH_MAX 1024

struct waiting {
    struct task task;
    struct store_record record;
    struct store_positions positions;
    struct store_apply apply;
    bool done;
};

static void require(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "site: %s\n", what);
    abort();
}

/* What the dispatcher would ask, and the API does. */
static void open_router(struct site *site)
{
    if (!topology_is_single(site->topology))
        site->router = router_open(&(struct router_options){
            .inbox = &site->loop.inbox,
            .store = site->store,
            .topology = site->topology,
            .board = &site->health,
        });
    site->explainer = explainer_new(&(struct explainer_options){
        .inbox = &site->loop.inbox,
        .topology = site->topology,
        .store = site->store,
        .router = site->router,
        .clock = clock_now,
    });
}

static void on_reread(struct task *task)
{
    struct rekeying *rekeying = container_of(task, struct rekeying, task);

    rekeying->done(rekeying);
}

/* The site's key is in no file: it is what it was. */
static void reread_keys(struct rekeyer *rekeyer, struct rekeying *rekeying)
{
    (void)rekeyer;
    rekeying->err = ERR_OK;
    rekeying->task.run = on_reread;
    inbox_post(rekeying->reply_to, &rekeying->task);
}

static void open_site(struct site *site, struct topology *topology, struct elsewhere *elsewhere,
                      bool peers, size_t requests_max)
{
    char master_key[MASTER_KEY_TEXT_MAX];

    *site = (struct site){ .topology = topology };
    temp_make(site->dir);
    site->sender = 0;
    site->rekeyer.ask = reread_keys;
    id_source_init(&site->ids, topology_self(topology)->ordinal, 0);
    health_board_open(&site->health, topology);
    keyring_generate(master_key);
    require(keyring_new(master_key, &site->keyring) == ERR_OK, "no keyring");
    require(loop_open(&site->loop, "test") == ERR_OK, "no loop");
    site->health.inbox = &site->loop.inbox;

    const struct store_options store = {
        .dir = site->dir,
        .writer = &site->loop.uv,
        .reader = &site->loop.uv,
        .ids = &site->ids,
        .sha256 = digest_sha256,
        .requests_max = requests_max,
        .clock = clock_now,
    };
    require(store_open(&site->store, &store) == ERR_OK, "no store");

    open_router(site);
    const struct api_options api = {
        .loop = &site->loop.uv,
        .store = site->store,
        .keyring = site->keyring,
        .ids = &site->ids,
        .topology = topology,
        .health = &site->health,
        .elsewhere = elsewhere,
        .explainer = explainer_interface(site->explainer),
        .rekeyer = &site->rekeyer,
        .peers = peers,
        .address = "127.0.0.1",
    };
    require(api_open(&site->api, &api) == ERR_OK, "no api");
    site_token(site, 0, site->token);
}

void site_open(struct site *site)
{
    open_site(site, topology_new_single(), NULL, false, 1000);
}

void site_open_in(struct site *site, struct topology *topology)
{
    open_site(site, topology, NULL, false, 1000);
}

void site_open_among(struct site *site, struct topology *topology, struct elsewhere *elsewhere,
                     bool peers)
{
    open_site(site, topology, elsewhere, peers, 1000);
}

void site_open_busy(struct site *site)
{
    open_site(site, topology_new_single(), NULL, false, 0);
}

static void on_closed(void *ctx)
{
    *(bool *)ctx = true;
}

static void on_store_closed(struct task *task)
{
    container_of(task, struct waiting, task)->done = true;
}

static void run_until(struct site *site, const bool *done)
{
    while (!*done)
        uv_run(&site->loop.uv, UV_RUN_ONCE);
}

void site_stop(struct site *site)
{
    bool closed = false;

    api_close(site->api, 1000, on_closed, &closed);
    run_until(site, &closed);
    site->api = NULL;
}

void site_close(struct site *site)
{
    struct waiting store = { .task.run = on_store_closed };

    bool router_closed = false;

    if (site->api)
        site_stop(site);
    if (site->router) {
        router_close(site->router, on_closed, &router_closed);
        run_until(site, &router_closed);
        site->router = NULL;
    }
    explainer_free(site->explainer);
    store_close(site->store, &site->loop.inbox, &store.task);
    run_until(site, &store.done);
    loop_close(&site->loop);
    health_board_close(&site->health);
    topology_free(site->topology);
    keyring_free(site->keyring);
    temp_remove(site->dir);
}

void site_token(struct site *site, uint8_t organization, char out[TOKEN_TEXT_MAX])
{
    const struct id id = { .bytes[ID_BYTES - 1] = organization };
    struct token token = token_for_organization(&id, clock_now().wall_ms);

    token_mint(site->keyring, &token, out);
}

void site_application_token(struct site *site, const char *application,
                            char out[TOKEN_TEXT_MAX])
{
    static const struct id organization = { { 0 } };
    struct id id;

    require(id_parse(ID_APPLICATION, application, &id) == ERR_OK, "not an id");
    struct token token = token_for_application(&organization, &id, clock_now().wall_ms);
    token_mint(site->keyring, &token, out);
}

void site_start(struct site *site, struct client *client, const char *token, const char *header,
                const char *method, const char *body, const char *path)
{
    struct buf request = BUF_INIT(REQUEST_MAX);
    size_t body_len = body ? strlen(body) : 0;

    enum err err = buf_printf(&request, "%s %s HTTP/1.1\r\nHost: test\r\n", method, path);
    if (!err && token)
        err = buf_printf(&request, "Authorization: Bearer %s\r\n", token);
    if (!err && header)
        err = buf_printf(&request, "%s\r\n", header);
    if (!err)
        err = buf_printf(&request, "Content-Length: %zu\r\n\r\n%s", body_len, body ? body : "");
    require(err == ERR_OK, "too long a request");
    client_open(client, &site->loop.uv, api_port(site->api));
    client_send(client, request.bytes, request.len);
    buf_fini(&request);
}

struct answer site_ask_as(struct site *site, const char *token, const char *header,
                          const char *method, const char *body, const char *path)
{
    struct client client;

    site_start(site, &client, token, header, method, body, path);
    struct answer answer = answer_take(strcmp(method, "HEAD") == 0 ? client_head_answer(&client)
                                                                   : client_answer(&client));
    client_close(&client);
    return answer;
}

struct answer site_ask(struct site *site, const char *method, const char *body,
                       const char *path, ...)
{
    char whole[ASK_PATH_MAX];
    va_list args;

    va_start(args, path);
    vsnprintf(whole, sizeof whole, path, args);
    va_end(args);
    return site_ask_as(site, site->token, NULL, method, body, whole);
}

unsigned site_status(struct site *site, const char *method, const char *body, const char *path,
                     ...)
{
    char whole[ASK_PATH_MAX];
    va_list args;

    va_start(args, path);
    vsnprintf(whole, sizeof whole, path, args);
    va_end(args);
    struct answer a = site_ask_as(site, site->token, NULL, method, body, whole);
    unsigned status = a.status;
    answer_fini(&a);
    return status;
}

void site_make(struct site *site, const char *path, const char *body, char out_id[ID_TEXT_MAX])
{
    struct answer a = site_ask_as(site, site->token, NULL, "POST", body, path);
    const char *id = answer_text(&a, "id");

    if (a.status > 202 || !id)
        fprintf(stderr, "%s %s: %u %s\n", path, body, a.status, a.body);
    require(a.status <= 202 && id, "not made");
    snprintf(out_id, ID_TEXT_MAX, "%s", id);
    answer_fini(&a);
}

static void on_positions(struct store_req *req)
{
    struct store_positions *positions = container_of(req, struct store_positions, req);

    require(req->err == ERR_OK, "no positions");
    container_of(positions, struct waiting, positions)->done = true;
}

static struct journal_position position_of(struct site *site, uint8_t origin)
{
    struct journal_position at = { .origin = origin, .incarnation = "a life" };
    struct waiting waiting = {
        .positions.req = { .done = on_positions, .reply_to = &site->loop.inbox },
    };

    store_positions(site->store, &waiting.positions);
    run_until(site, &waiting.done);
    for (size_t i = 0; i < waiting.positions.count; i++)
        if (waiting.positions.positions[i].origin == origin)
            at = waiting.positions.positions[i];
    return at;
}

static void on_applied(struct store_req *req)
{
    struct store_apply *apply = container_of(req, struct store_apply, req);

    require(req->err == ERR_OK && apply->verdict == APPLY_DONE, "not applied");
    container_of(apply, struct waiting, apply)->done = true;
}

static void apply_next(struct site *site, struct journal_position *at,
                       const struct object *object)
{
    const struct bytes nothing = { 0 };
    struct journal_entry entry = journals_forge(at, object, &nothing);
    struct waiting waiting = {
        .apply = {
            .req = { .done = on_applied, .reply_to = &site->loop.inbox },
            .origin = at->origin,
            .entries = &entry,
            .count = 1,
        },
    };

    memcpy(waiting.apply.incarnation, at->incarnation, INCARNATION_LEN);
    store_apply(site->store, &waiting.apply);
    run_until(site, &waiting.done);
    require(!object || waiting.apply.quarantined == 0, "put into quarantine");
    bytes_fini(&entry.code);
}

void site_adopt(struct site *site, uint8_t origin, uint64_t seq, struct object *object)
{
    struct journal_position at = position_of(site, origin);

    require(at.seq < seq, "applied already");
    while (at.seq < seq)
        apply_next(site, &at, at.seq + 1 == seq ? object : NULL);
    object_unref(object);
}

/* What is posted arrives with the next turn of the loop, before any request. */
void site_see(struct site *site, const char *region, enum region_state state)
{
    const struct region *r = topology_by_name(site->topology, region);
    struct region_health *health = region_health_copy(site->health.newest);

    require(r != NULL, "no such region");
    health->regions[topology_index(site->topology, r)].state = state;
    health_post(&site->health, health);
    uv_run(&site->loop.uv, UV_RUN_NOWAIT);
}

static void on_recorded(struct store_req *req)
{
    struct store_record *record = container_of(req, struct store_record, req);

    require(req->err == ERR_OK, "not recorded");
    container_of(record, struct waiting, record)->done = true;
}

void site_record(struct site *site, const char *application, const char *message,
                 const char *endpoint, unsigned response_status, char out_id[ID_TEXT_MAX])
{
    struct now now = clock_now();
    char text[] = "{\"ok\":1}", url[] = "https://receiver.example/";
    bool delivered = response_status / 100 == 2;
    struct attempt_record attempt = {
        .id = id_new(&site->ids, now.wall_ms),
        .number = 1,
        .status = delivered ? ATTEMPT_SUCCESS : ATTEMPT_FAIL,
        .url = url,
        .response_status = response_status,
        .response = { .data = (uint8_t *)text, .len = strlen(text) },
        .duration_ms = 12,
        .way.region = site->sender,
        .started_at_ms = now.wall_ms,
    };
    struct waiting waiting = {
        .record = {
            .req = { .done = on_recorded, .reply_to = &site->loop.inbox },
            .attempt = &attempt,
            .next = delivered ? DELIVERY_DELIVERED : DELIVERY_DEAD,
        },
    };

    require(id_parse(ID_APPLICATION, application, &attempt.application) == ERR_OK &&
                id_parse(ID_MESSAGE, message, &attempt.message) == ERR_OK &&
                id_parse(ID_ENDPOINT, endpoint, &attempt.endpoint) == ERR_OK,
            "not ids");
    id_format(ID_ATTEMPT, &attempt.id, out_id);
    store_record(site->store, &waiting.record);
    run_until(site, &waiting.done);
}
