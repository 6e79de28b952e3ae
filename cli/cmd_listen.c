/* Listen: a receiver for debugging.
 *
 *   on_delivery ─► answer ─────────────────────► print
 *               └► forward ─► on_forwarded ─► answer ─► print */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/receipt.h"
#include "cli/say.h"
#include "core/count.h"
#include "core/list.h"
#include "core/mem.h"
#include "signer/signer.h"
#include "wire/courier.h"
#include "wire/server.h"

#define FORWARD_TIMEOUT_MS 30000
#define STOP_TIMEOUT_MS    1000
#define HEADER_LEN_MAX     4096 /* bytes of a header line that is forwarded */

/* What a receiver needs to verify a delivery, passed on. */
static const char *const passed_headers[] = { "webhook-id", "webhook-timestamp",
                                              "webhook-signature", "content-type" };
#define PASSED_COUNT COUNT(passed_headers)

struct receiver {
    uv_loop_t loop;
    uv_signal_t interrupt, term;
    struct server *server;
    struct signer *signer;
    bool has_secret;
    struct secret secret;
    struct egress *egress;
    struct courier *courier; /* of --forward-to, else NULL */
    struct target *target;
    uint64_t to_fail; /* deliveries still to be refused */
    uint64_t to_come; /* deliveries until we stop; 0 = no end */
    unsigned status;
    bool json, stopping;
};

struct forward {
    struct call call;
    struct receiver *receiver;
    struct exchange *exchange;
    struct buf headers[PASSED_COUNT];
};

static enum cli_exit run_listen(const struct line *line);
static enum cli_exit read_options(struct receiver *r, const struct line *line);
static enum cli_exit open_forward(struct receiver *r, const char *url);
static enum cli_exit open_server(struct receiver *r, uint64_t port);
static void on_headers(struct exchange *x, void *ctx);
static void on_delivery(struct exchange *x, void *ctx);
static void forward(struct receiver *r, struct exchange *x);
static void on_forwarded(struct call *call);
static void answer(struct receiver *r, struct exchange *x, unsigned status);
static void on_signal(uv_signal_t *signal, int number);
static void stop(struct receiver *r);
static void on_closed(void *ctx);

static const struct option options[] = {
    LOCAL("port", OPTION_COUNT, "N", "on 127.0.0.1; any free one unless given"),
    LOCAL("secret", OPTION_TEXT, "whsec_…", "verify signatures with it"),
    LOCAL("forward-to", OPTION_TEXT, "URL", "pass deliveries on, and its answer back"),
    LOCAL("status", OPTION_COUNT, "N", "answer with it; 204 unless given"),
    LOCAL("fail", OPTION_COUNT, "N", "answer the first N with 500"),
    LOCAL("count", OPTION_COUNT, "N", "stop after N deliveries"),
    OPTION_END,
};

static const struct option_group option_group = { "Receiver", options };

const struct command listen_commands[] = {
    { .path = "listen",
      .arguments = "",
      .summary = "receive deliveries, verify and print each",
      .example = "posthaste listen --port 9000 --secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
      .groups = { &option_group, &output_group },
      .run = run_listen },
    { .path = NULL },
};

static enum cli_exit run_listen(const struct line *line)
{
    struct receiver r = { .signer = signer_new() };

    if (uv_loop_init(&r.loop) != 0)
        abort();
    uv_signal_init(&r.loop, &r.interrupt);
    uv_signal_init(&r.loop, &r.term);
    r.interrupt.data = r.term.data = &r;

    enum cli_exit exit = read_options(&r, line);
    if (!exit && line_has(line, "forward-to"))
        exit = open_forward(&r, line_text(line, "forward-to"));
    if (!exit)
        exit = open_server(&r, line_count(line, "port", 0));
    if (exit)
        stop(&r);
    uv_run(&r.loop, UV_RUN_DEFAULT);

    uv_loop_close(&r.loop);
    egress_free(r.egress);
    signer_free(r.signer);
    secret_wipe(&r.secret);
    return exit;
}

static enum cli_exit read_options(struct receiver *r, const struct line *line)
{
    const char *secret = line_text(line, "secret");
    uint64_t status = line_count(line, "status", 204);
    enum output_form form = output_form(line);

    if (secret && secret_parse(secret, &r->secret) != ERR_OK) {
        say("--secret: not " SECRET_WANTED ", or whpk_ and that of a public key");
        return CLI_USAGE;
    }
    if (status < 200 || status > 599) {
        say("--status: %" PRIu64 " is not between 200 and 599", status);
        return CLI_USAGE;
    }
    r->json = form != OUTPUT_TABLE;
    r->has_secret = secret != NULL;
    r->status = (unsigned)status;
    r->to_fail = line_count(line, "fail", 0);
    r->to_come = line_count(line, "count", 0);
    return CLI_OK;
}

