#include "region/reseal.h"

#include "core/object_code.h"
#include "core/operational.h"

typedef enum err seal_function(const struct pair *pair, const struct keyring *keyring,
                               enum seal_use use, const struct id *application,
                               const struct id *endpoint, const struct bytes *sealed,
                               struct bytes *out);

/* Put `sealed` into other hands, or out of it. */
static void hand_over(const struct reseal *r, seal_function *seal, enum seal_use use,
                      const struct endpoint *e, struct bytes *sealed)
{
    struct bytes other = { 0 };

    if (!seal || seal(r->pair, r->keyring, use, &e->application, &e->base.id, sealed, &other))
        other = (struct bytes){ 0 };
    bytes_fini(sealed);
    *sealed = other;
}

static void hand_over_all(const struct reseal *r, seal_function *seal, struct endpoint *e)
{
    size_t kept = 0;

    for (size_t i = 0; i < e->secret_count; i++) {
        struct sealed_secret secret = e->secrets[i];
        e->secrets[i] = (struct sealed_secret){ .expires_at_ms = 0 };
        hand_over(r, seal, SEAL_SECRET, e, &secret.sealed);
        if (secret.sealed.len > 0)
            e->secrets[kept++] = secret;
    }
    e->secret_count = kept;
    if (e->sealed_headers.len > 0)
        hand_over(r, seal, SEAL_HEADERS, e, &e->sealed_headers);
}

/* The peer is of the jurisdiction that the endpoint's application lives in, or tells what happens in
 * it, as each region does. */
static bool is_entitled(const struct reseal *r, const struct endpoint *e)
{
    const struct application *a =
        catalog_application_by_key(r->catalog, id_key(&e->application));

    return a && (operational_is(a) ||
                 region_set_has(residency_allowed(r->topology, &a->residency), r->peer));
}

enum err reseal_for_peer(const struct reseal *r, const struct bytes *code, struct bytes *out)
{
    struct object *object;
    enum err err = object_decode(code->data, code->len, &object);

    if (err)
        return err;
    if (object->kind == OBJECT_ENDPOINT)
        hand_over_all(r, is_entitled(r, as_endpoint(object)) ? pair_seal : NULL,
                      as_endpoint(object));
    err = object_code_replace(code, object, out);
    object_unref(object);
    return err;
}

enum err reseal_from_peer(const struct reseal *r, const struct bytes *code, struct bytes *out)
{
    struct object *object;

    if (object_decode(code->data, code->len, &object) != ERR_OK) {
        *out = bytes_copy(code->data, code->len);
        return ERR_OK;
    }
    enum err err = ERR_OK;
    if (object->kind == OBJECT_ENDPOINT) {
        hand_over_all(r, pair_unseal, as_endpoint(object));
        err = object_code_replace(code, object, out);
    } else {
        *out = bytes_copy(code->data, code->len);
    }
    object_unref(object);
    return err;
}
