/* Journal: what this region tells the others of the objects that it is the home of. */
#include "store/journal.h"

#include <assert.h>

#include "core/big_endian.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/random.h"

#define JOURNAL_KEPT    (UINT64_C(1) << 20) /* entries; who is further behind adopts a snapshot */
#define JOURNAL_KEPT_MS (UINT64_C(7) * 24 * 3600 * 1000)
#define OBJECTS_FIRST   64
#define NUMBER_LEN      8 /* in what is chained */

static enum err run_journal(struct store *s, struct store_req *req);
static enum err run_positions(struct store *s, struct store_req *req);
static enum err run_digest(struct store *s, struct store_req *req);
static enum err run_snapshot(struct store *s, struct store_req *req);

static enum err another_region(uint8_t stored, uint8_t configured);
static enum err begin_journal(struct store *s);
static void gather(struct object *object, void *ctx);
static enum err begin_with(struct store *s, struct object *object);
static enum err see_positions(struct store *s);
static void on_arrival(struct task *task);

void store_journal(struct store *s, struct store_journal *op)
{
    static const struct store_verb VERB = { .side = VERB_READS, .run = run_journal };
    store_submit(s, &op->req, &VERB);
}

static enum err run_journal(struct store *s, struct store_req *req)
{
    return s->ops->journal(s->backend, container_of(req, struct store_journal, req));
}

void store_positions(struct store *s, struct store_positions *op)
{
    static const struct store_verb VERB = { .side = VERB_READS, .run = run_positions };
    store_submit(s, &op->req, &VERB);
}

static enum err run_positions(struct store *s, struct store_req *req)
{
    return s->ops->positions(s->backend, container_of(req, struct store_positions, req));
}

void store_digest(struct store *s, struct store_digest *op)
{
    static const struct store_verb VERB = { .side = VERB_READS, .run = run_digest };
    store_submit(s, &op->req, &VERB);
}

static enum err run_digest(struct store *s, struct store_req *req)
{
    return s->ops->digest(s->backend, container_of(req, struct store_digest, req));
}

void store_snapshot(struct store *s, struct store_snapshot *op)
{
    static const struct store_verb VERB = { .side = VERB_READS, .run = run_snapshot };
    store_submit(s, &op->req, &VERB);
}

static enum err run_snapshot(struct store *s, struct store_req *req)
{
    return s->ops->snapshot(s->backend, container_of(req, struct store_snapshot, req));
}

void journal_entries_free(struct journal_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bytes_fini(&entries[i].code);
    free(entries);
}

/* Opening. */

struct beginning {
    size_t count, room;
    struct object **objects; /* references */
};

enum err journal_open(struct store *s)
{
    struct journal *j = &s->journal;
    uint8_t origin = s->ids->ordinal;
    enum err err = s->ops->own_position(s->backend, &j->end);

    if (err)
        return err;
    if (j->end.origin != 0 && j->end.origin != origin)
        return another_region(j->end.origin, origin);
    if (origin == 0)
        return ERR_OK;
    assert(s->sha256);
    if (j->kept == 0)
        j->kept = JOURNAL_KEPT;
    j->code = BUF_INIT(OBJECT_CODE_MAX);
    if (j->end.origin != origin)
        err = begin_journal(s);
    return err ? err : see_positions(s);
}

/* What it would write without its ordinal the others would never hear of. */
static enum err another_region(uint8_t stored, uint8_t configured)
{
    log_event(LOG_ERROR, "another_region", LOG_NUM("stored_ordinal", stored),
              LOG_NUM("configured_ordinal", configured),
              LOG_STR("reason", "the data directory is that of another region"));
    return ERR_CONFLICT;
}

/* With what is here from the time when this region was alone. */
static enum err begin_journal(struct store *s)
{
    struct beginning beginning = { 0 };

    s->now = s->clock();
    s->journal.end = (struct journal_position){ .origin = s->ids->ordinal };
    random_bytes(s->journal.end.incarnation, INCARNATION_LEN);
    catalog_each(s->catalog, gather, &beginning);

    enum err err = s->ops->begin(s->backend, BACKEND_GLOBAL);
    for (size_t i = 0; i < beginning.count; i++) {
        if (!err)
            err = begin_with(s, beginning.objects[i]);
        object_unref(beginning.objects[i]);
    }
    free(beginning.objects);
    if (!err)
        err = s->ops->set_position(s->backend, &s->journal.end, true);
    if (!err)
        err = s->ops->commit(s->backend, BACKEND_GLOBAL);
    if (err)
        s->ops->rollback(s->backend, BACKEND_GLOBAL);
    return err;
}

static void gather(struct object *object, void *ctx)
{
    struct beginning *beginning = ctx;

    if (beginning->count == beginning->room)
        beginning->objects =
            xgrow(beginning->objects, &beginning->room, OBJECTS_FIRST, sizeof(struct object *));
    beginning->objects[beginning->count++] = object_ref(object);
}

/* Who was made without a home gets one here, for without it no other region would take it. */
static struct object *at_home(const struct store *s, struct object *object)
{
    if (!s->residency || object->kind != OBJECT_APPLICATION ||
        as_application(object)->residency.home != 0)
        return object_ref(object);

    struct application *a = application_copy(as_application(object));
    residency_fini(&a->residency);
    a->residency = residency_copy(s->residency);
    a->base.version++;
    return &a->base;
}

static enum err begin_with(struct store *s, struct object *object)
{
    struct object *next = at_home(s, object);
    enum err err = journal_add(s, next);

