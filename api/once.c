#include "api/once.h"

#include <assert.h>
#include <string.h>

#include "api/reply.h"
#include "api/routes.h"
#include "core/big_endian.h"
#include "core/count.h"
#include "core/mem.h"
#include "signer/envelope.h"

#define STATUS_LEN 2 /* bytes, before the body of an answer that is kept */

static void on_written(struct store_req *req);
static void on_recalled(struct store_req *req);

void once_begin(struct request *r)
{
    struct exchange *x = r->exchange;
    const char *key = exchange_header(x, "idempotency-key");
    const char *token = exchange_header(x, "authorization");

    if (!key || !key[0] || !token || strcmp(r->match.route->method, "POST") != 0)
        return;
    const char *const texts[] = { token, key, exchange_path(x), exchange_query(x) };
    digest_texts(r->services->digest, texts, COUNT(texts), r->once.hash);
    r->once.has_key = true;
    r->once.kept.hash = r->once.hash;
}

void once_fini(struct once *once)
{
    bytes_fini(&once->kept.answer);
    bytes_fini(&once->kept.first);
}

void once_needless(struct request *r)
{
    r->once.has_key = false;
}

const uint8_t *once_hash(const struct request *r)
{
    return r->once.has_key ? r->once.hash : NULL;
}

void once_settle(struct request *r)
{
    r->once.is_settled = true;
}

/* What the request says and the hash doesn't show: SHA-256 of the same with a word of its own. */
static void derive_secret(const struct request *r, uint8_t out[DIGEST_LEN])
{
    struct exchange *x = r->exchange;
    const char *const texts[] = {
        "answer",
        exchange_header(x, "authorization"),
        exchange_header(x, "idempotency-key"),
        exchange_path(x),
        exchange_query(x),
    };

    digest_texts(r->services->digest, texts, COUNT(texts), out);
}

/* The answer of r->once.status and r->reply, to be kept. */
static void seal(struct request *r)
{
    struct once *once = &r->once;
    uint8_t secret[DIGEST_LEN];
    size_t body_len = once->has_body ? r->reply.len : 0;
    struct bytes plain = { xcalloc(1, STATUS_LEN + body_len), STATUS_LEN + body_len };

    big_endian_put(plain.data, once->status, STATUS_LEN);
    if (body_len > 0)
        memcpy(plain.data + STATUS_LEN, r->reply.bytes, body_len);
    derive_secret(r, secret);
    bytes_fini(&once->kept.answer);
    envelope_seal(secret, plain.data, plain.len, &once->kept.answer);
    keyring_wipe(&plain);
}

struct store_req once_write(struct request *r, unsigned status, store_done *done)
{
    struct once *once = &r->once;
    enum err err = status == 204 ? ERR_OK : json_write_end(&r->writer);

    /* A body is far shorter than an answer may be, and so is what is made of it. */
    assert(err == ERR_OK);
    once->status = status;
    once->has_body = status != 204;
    if (!once->has_key)
        return request_waits(r, done);
    seal(r);
    once->done = done;
    struct store_req req = request_waits(r, on_written);
    req.once = &once->kept;
    return req;
}

void once_reply(struct request *r)
{
    once_settle(r);
    reply_written(r, r->once.status, r->once.has_body);
}

/* Into r->once.status and r->reply. */
static enum err open_first(struct request *r)
{
    struct once *once = &r->once;
    uint8_t secret[DIGEST_LEN];
    struct bytes plain;

    derive_secret(r, secret);
    enum err err = envelope_open(secret, &once->kept.first, &plain);
    if (err)
        return err;
    buf_clear(&r->reply);
    if (plain.len < STATUS_LEN)
        err = ERR_CORRUPT;
    else
        err = buf_append(&r->reply, plain.data + STATUS_LEN, plain.len - STATUS_LEN);
    if (!err)
        once->status = (unsigned)big_endian_get(plain.data, STATUS_LEN);
    once->has_body = r->reply.len > 0;
    keyring_wipe(&plain);
    return err;
}

static void reply_first(struct request *r)
{
    once_settle(r);
    if (open_first(r))
        reply_err(r, ERR_CORRUPT);
    else
        reply_written(r, r->once.status, r->once.has_body);
}

static void on_written(struct store_req *req)
{
    struct request *r = request_of(req);

    if (!req->err && r->once.kept.repeated)
        reply_first(r);
    else
        r->once.done(req);
}

bool once_holds(struct request *r, unsigned status, const struct buf *body)
{
    struct once *once = &r->once;

    if (!once->has_key || once->is_settled || r->relayed || status >= 500)
        return false;
    once->status = status;
    once->has_body = body != NULL;
    bytes_fini(&once->kept.answer);
    if (status < 300 && r->reply.len <= ONCE_KEPT_MAX)
        seal(r);
    r->op.recall = (struct store_recall){
        .req = request_waits(r, on_recalled),
        .once = &once->kept,
    };
    store_recall(r->services->store, &r->op.recall);
    return true;
}

static void on_recalled(struct store_req *req)
{
    struct request *r = request_of(req);
    struct store_recall *op = &r->op.recall;

    once_settle(r);
    if (req->err)
        reply_err(r, req->err);
    else if (!op->once->repeated)
        reply_written(r, r->once.status, r->once.has_body);
    else if (op->message)
        messages_repeat(r, op->message);
    else
        reply_first(r);
}
