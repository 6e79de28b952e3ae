/* Endpoint secrets: …/endpoint/{endpoint}/secret, …/secret/rotate and …/headers. */
#include <stdio.h>

#include "api/objects.h"
#include "api/reply.h"
#include "api/routes.h"
#include "api/secrets.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/sealed.h"
#include "signer/seal.h"
#include "wire/noun_out.h"

#define DETAIL_MAX 80

static bool next_rotated(struct request *r);
static bool next_headers_replaced(struct request *r);
static bool next_headers_patched(struct request *r);

/* It doesn't open: for want of its key, or since it is damaged. */
static void reply_sealed(struct request *r, const struct bytes *sealed)
{
    uint32_t key = sealed_key(sealed);
    char id[KEY_ID_TEXT_MAX], detail[DETAIL_MAX];

    if (key == 0 || keyring_has(r->services->keyring, key)) {
        reply_err(r, ERR_CORRUPT);
        return;
    }
    keyring_id_text(key, id);
    snprintf(detail, sizeof detail, "It is sealed by the master key %s, which isn't here", id);
    log_event(LOG_ERROR, "request_failed", LOG_STR("path", r->match.route->path),
              LOG_STR("reason", detail), LOG_NUM("status", 500));
    reply_error(r, 500, "master_key_missing", detail);
}

void endpoint_secrets_get(struct request *r)
{
    const struct endpoint *endpoint;
    struct secret secret;
    char text[SECRET_TEXT_MAX];

    if (!request_find_application(r) || !(endpoint = request_find_endpoint(r)))
        return;
    if (unseal_secret(r->services->keyring, endpoint, &endpoint->secrets[0].sealed, &secret)) {
        reply_sealed(r, &endpoint->secrets[0].sealed);
        return;
    }
    secret_format(&secret, text);

    struct json_writer *w = reply_begin(r);
    json_open_object(w);
    json_add_text(w, "key", text);
    json_close_object(w);
    secret_wipe(&secret);
    reply_send(r, 200);
}

void endpoint_secrets_rotate(struct request *r)
{
    if (request_find_application(r) && request_read_body(r, false))
        objects_edit(r, next_rotated, 204);
}

static bool next_rotated(struct request *r)
{
    const struct endpoint *current;
    struct faults faults = { .count = 0 };
    struct rotation_in rotation = { 0 };
    struct secret secret;

    read_rotation(r->body, &rotation, &faults);
    if (faults.count == 0 && !secrets_read(rotation.key, &secret))
        faults_add(&faults, FAULT_VALUE, "body/key", SECRETS_WANTED);
    if (faults.count > 0) {
        reply_faults(r, &faults);
        return false;
    }
    if (!(current = request_find_endpoint(r)))
        return false;

    struct endpoint *next = endpoint_copy(current);
    edit_old(r, &next->base);
    enum err err =
        secrets_rotate(r->services->keyring, next, &secret,
                       r->now.wall_ms + UINT64_C(1000) * rotation.grace_s, r->now.wall_ms);
    secret_wipe(&secret);
    if (err)
        reply_error(r, 400, "limit_reached", "Too many old secrets are still in use");
    return err == ERR_OK;
}

void endpoint_headers_get(struct request *r)
{
    const struct endpoint *endpoint;
    struct bytes plain;
    struct json *headers = NULL;
    struct scan_fault fault;

    if (!request_find_application(r) || !(endpoint = request_find_endpoint(r)))
        return;
    if (unseal_headers(r->services->keyring, endpoint, &plain)) {
        reply_sealed(r, &endpoint->sealed_headers);
        return;
    }
    enum err err = ERR_OK;
    if (plain.len > 0) {
        err = json_parse(plain.data, plain.len, &headers, &fault);
        keyring_wipe(&plain);
    }
    if (err) {
        reply_err(r, ERR_CORRUPT);
        return;
    }
    json_put_endpoint_headers(reply_begin(r), headers);
    json_free(headers);
    reply_send(r, 200);
}

void endpoint_headers_replace(struct request *r)
{
    if (request_find_application(r) && request_read_body(r, true))
        objects_edit(r, next_headers_replaced, 204);
}

void endpoint_headers_patch(struct request *r)
{
    if (request_find_application(r) && request_read_body(r, true))
        objects_edit(r, next_headers_patched, 204);
}

static bool make_headers(struct request *r, enum read_mode mode)
{
    const struct keyring *keyring = r->services->keyring;
    const struct endpoint *current = request_look_up_path_endpoint(r);
    struct faults faults = { .count = 0 };
    struct bytes plain = { 0 };
    char *headers = NULL;

    if (current && mode == READ_PATCH && unseal_headers(keyring, current, &plain)) {
        reply_sealed(r, &current->sealed_headers);
        return false;
    }
    read_endpoint_headers(r->body, mode, (const char *)plain.data, &headers, &faults);
    keyring_wipe(&plain);
    bool made = current && faults.count == 0;
    if (faults.count > 0) {
        reply_faults(r, &faults);
    } else if (!current) {
        reply_not_found(r);
    } else {
        struct endpoint *next = endpoint_copy(current);
        edit_old(r, &next->base);
        seal_headers(keyring, next, headers);
    }
    free(headers);
    return made;
}

static bool next_headers_replaced(struct request *r)
{
    return make_headers(r, READ_REPLACE);
}

static bool next_headers_patched(struct request *r)
{
    return make_headers(r, READ_PATCH);
}
