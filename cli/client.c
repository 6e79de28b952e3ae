#include "cli/client.h"

#include <signal.h>

#include "cli/raw.h"
#include "cli/say.h"
#include "cli/where.h"
#include "core/list.h"
#include "core/mem.h"
#include "wire/courier.h"

#define TIMEOUT_MS   30000
#define LINE_MAX_LEN 4096 /* bytes of a header line, or of a sentence about what is wrong */

struct client {
    uv_loop_t loop; /* runs only while a call is under way */
    uv_timer_t timer;
    uv_signal_t interrupt, term; /* while they are caught */
    int caught;
    struct egress *egress;
    struct courier *courier;
    struct where where;
    struct buf authorization, idempotency; /* header lines */
    struct call call;
    bool under_way; /* `call` */
};

static void on_signal(uv_signal_t *handle, int number);
static void on_done(struct call *call);
static enum cli_exit judge(const struct client *client, const struct call *call,
                           enum answer_shape shape);
static void on_time(uv_timer_t *timer);
static void on_closed(void *ctx);

enum cli_exit client_open(const struct line *line, struct client **out)
{
    struct client *client = xcalloc(1, sizeof *client);
    enum cli_exit exit = where_find(line, &client->where);

    if (exit) {
        free(client);
        return exit;
    }
    client->authorization = client->idempotency = BUF_INIT(LINE_MAX_LEN);
    client->egress = egress_new_open();
    if (uv_loop_init(&client->loop) != 0)
        abort();
    uv_timer_init(&client->loop, &client->timer);
    uv_signal_init(&client->loop, &client->interrupt);
    uv_signal_init(&client->loop, &client->term);

    enum err err = ERR_OK;
    if (client->where.token)
        err =
            buf_printf(&client->authorization, "Authorization: Bearer %s", client->where.token);
    if (!err)
        err = courier_open(&client->courier, &(struct courier_options){
                                                 .loop = &client->loop,
                                                 .egress = client->egress,
                                                 .user_agent = "posthaste/" POSTHASTE_VERSION,
                                                 .idle_connections = 1,
                                             });
    if (err) {
        say("no HTTP client: %s", err_text(err));
        client_close(client);
        return CLI_FAILED;
    }
    *out = client;
    return CLI_OK;
}

void client_close(struct client *client)
{
    if (!client)
        return;
    if (client->courier)
        courier_close(client->courier, on_closed, NULL);
    uv_close((uv_handle_t *)&client->timer, NULL);
    uv_close((uv_handle_t *)&client->interrupt, NULL);
    uv_close((uv_handle_t *)&client->term, NULL);
    uv_run(&client->loop, UV_RUN_DEFAULT);
    uv_loop_close(&client->loop);
    egress_free(client->egress);
    where_fini(&client->where);
    buf_fini(&client->authorization);
    buf_fini(&client->idempotency);
    free(client);
}

/* Who runs us in the background, or by nohup, has it ignored. */
static void catch_unless_ignored(uv_signal_t *handle, int number)
{
    struct sigaction now;

    if (sigaction(number, NULL, &now) == 0 && now.sa_handler != SIG_IGN)
        uv_signal_start(handle, on_signal, number);
}

void client_catch_signals(struct client *client)
{
    catch_unless_ignored(&client->interrupt, SIGINT);
    catch_unless_ignored(&client->term, SIGTERM);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct client *client = container_of(handle->loop, struct client, loop);

    if (client->under_way && !client->caught)
        courier_cancel(client->courier, &client->call);
    client->caught = number;
}

int client_caught(const struct client *client)
{
    return client->caught;
}

/* The request's URL in the courier's normal form. */
static enum err build_url(const struct client *client, const struct client_request *request,
                          struct buf *out, const char **out_why)
{
    struct buf url = BUF_INIT(URL_LEN_MAX);
    enum err err = buf_printf(&url, "%s%s%s%s", client->where.url, request->path,
                              request->query[0] ? "?" : "", request->query);

    *out_why = "too long";
    if (!err)
        err = courier_url(buf_text(&url), out, out_why);
    buf_fini(&url);
    return err;
}

