/* Missing keys: stored values that are sealed under a master key which no file has. Nobody would
 * look for the reason in `posthaste key list` before deliveries are missed. */
#include "daemon/private.h"

#include "core/log.h"

static void on_counted(struct store_req *req);

void missing_keys_look(struct daemon *d)
{
    d->sealed.req = (struct store_req){ .done = on_counted, .reply_to = &d->main.inbox };
    store_count_sealed(d->store, &d->sealed);
}

static void on_counted(struct store_req *req)
{
    struct store_count_sealed *count = container_of(req, struct store_count_sealed, req);
    const struct daemon *d = container_of(count, struct daemon, sealed);

    if (!req->err)
        missing_keys_tell(count, d->settings.keyring);
}

void missing_keys_tell(const struct store_count_sealed *count, const struct keyring *keyring)
{
    char id[KEY_ID_TEXT_MAX];

    for (size_t i = 0; i < count->count; i++) {
        const struct sealed_count *sealed = &count->keys[i];
        if (sealed->key == 0 || keyring_has(keyring, sealed->key))
            continue;
        keyring_id_text(sealed->key, id);
        log_event(LOG_ERROR, "master_key_missing", LOG_STR("key", id),
                  LOG_NUM("endpoints", sealed->values[SEALED_ENDPOINTS]),
                  LOG_NUM("journal_entries", sealed->values[SEALED_JOURNAL]),
                  LOG_STR("consequence", "what goes to these endpoints waits for the key"));
    }
}
