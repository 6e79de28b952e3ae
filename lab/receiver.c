#include "lab/receiver.h"

#include <stdio.h>
#include <string.h>

#include "cli/receipt.h"

#define STOP_TIMEOUT_MS 100

static void on_headers(struct exchange *x, void *ctx);
static void on_delivery(struct exchange *x, void *ctx);
static void on_closed(void *ctx);

enum err receiver_open(struct receiver *receiver, uv_loop_t *loop, const char *address,
                       uint16_t port, const char *region, const struct secret *secret)
{
    *receiver = (struct receiver){ .region = region, .secret = secret };
    enum err err = server_open(&receiver->server, &(struct server_options){
                                                      .loop = loop,
                                                      .address = address,
                                                      .port = port,
                                                      .limits = &server_default_limits,
                                                      .on_headers = on_headers,
                                                      .on_request = on_delivery,
                                                      .ctx = receiver,
                                                  });
    if (!err)
        receiver->signer = signer_new();
    return err;
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
    struct receiver *receiver = ctx;
    struct receipt receipt;

    receipt_take(x, 204, receiver->signer, receiver->secret, &receipt);
    receiver->verified += receipt.verdict == ERR_OK;
    printf("the receiver in %s got:  ", receiver->region);
    receipt_print(&receipt, false, stdout);
    exchange_reply(x, 204, NULL);
}

void receiver_close(struct receiver *receiver)
{
    if (receiver->server)
        server_close(receiver->server, STOP_TIMEOUT_MS, on_closed, NULL);
    receiver->server = NULL;
}

static void on_closed(void *ctx)
{
    (void)ctx;
}

void receiver_fini(struct receiver *receiver)
{
    if (receiver->signer)
        signer_free(receiver->signer);
}