    if (!err && next != object)
        err = s->ops->put(s->backend, next);
    if (!err)
        catalog_put(s->catalog, next);
    object_unref(next);
    return err;
}

static struct journal_reach reach_of(const struct journal_position *position)
{
    struct journal_reach reach = { .origin = position->origin, .seq = position->seq };

    memcpy(reach.incarnation, position->incarnation, INCARNATION_LEN);
    return reach;
}

/* Our next stamp comes after all that we have applied, too; who follows is told how far that is. */
static enum err see_positions(struct store *s)
{
    struct store_positions *op = xcalloc(1, sizeof *op);
    enum err err = s->ops->positions(s->backend, op);

    arrivals_drop(s);
    for (size_t i = 0; !err && i < op->count; i++) {
        const struct journal_position *position = &op->positions[i];
        hlc_see(&s->journal.clock, position->hlc);
        s->reached[position->origin] = reach_of(position);
    }
    free(op);
    return err;
}

void journal_close(struct store *s)
{
    buf_fini(&s->journal.code);
}

/* Writing. */

void journal_chain(const struct store *s, const uint8_t before[CHAIN_LEN],
                   const struct journal_entry *entry, const uint8_t digest[CHAIN_LEN],
                   uint8_t out[CHAIN_LEN])
{
    uint8_t link[CHAIN_LEN + 2 * NUMBER_LEN + CHAIN_LEN];

    memcpy(link, before, CHAIN_LEN);
    big_endian_put(link + CHAIN_LEN, entry->seq, NUMBER_LEN);
    big_endian_put(link + CHAIN_LEN + NUMBER_LEN, entry->hlc, NUMBER_LEN);
    memcpy(link + CHAIN_LEN + 2 * NUMBER_LEN, digest, CHAIN_LEN);
    s->sha256(link, sizeof link, out);
}

void journal_digest(const struct store *s, const struct bytes *code, uint8_t out[CHAIN_LEN])
{
    s->sha256(code->data, object_code_public(code->data, code->len), out);
}

/* Secrets of objects that were deleted long ago are in there, too. */
static enum err prune(struct store *s, uint64_t seq)
{
    uint64_t kept = s->journal.kept, wall_ms = s->now.wall_ms;

    return s->ops->prune_journal(s->backend, seq > kept ? seq - kept : 0,
                                 wall_ms > JOURNAL_KEPT_MS ? hlc_at(wall_ms - JOURNAL_KEPT_MS)
                                                           : 0);
}

static int64_t mark_of(const struct object *object)
{
    return object->kind == OBJECT_ENDPOINT ? sealed_mark(as_endpoint((struct object *)object))
                                           : SEALED_NOTHING;
}

enum err journal_add(struct store *s, const struct object *object)
{
    struct journal *j = &s->journal;
    struct journal_position next = j->end;
    struct journal_entry entry = { .seq = next.seq + 1 };
    struct object_state state = { .origin = next.origin };
    bool newer;

    buf_clear(&j->code);
    enum err err = object_encode(object, &j->code);
    if (err)
        return err;
    entry.hlc = hlc_next(&j->clock, s->now.wall_ms);
    entry.code = (struct bytes){ .data = j->code.bytes, .len = j->code.len };
    journal_digest(s, &entry.code, state.digest);
    journal_chain(s, next.chain, &entry, state.digest, entry.chain);
    object_state_of(object, &state);
    next.seq = entry.seq;
    next.hlc = entry.hlc;
    next.at_ms = s->now.wall_ms;
    memcpy(next.chain, entry.chain, CHAIN_LEN);

    err = s->ops->keep_state(s->backend, &state, &newer);
    if (!err)
        err = s->ops->keep_entry(s->backend, &entry, mark_of(object));
    if (!err)
        err = s->ops->set_position(s->backend, &next, true);
    if (!err)
        err = prune(s, next.seq);
    if (!err) {
        j->end = next;
        arrivals_add(s, &next);
    }
    return err;
}

void object_state_of(const struct object *object, struct object_state *state)
{
    state->key = id_key(&object->id);
    state->kind = object->kind;
    state->version = object->version;
}

/* Arrivals: how far each journal was applied, told to followers behind the objects. */

struct arrival {
    struct task task;
    struct store_follower *follower;
    struct journal_reach reach;
};

void arrivals_add(struct store *s, const struct journal_position *position)
{
    s->arrived[position->origin] = reach_of(position);
}

static void send_arrival(struct store_follower *follower, const struct journal_reach *reach)
{
    struct arrival *arrival = xcalloc(1, sizeof *arrival);

    arrival->task.run = on_arrival;
    arrival->follower = follower;
    arrival->reach = *reach;
    inbox_post(follower->inbox, &arrival->task);
}

void arrivals_publish(struct store *s)
{
    for (unsigned origin = 1; origin <= UINT8_MAX; origin++) {
        if (s->arrived[origin].seq == 0)
            continue;
        for (struct list *at = s->followers.next; at != &s->followers; at = at->next) {
            struct store_follower *follower = container_of(at, struct store_follower, link);
            if (follower->applied)
                send_arrival(follower, &s->arrived[origin]);
        }
    }
    arrivals_drop(s);
}

static void on_arrival(struct task *task)
{
    struct arrival *arrival = container_of(task, struct arrival, task);

    arrival->follower->applied(arrival->follower, &arrival->reach);
    free(arrival);
}

void arrivals_drop(struct store *s)
{
    memset(s->arrived, 0, sizeof s->arrived);
}
