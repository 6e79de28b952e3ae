#include "tests/lib/region.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"

#define REQUEST_MAX  (3u << 20) /* bytes */
#define ASK_PATH_MAX 1024

struct waiting {
    struct task task;
    struct store_record record;
    bool done;
};

static void require(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "region: %s\n", what);
    abort();
}

static void open_region(struct region *region, size_t requests_max)
{
    char master_key[MASTER_KEY_TEXT_MAX];

    temp_make(region->dir);
    id_source_init(&region->ids, 0, 0);
    keyring_generate(master_key);
    require(keyring_new(master_key, &region->keyring) == ERR_OK, "no keyring");
    require(loop_open(&region->loop, "test") == ERR_OK, "no loop");

    const struct store_options store = {
        .dir = region->dir,
        .writer = &region->loop.uv,
        .reader = &region->loop.uv,
        .ids = &region->ids,
        .requests_max = requests_max,
        .clock = clock_now,
    };
    require(store_open(&region->store, &store) == ERR_OK, "no store");

    const struct api_options api = {
        .loop = &region->loop.uv,
        .store = region->store,
        .keyring = region->keyring,
        .ids = &region->ids,
        .address = "127.0.0.1",
    };
    require(api_open(&region->api, &api) == ERR_OK, "no api");
    region_token(region, 0, region->token);
}

void region_open(struct region *region)
{
    open_region(region, 1000);
}

void region_open_busy(struct region *region)
{
    open_region(region, 0);
}

static void on_api_closed(void *ctx)
{
    *(bool *)ctx = true;
}

static void on_store_closed(struct task *task)
{
    container_of(task, struct waiting, task)->done = true;
}

static void run_until(struct region *region, const bool *done)
{
    while (!*done)
        uv_run(&region->loop.uv, UV_RUN_ONCE);
}

void region_stop(struct region *region)
{
    bool closed = false;

    api_close(region->api, 1000, on_api_closed, &closed);
    run_until(region, &closed);
    region->api = NULL;
}

void region_close(struct region *region)
{
    struct waiting store = { .task.run = on_store_closed };

    if (region->api)
        region_stop(region);
    store_close(region->store, &region->loop.inbox, &store.task);
    run_until(region, &store.done);
    loop_close(&region->loop);
    keyring_free(region->keyring);
    temp_remove(region->dir);
}

void region_token(struct region *region, uint8_t organization, char out[TOKEN_TEXT_MAX])
{
    struct token token = { .scope = TOKEN_ORGANIZATION };

    token.organization.bytes[ID_BYTES - 1] = organization;
    token_mint(region->keyring, &token, clock_now().wall_ms / 1000, out);
}

void region_application_token(struct region *region, const char *application,
                              char out[TOKEN_TEXT_MAX])
{
    struct token token = { .scope = TOKEN_APPLICATION };

    require(id_parse(ID_APPLICATION, application, &token.application) == ERR_OK, "not an id");
    token_mint(region->keyring, &token, clock_now().wall_ms / 1000, out);
}

void region_start(struct region *region, struct client *client, const char *token,
                  const char *header, const char *method, const char *body, const char *path)
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
    client_open(client, &region->loop.uv, api_port(region->api));
    client_send(client, request.bytes, request.len);
    buf_fini(&request);
}

struct answer region_ask_as(struct region *region, const char *token, const char *header,
                            const char *method, const char *body, const char *path)
{
    struct client client;

    region_start(region, &client, token, header, method, body, path);
    struct answer answer = answer_take(strcmp(method, "HEAD") == 0 ? client_head_answer(&client)
                                                                   : client_answer(&client));
    client_close(&client);
    return answer;
}

struct answer region_ask(struct region *region, const char *method, const char *body,
                         const char *path, ...)
{
    char whole[ASK_PATH_MAX];
    va_list args;

    va_start(args, path);
    vsnprintf(whole, sizeof whole, path, args);
    va_end(args);
    return region_ask_as(region, region->token, NULL, method, body, whole);
}

unsigned region_status(struct region *region, const char *method, const char *body,
                       const char *path, ...)
{
    char whole[ASK_PATH_MAX];
    va_list args;

    va_start(args, path);
    vsnprintf(whole, sizeof whole, path, args);
    va_end(args);
    struct answer a = region_ask_as(region, region->token, NULL, method, body, whole);
    unsigned status = a.status;
    answer_fini(&a);
    return status;
}

void region_make(struct region *region, const char *path, const char *body,
                 char out_id[ID_TEXT_MAX])
{
    struct answer a = region_ask_as(region, region->token, NULL, "POST", body, path);
    const char *id = answer_text(&a, "id");

    if (a.status > 202 || !id)
        fprintf(stderr, "%s %s: %u %s\n", path, body, a.status, a.body);
    require(a.status <= 202 && id, "not made");
    snprintf(out_id, ID_TEXT_MAX, "%s", id);
    answer_fini(&a);
}

static void on_recorded(struct store_req *req)
{
    struct store_record *record = container_of(req, struct store_record, req);

    require(req->err == ERR_OK, "not recorded");
    container_of(record, struct waiting, record)->done = true;
}

void region_record(struct region *region, const char *application, const char *message,
                   const char *endpoint, unsigned response_status, char out_id[ID_TEXT_MAX])
{
    struct now now = clock_now();
    char text[] = "{\"ok\":1}", url[] = "https://receiver.example/";
    bool delivered = response_status / 100 == 2;
    struct attempt_record attempt = {
        .id = id_new(&region->ids, now.wall_ms),
        .number = 1,
        .status = delivered ? ATTEMPT_SUCCESS : ATTEMPT_FAIL,
        .url = url,
        .response_status = response_status,
        .response = { .data = (uint8_t *)text, .len = strlen(text) },
        .duration_ms = 12,
        .started_at_ms = now.wall_ms,
    };
    struct waiting waiting = {
        .record = {
            .req = { .done = on_recorded, .reply_to = &region->loop.inbox },
            .attempt = &attempt,
            .next = delivered ? DELIVERY_DELIVERED : DELIVERY_DEAD,
        },
    };

    require(id_parse(ID_APPLICATION, application, &attempt.application) == ERR_OK &&
                id_parse(ID_MESSAGE, message, &attempt.message) == ERR_OK &&
                id_parse(ID_ENDPOINT, endpoint, &attempt.endpoint) == ERR_OK,
            "not ids");
    id_format(ID_ATTEMPT, &attempt.id, out_id);
    store_record(region->store, &waiting.record);
    run_until(region, &waiting.done);
}
