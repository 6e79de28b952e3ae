#include "dispatcher/destination.h"

#include <assert.h>

#include "core/mem.h"
#include "signer/seal.h"
#include "wire/noun_in.h"

#define CONTENT_TYPE "content-type: application/json"

static void destination_free(struct destination *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->secret_count; i++)
        secret_wipe(&d->secrets[i]);
    free(d->secrets);
    target_unref(d->target);
    text_list_fini(&d->lines);
    free(d);
}

/* Those that haven't expired. */
static enum err add_secrets(struct destination *d, const struct keyring *keyring,
                            const struct endpoint *endpoint, uint64_t wall_ms)
{
    d->secrets = xcalloc(endpoint->secret_count, sizeof *d->secrets);
    for (size_t i = 0; i < endpoint->secret_count; i++) {
        const struct sealed_secret *secret = &endpoint->secrets[i];
        uint64_t expires_at_ms = secret->expires_at_ms;

        if (expires_at_ms > 0 && expires_at_ms <= wall_ms)
            continue;
        if (unseal_secret(keyring, endpoint, &secret->sealed, &d->secrets[d->secret_count]))
            return ERR_SEALED;
        d->secret_count++;
        if (expires_at_ms > 0 && (d->fresh_until_ms == 0 || expires_at_ms < d->fresh_until_ms))
            d->fresh_until_ms = expires_at_ms;
    }
    return d->secret_count > 0 ? ERR_OK : ERR_SEALED;
}

/* The endpoint's own headers, and what every delivery has. */
static enum err add_target(struct destination *d, const struct keyring *keyring,
                           const struct endpoint *endpoint, const char *url)
{
    struct bytes json;
    enum err err = unseal_headers(keyring, endpoint, &json);

    if (err)
        return ERR_SEALED;
    if (json.len > 0)
        err = read_header_lines(json.data, json.len, &d->lines);
    keyring_wipe(&json);
    if (err)
        return err;
    text_list_add(&d->lines, CONTENT_TYPE, strlen(CONTENT_TYPE));
    return target_new("POST", url, &d->lines, &d->target);
}

static enum err destination_new(const struct keyring *keyring, const struct endpoint *endpoint,
                                const char *url, uint64_t wall_ms, struct destination **out,
                                const char **out_why)
{
    struct destination *d = xcalloc(1, sizeof *d);
    d->endpoint_key = id_key(&endpoint->base.id);
    d->version = endpoint->base.version;
    list_init(&d->used);
    enum err err = add_secrets(d, keyring, endpoint, wall_ms);
    if (!err)
        err = add_target(d, keyring, endpoint, url);
    if (!err) {
        *out = d;
        return ERR_OK;
    }
    destination_free(d);
    *out_why = err == ERR_SEALED ? "the endpoint's signing secret or headers can't be opened"
                                 : "the endpoint's URL or headers can't be used";
    return err;
}

void destinations_init(struct destinations *all, const struct keyring *keyring, size_t limit)
{
    assert(limit > 0);
    *all = (struct destinations){ .keyring = keyring, .limit = limit };
    list_init(&all->used);
}

static void forget(struct destinations *all, struct destination *d)
{
    HASH_DEL(all->by_key, d);
    list_remove(&d->used);
    destination_free(d);
}

void destinations_fini(struct destinations *all)
{
    while (!list_is_empty(&all->used))
        forget(all, container_of(all->used.next, struct destination, used));
}

static bool is_fresh(const struct destination *d, const struct endpoint *endpoint,
                     uint64_t wall_ms)
{
    return d->version == endpoint->base.version &&
           (d->fresh_until_ms == 0 || wall_ms < d->fresh_until_ms);
}

enum err destinations_get(struct destinations *all, const struct endpoint *endpoint,
                          const char *url, uint64_t wall_ms, const struct destination **out,
                          const char **out_why)
{
    int64_t key = id_key(&endpoint->base.id);
    struct destination *d;

    HASH_FIND(hh, all->by_key, &key, sizeof key, d);
    if (d && !is_fresh(d, endpoint, wall_ms)) {
        forget(all, d);
        d = NULL;
    }
    if (!d) {
        enum err err = destination_new(all->keyring, endpoint, url, wall_ms, &d, out_why);
        if (err)
            return err;
        if (HASH_COUNT(all->by_key) == all->limit)
            forget(all, container_of(all->used.next, struct destination, used));
        HASH_ADD(hh, all->by_key, endpoint_key, sizeof d->endpoint_key, d);
    }
    list_remove(&d->used);
    list_append(&all->used, &d->used);
    *out = d;
    return ERR_OK;
}
