/* Rekey: the master keys, and the way of new ones into a daemon that runs.
 *
 *   ask ──────► on_asked ─┐
 *   SIGHUP ─► rekey_begin ┴─► start: read the files ─► on_counted: is one gone that is needed?
 *     ─► hand_on to each loop and back: the keys of before and those of now, sealing as before
 *     ─► hand_on to each loop and back: those of now ─► finish: answers
 *
 * Two rounds, so that nobody seals by a key that somebody else doesn't have yet. */
#include "daemon/private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/log.h"
#include "signer/seal.h"
#include "store/sealing.h"

static void on_asked(struct task *task);
static void start(struct daemon *d);
static void on_counted(struct store_req *req);
static void hand_on(struct daemon *d);
static void on_loop(struct task *task);
static void on_handed(struct task *task);
static void finish(struct daemon *d, enum err err, const char *why);

/* What the store writes is sealed by this one. */

static size_t seal(const void *keyring, struct endpoint *endpoint)
{
    return seal_again(keyring, endpoint);
}

static bool has(const void *keyring, uint32_t key)
{
    return keyring_has(keyring, key);
}

void rekey_store(struct store *store, const struct keyring *keyring)
{
    store_take_sealer(
        store, &(struct store_sealer){
                   .key = keyring_newest(keyring), .again = seal, .has = has, .ctx = keyring });
}

/* Asking. */

static void ask(struct rekeyer *rekeyer, struct rekeying *rekeying)
{
    struct daemon *d = container_of(rekeyer, struct daemon, rekey.rekeyer);

    rekeying->rekeyer = rekeyer;
    rekeying->task.run = on_asked;
    inbox_post(&d->main.inbox, &rekeying->task);
}

void rekey_open(struct daemon *d)
{
    d->rekey.rekeyer.ask = ask;
    list_init(&d->rekey.asked);
    list_init(&d->rekey.served);
}

static void on_done(struct task *task)
{
    struct rekeying *rekeying = container_of(task, struct rekeying, task);

    rekeying->done(rekeying);
}

static void answer(struct rekeying *rekeying, enum err err, const char *why)
{
    rekeying->err = err;
    snprintf(rekeying->why, sizeof rekeying->why, "%s", why);
    rekeying->task.run = on_done;
    inbox_post(rekeying->reply_to, &rekeying->task);
}

static void on_asked(struct task *task)
{
    struct rekeying *rekeying = container_of(task, struct rekeying, task);
    struct daemon *d = container_of(rekeying->rekeyer, struct daemon, rekey.rekeyer);

    if (d->stopping) {
        answer(rekeying, ERR_UNAVAILABLE, "");
        return;
    }
    list_append(&d->rekey.asked, &task->link);
    rekey_begin(d);
}

/* Who asks while files that were read before are handed round wants them read once more. */
void rekey_begin(struct daemon *d)
{
    d->rekey.wanted = true;
    if (!d->rekey.busy)
        start(d);
}

bool rekey_puts_off_stopping(struct daemon *d)
{
    d->rekey.stops = d->rekey.busy;
    return d->rekey.busy;
}

/* Reading. */

static void start(struct daemon *d)
{
    struct rekey *k = &d->rekey;
    char why[CONFIG_WHY_MAX];

    k->busy = true;
    k->wanted = false;
    list_move_all(&k->asked, &k->served);
    enum err err = keyring_load(d->settings.config, &k->next, why);
    if (err) {
        finish(d, err, why);
        return;
    }
    k->count.req = (struct store_req){ .done = on_counted, .reply_to = &d->main.inbox };
    store_count_sealed(d->store, &k->count);
}

/* Of a key that would be gone; NULL: there is none. */
static const struct sealed_count *find_needed(const struct rekey *k, const struct keyring *now)
{
    for (size_t i = 0; i < k->count.count; i++) {
        const struct sealed_count *count = &k->count.keys[i];
        if (keyring_has(now, count->key) && !keyring_has(k->next, count->key))
            return count;
    }
    return NULL;
}