static enum cli_exit open_forward(struct receiver *r, const char *url)
{
    struct buf normal = BUF_INIT(URL_LEN_MAX);
    struct text_list none = { 0 };
    const char *why = "can't be used";
    enum err err = courier_url(url, &normal, &why);

    if (!err)
        err = target_new("POST", buf_text(&normal), &none, &r->target);
    buf_fini(&normal);
    if (err) {
        say("--forward-to: %s", why);
        return CLI_USAGE;
    }
    r->egress = egress_new_open();
    err = courier_open(&r->courier, &(struct courier_options){
                                        .loop = &r->loop,
                                        .egress = r->egress,
                                        .user_agent = "posthaste/" POSTHASTE_VERSION,
                                        .idle_connections = 8,
                                    });
    if (err)
        say("no HTTP client: %s", err_text(err));
    return err ? CLI_FAILED : CLI_OK;
}

static enum cli_exit open_server(struct receiver *r, uint64_t port)
{
    if (port > UINT16_MAX) {
        say("--port: %" PRIu64 " is not a port", port);
        return CLI_USAGE;
    }
    enum err err = server_open(&r->server, &(struct server_options){
                                               .loop = &r->loop,
                                               .address = "127.0.0.1",
                                               .port = (uint16_t)port,
                                               .limits = &server_default_limits,
                                               .on_headers = on_headers,
                                               .on_request = on_delivery,
                                               .ctx = r,
                                           });
    if (err) {
        say("127.0.0.1:%" PRIu64 ": %s", port, err_text(err));
        return CLI_FAILED;
    }
    uv_signal_start(&r->interrupt, on_signal, SIGINT);
    uv_signal_start(&r->term, on_signal, SIGTERM);
    fprintf(stderr, "listening on http://127.0.0.1:%u/\n", server_port(r->server));
    return CLI_OK;
}

/* A browser's visit is no delivery. */
static void on_headers(struct exchange *x, void *ctx)
{
    (void)ctx;
    if (strcmp(exchange_method(x), "POST") != 0)
        exchange_reply(x, 405, NULL);
}

static void on_delivery(struct exchange *x, void *ctx)
{
    struct receiver *r = ctx;

    if (r->to_fail > 0) {
        r->to_fail--;
        answer(r, x, 500);
    } else if (r->courier)
        forward(r, x);
    else
        answer(r, x, r->status);
}

static void forward(struct receiver *r, struct exchange *x)
{
    struct forward *f = xcalloc(1, sizeof *f);
    size_t count = 0;

    f->receiver = r;
    f->exchange = x;
    f->call = (struct call){
        .target = r->target,
        .timeout_ms = FORWARD_TIMEOUT_MS,
        .done = on_forwarded,
    };
    f->call.body = exchange_body(x, &f->call.body_len);
    for (size_t i = 0; i < PASSED_COUNT; i++) {
        const char *value = exchange_header(x, passed_headers[i]);

        f->headers[i] = BUF_INIT(HEADER_LEN_MAX);
        if (value && buf_printf(&f->headers[i], "%s: %s", passed_headers[i], value) == ERR_OK)
            f->call.headers[count++] = buf_text(&f->headers[i]);
    }
    courier_send(r->courier, &f->call);
}

static void on_forwarded(struct call *call)
{
    struct forward *f = container_of(call, struct forward, call);

    if (call->err)
        say("--forward-to: %s", call->reason);
    answer(f->receiver, f->exchange, call->err ? 502 : call->status);
    for (size_t i = 0; i < PASSED_COUNT; i++)
        buf_fini(&f->headers[i]);
    buf_fini(&call->response);
    free(f);
}

static void answer(struct receiver *r, struct exchange *x, unsigned status)
{
    struct receipt receipt;

    receipt_take(x, status, r->signer, r->has_secret ? &r->secret : NULL, &receipt);
    receipt_print(&receipt, r->json, stdout);
    exchange_reply(x, status, NULL);
    if (r->to_come > 0 && --r->to_come == 0)
        stop(r);
}

static void on_signal(uv_signal_t *signal, int number)
{
    (void)number;
    stop(signal->data);
}

/* What isn't open yet or any more is left alone. The loop ends with its last handle. */
static void stop(struct receiver *r)
{
    if (r->stopping)
        return;
    r->stopping = true;
    uv_close((uv_handle_t *)&r->interrupt, NULL);
    uv_close((uv_handle_t *)&r->term, NULL);
    target_unref(r->target);
    if (r->server)
        server_close(r->server, STOP_TIMEOUT_MS, on_closed, r);
    if (r->courier)
        courier_close(r->courier, on_closed, r);
}

static void on_closed(void *ctx)
{
    (void)ctx;
}