static enum err fill_call(struct client *client, const struct client_request *request,
                          const char *url)
{
    struct call *call = &client->call;
    struct text_list none = { 0 };
    size_t header = 0;

    *call = (struct call){
        .timeout_ms = TIMEOUT_MS,
        .response_kept = CLIENT_ANSWER_MAX,
        .response_max = CLIENT_ANSWER_MAX,
        .done = on_done,
    };
    if (client->where.token)
        call->headers[header++] = buf_text(&client->authorization);
    if (request->body) {
        call->body = request->body->bytes;
        call->body_len = request->body->len;
        call->headers[header++] = "Content-Type: application/json";
    }
    if (request->idempotency_key) {
        buf_clear(&client->idempotency);
        enum err err =
            buf_printf(&client->idempotency, "Idempotency-Key: %s", request->idempotency_key);
        if (err)
            return err;
        call->headers[header++] = buf_text(&client->idempotency);
    }
    return target_new(request->method, url, &none, &call->target);
}

enum cli_exit client_send(struct client *client, const struct client_request *request,
                          struct buf *out)
{
    struct buf url = BUF_INIT(URL_LEN_MAX);
    struct call *call = &client->call;
    enum cli_exit exit = CLI_USAGE;
    const char *why;

    buf_fini(out);
    if (build_url(client, request, &url, &why) != ERR_OK) {
        say("%s%s: %s", client->where.url, request->path, why);
        goto done;
    }
    if (fill_call(client, request, buf_text(&url)) != ERR_OK) {
        say("%s: can't be sent", buf_text(&url));
        goto done;
    }
    client->under_way = true;
    courier_send(client->courier, call);
    uv_run(&client->loop, UV_RUN_DEFAULT);
    exit = judge(client, call, request->shape);
    if (exit == CLI_OK) {
        *out = call->response;
        call->response = (struct buf){ 0 };
    }

done:
    buf_fini(&call->response);
    target_unref(call->target);
    call->target = NULL;
    buf_fini(&url);
    return exit;
}

static void on_done(struct call *call)
{
    struct client *client = container_of(call, struct client, call);

    client->under_way = false;
    uv_stop(&client->loop);
}

/* A fault's place, as the contract's 422 has it, without its first part: "channels.0". */
static enum err put_place(struct raw loc, struct buf *out)
{
    struct raw items = raw_items(loc), part;
    enum err err = ERR_OK;
    size_t count = 0;

    while (!err && raw_next(&items, &part)) {
        if (count > 1)
            err = buf_append_text(out, ".");
        if (!err && count++ > 0)
            err = raw_text(part, out);
    }
    return err ? err : buf_append_text(out, count > 1 ? ": " : "");
}

/* One line for each fault of {"detail":[{"loc","msg"}]}, or one for {"code","detail"}. */
static void say_answer(const struct call *call)
{
    struct raw detail = raw_member(raw_of(&call->response), "detail");
    struct raw items = raw_items(detail), item;
    struct buf text = BUF_INIT(LINE_MAX_LEN);
    enum err err;

    if (detail.len == 0) {
        say("the server answered %u", call->status);
        return;
    }
    if (items.len == 0) {
        err = raw_text(detail, &text);
        say("%s", err ? err_text(err) : buf_text(&text));
    }
    while (raw_next(&items, &item)) {
        buf_clear(&text);
        err = put_place(raw_member(item, "loc"), &text);
        if (!err)
            err = raw_text(raw_member(item, "msg"), &text);
        say("%s", err ? err_text(err) : buf_text(&text));
    }
    buf_fini(&text);
}

enum cli_exit client_distrust(const struct client *client)
{
    say("%s: what answers there isn't posthaste", client->where.url);
    return CLI_FAILED;
}

static enum cli_exit judge(const struct client *client, const struct call *call,
                           enum answer_shape shape)
{
    if (call->err == ERR_CANCELED)
        return CLI_FAILED;
    if (call->err) {
        say("%s: %s", client->where.url, call->reason);
        return CLI_UNREACHABLE;
    }
    if (call->response.len >= CLIENT_ANSWER_MAX) {
        say("the answer is too large: ask for less with --limit");
        return CLI_FAILED;
    }
    if (call->status >= 200 && call->status < 300)
        return answer_has_shape(&call->response, shape) ? CLI_OK : client_distrust(client);

    say_answer(call);
    switch (call->status) {
    case 401:
    case 403:
        return CLI_DENIED;
    case 404:
        return CLI_NOT_FOUND;
    default:
        return CLI_FAILED;
    }
}

void client_wait(struct client *client, uint32_t ms)
{
    uv_timer_start(&client->timer, on_time, ms, 0);
    uv_run(&client->loop, UV_RUN_DEFAULT);
}

static void on_time(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

/* The loop runs until its handles are gone; nothing else to do then. */
static void on_closed(void *ctx)
{
    (void)ctx;
}