static void on_counted(struct store_req *req)
{
    struct rekey *k = container_of(req, struct rekey, count.req);
    struct daemon *d = container_of(k, struct daemon, rekey);
    char why[CONFIG_WHY_MAX], id[KEY_ID_TEXT_MAX];

    const struct sealed_count *needed = req->err ? NULL : find_needed(k, d->settings.keyring);
    if (req->err) {
        finish(d, req->err, err_text(req->err));
        return;
    }
    if (needed) {
        keyring_id_text(needed->key, id);
        snprintf(why, sizeof why, "the file of key %s is gone, and %" PRIu64 " values need it",
                 id, needed->values[SEALED_ENDPOINTS] + needed->values[SEALED_JOURNAL]);
        finish(d, ERR_CONFLICT, why);
        return;
    }
    k->both = keyring_join(d->settings.keyring, k->next);
    k->handed = k->both;
    k->step = 0;
    hand_on(d);
}

/* Handing round. */

static void take_api(struct daemon *d, const struct keyring *keyring)
{
    api_take_keyring(d->api, keyring);
}

static void take_link(struct daemon *d, const struct keyring *keyring)
{
    if (d->link) {
        link_take_keyring(d->link, keyring);
        api_take_keyring(d->peers, keyring);
    }
}

static void take_dispatcher(struct daemon *d, const struct keyring *keyring)
{
    dispatcher_take_keyring(d->dispatcher, keyring);
}

static void take_store(struct daemon *d, const struct keyring *keyring)
{
    rekey_store(d->store, keyring);
}

static void hand_on(struct daemon *d)
{
    struct loop *const loops[REKEY_STEPS] = { &d->dispatch, &d->link_loop, &d->api_loop,
                                              &d->writer };

    d->rekey.task.run = on_loop;
    inbox_post(&loops[d->rekey.step]->inbox, &d->rekey.task);
}

/* On the loop of the step. */
static void on_loop(struct task *task)
{
    static void (*const TAKE[REKEY_STEPS])(struct daemon *, const struct keyring *) = {
        take_dispatcher, take_link, take_api, take_store
    };
    struct daemon *d = container_of(task, struct daemon, rekey.task);

    TAKE[d->rekey.step](d, d->rekey.handed);
    task->run = on_handed;
    inbox_post(&d->main.inbox, task);
}

static void on_handed(struct task *task)
{
    struct daemon *d = container_of(task, struct daemon, rekey.task);
    struct rekey *k = &d->rekey;

    if (++k->step < REKEY_STEPS) {
        hand_on(d);
        return;
    }
    if (k->handed == k->both) {
        k->handed = k->next;
        k->step = 0;
        hand_on(d);
        return;
    }
    keyring_free(d->settings.keyring);
    d->settings.keyring = k->next;
    k->next = NULL;
    finish(d, ERR_OK, "");
}

static void tell(const struct daemon *d, enum err err, const char *why)
{
    char id[KEY_ID_TEXT_MAX];

    keyring_id_text(keyring_newest(d->settings.keyring), id);
    if (err)
        log_event(LOG_ERROR, "master_keys_refused", LOG_STR("reason", why),
                  LOG_STR("consequence", "those of before stay in use"));
    else
        log_event(LOG_INFO, "master_keys_taken", LOG_STR("current", id),
                  LOG_NUM("keys", keyring_count(d->settings.keyring)));
}

static void finish(struct daemon *d, enum err err, const char *why)
{
    struct rekey *k = &d->rekey;
    struct list *link;

    tell(d, err, why);
    if (!err)
        missing_keys_tell(&k->count, d->settings.keyring);
    keyring_free(k->both);
    keyring_free(k->next);
    k->both = k->next = NULL;
    k->busy = false;
    while ((link = list_pop(&k->served)))
        answer(container_of(link, struct rekeying, task.link), err, why);
    if (k->stops) {
        while ((link = list_pop(&k->asked)))
            answer(container_of(link, struct rekeying, task.link), ERR_UNAVAILABLE, "");
        stopping_begin(d);
    } else if (k->wanted) {
        start(d);
    }
}
