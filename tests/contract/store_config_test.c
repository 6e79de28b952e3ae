/* What the store promises about configuration: versions, names, followers, lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "store/backend.h"
#include "tests/lib/store_fixture.h"

static int start(void **state)
{
    static struct store_fixture f;

    store_fixture_start(&f);
    *state = &f;
    return 0;
}

static int stop(void **state)
{
    store_fixture_stop(*state);
    return 0;
}

static void reopen(struct store_fixture *f)
{
    store_fixture_close(f);
    store_fixture_open(f);
}

static struct application *find_application(struct store_fixture *f, const struct id *id)
{
    return catalog_application(f->catalog, &STORE_FIXTURE_ORGANIZATION, id);
}

/* The next version, made from what the catalog has. */
static struct application *edit_application(struct store_fixture *f, const struct id *id)
{
    struct application *next = application_copy(find_application(f, id));

    next->base.version++;
    return next;
}

static enum err delete_application(struct store_fixture *f, const struct id *id)
{
    struct application *next = edit_application(f, id);

    next->base.deleted = true;
    return store_fixture_try_put(f, &next->base);
}

static void an_application_comes_back_as_it_was_put(void **state)
{
    struct store_fixture *f = *state;
    struct application *a = store_fixture_application(f, "shop");
    struct id id = a->base.id;

    free(a->metadata);
    a->metadata = xstrdup("{\"plan\":\"gold\"}");
    a->throttle_rate = 12;
    a->residency = (struct residency){
        .jurisdiction = xstrdup("eu"),
        .home = 7,
        .home_epoch = 3,
        .mode = RESIDENCY_TRANSIT,
        .failover = FAILOVER_JURISDICTION,
    };
    text_list_add(&a->revocations, "1 2 3 *", 7);
    a->base.updated_at_ms++;
    store_fixture_put(f, &a->base);
    reopen(f);

    struct application *found = find_application(f, &id);
    assert_non_null(found);
    assert_string_equal(found->uid, "shop");
    assert_string_equal(found->name, "an application");
    assert_string_equal(found->metadata, "{\"plan\":\"gold\"}");
    assert_int_equal(found->throttle_rate, 12);
    assert_string_equal(found->residency.jurisdiction, "eu");
    assert_int_equal(found->residency.home, 7);
    assert_int_equal(found->residency.home_epoch, 3);
    assert_int_equal(found->residency.mode, RESIDENCY_TRANSIT);
    assert_int_equal(found->residency.failover, FAILOVER_JURISDICTION);
    assert_int_equal(found->revocations.count, 1);
    assert_string_equal(found->revocations.items[0], "1 2 3 *");
    assert_int_equal(found->base.version, 1);
    assert_int_equal(found->base.created_at_ms, store_fixture_ms());
    assert_int_equal(found->base.updated_at_ms, store_fixture_ms() + 1);
    assert_true(id_equal(&found->base.organization, &STORE_FIXTURE_ORGANIZATION));
}

static void an_endpoint_comes_back_as_it_was_put(void **state)
{
    struct store_fixture *f = *state;
    struct id application = store_fixture_put_application(f, NULL);
    struct endpoint *e = store_fixture_endpoint(f, &application, "hook");
    struct id id = e->base.id;

    e->disabled = true;
    e->throttle_rate = 3;
    text_list_add(&e->event_types, "order.paid", 10);
    text_list_add(&e->event_types, "order.lost", 10);
    text_list_add(&e->channels, "eu", 2);
    e->dispatch.mode = DISPATCH_PIN;
    text_list_add(&e->dispatch.regions, "fra", 3);
    text_list_add(&e->dispatch.regions, "dub", 3);
    text_list_add(&e->dispatch.targets, "eu https://eu.example/", 22);
    e->dispatch.location = (struct location){ true, -33868800, 151209300 };
    e->sealed_headers = bytes_copy("\0sealed\n", 8);
    e->secrets[0].expires_at_ms = 0;
    e->secrets[1].sealed = bytes_copy("\0old", 4);
    e->secrets[1].expires_at_ms = 77;
    e->secret_count = 2;
    store_fixture_put(f, &e->base);
    reopen(f);

    struct endpoint *found = catalog_endpoint_by_uid(f->catalog, &application, "hook");
    assert_non_null(found);
    assert_true(id_equal(&found->base.id, &id));
    assert_true(id_equal(&found->application, &application));
    assert_string_equal(found->url, "https://receiver.example/hook");
    assert_string_equal(found->description, "");
    assert_true(found->disabled);
    assert_int_equal(found->throttle_rate, 3);
    assert_int_equal(found->event_types.count, 2);
    assert_string_equal(found->event_types.items[1], "order.lost");
    assert_int_equal(found->channels.count, 1);
    assert_int_equal(found->dispatch.mode, DISPATCH_PIN);
    assert_int_equal(found->dispatch.regions.count, 2);
    assert_string_equal(found->dispatch.regions.items[1], "dub");
    assert_int_equal(found->dispatch.targets.count, 1);
    assert_string_equal(found->dispatch.targets.items[0], "eu https://eu.example/");
    assert_true(found->dispatch.location.known);
    assert_int_equal(found->dispatch.location.latitude, -33868800);
    assert_int_equal(found->dispatch.location.longitude, 151209300);
    assert_int_equal(found->sealed_headers.len, 8);
    assert_memory_equal(found->sealed_headers.data, "\0sealed\n", 8);
    assert_int_equal(found->secret_count, 2);
    assert_int_equal(found->secrets[0].sealed.len, 6);
    assert_int_equal(found->secrets[1].expires_at_ms, 77);
    assert_int_equal(found->secrets[1].sealed.len, 4);
    assert_memory_equal(found->secrets[1].sealed.data, "\0old", 4);
}

static void an_event_type_comes_back_as_it_was_put(void **state)
{
    struct store_fixture *f = *state;
    struct event_type *t = store_fixture_event_type(f, "order.paid");

    t->schemas = xstrdup("{\"1\":{}}");
    text_list_add(&t->feature_flags, "beta", 4);
    text_list_add(&t->feature_flags, "eu", 2);
    t->group_name = xstrdup("orders");
    t->archived = true;
    t->deprecated = true;
    store_fixture_put(f, &t->base);
    reopen(f);

    struct event_type *found =
        catalog_event_type(f->catalog, &STORE_FIXTURE_ORGANIZATION, "order.paid");
    assert_non_null(found);
    assert_string_equal(found->description, "something happened");
    assert_string_equal(found->schemas, "{\"1\":{}}");
    assert_int_equal(found->feature_flags.count, 2);
    assert_string_equal(found->feature_flags.items[1], "eu");
    assert_string_equal(found->group_name, "orders");
    assert_true(found->archived);
    assert_true(found->deprecated);
}

static void an_edit_must_be_of_the_stored_version(void **state)
{
    struct store_fixture *f = *state;
    struct id id = store_fixture_put_application(f, "shop");
    struct application *one = edit_application(f, &id), *two = edit_application(f, &id);
    struct application *ahead = edit_application(f, &id);

    ahead->base.version++;
    one->throttle_rate = 1;
    two->throttle_rate = 2;
    assert_int_equal(store_fixture_try_put(f, &ahead->base), ERR_STALE);
    assert_int_equal(store_fixture_try_put(f, &one->base), ERR_OK);
    assert_int_equal(store_fixture_try_put(f, &two->base), ERR_STALE);
    assert_int_equal(find_application(f, &id)->throttle_rate, 1);
    reopen(f);
    assert_int_equal(find_application(f, &id)->throttle_rate, 1);
    assert_int_equal(find_application(f, &id)->base.version, 2);
}

static enum err put_event_types(struct store_fixture *f, struct event_type *const *types,
                                size_t count)
{
    struct store_put_event_types op = { .types = types, .count = count };

    return STORE_RUN(f, store_put_event_types, &op);
}

static void event_types_are_put_together_or_not_at_all(void **state)
{
    struct store_fixture *f = *state;
    const struct id *organization = &STORE_FIXTURE_ORGANIZATION;
    struct event_type *types[] = { store_fixture_event_type(f, "a"),
                                   store_fixture_event_type(f, "b") };
    struct event_type *next[] = { store_fixture_event_type(f, "c"), event_type_copy(types[1]) };

    next[1]->base.version = 3; /* of one that isn't the next */
    assert_int_equal(put_event_types(f, types, 2), ERR_OK);
    assert_int_equal(put_event_types(f, next, 2), ERR_STALE);
    assert_null(catalog_event_type(f->catalog, organization, "c"));
    next[1]->base.version = 2;
    assert_int_equal(put_event_types(f, next, 2), ERR_OK);
    reopen(f);
    assert_non_null(catalog_event_type(f->catalog, organization, "a"));
    assert_int_equal(catalog_event_type(f->catalog, organization, "b")->base.version, 2);
    assert_non_null(catalog_event_type(f->catalog, organization, "c"));
    for (size_t i = 0; i < 2; i++) {
        object_unref(&types[i]->base);
        object_unref(&next[i]->base);
    }
}

static void a_name_is_taken_until_it_is_given_back(void **state)
{
    struct store_fixture *f = *state;
    struct id shop = store_fixture_put_application(f, "shop");
    struct id one = store_fixture_put_application(f, NULL);
    struct application *two = store_fixture_application(f, "shop");
    struct endpoint *hook = store_fixture_endpoint(f, &shop, "hook");
    struct endpoint *same = store_fixture_endpoint(f, &shop, "hook");
    struct endpoint *elsewhere = store_fixture_endpoint(f, &one, "hook");
    struct event_type *paid = store_fixture_event_type(f, "order.paid");
    struct event_type *again = store_fixture_event_type(f, "order.paid");

    assert_int_equal(store_fixture_try_put(f, &two->base), ERR_CONFLICT);
    assert_int_equal(store_fixture_try_put(f, &hook->base), ERR_OK);
    assert_int_equal(store_fixture_try_put(f, &same->base), ERR_CONFLICT);
    assert_int_equal(store_fixture_try_put(f, &elsewhere->base), ERR_OK);
    assert_int_equal(store_fixture_try_put(f, &paid->base), ERR_OK);
    assert_int_equal(store_fixture_try_put(f, &again->base), ERR_CONFLICT);

    struct application *rename = edit_application(f, &one);
    rename->uid = xstrdup("shop");
    assert_int_equal(store_fixture_try_put(f, &rename->base), ERR_CONFLICT);
    assert_int_equal(delete_application(f, &shop), ERR_OK);
    rename = edit_application(f, &one);
    rename->uid = xstrdup("shop");
    assert_int_equal(store_fixture_try_put(f, &rename->base), ERR_OK);

    struct event_type *gone = event_type_copy(
        catalog_event_type(f->catalog, &STORE_FIXTURE_ORGANIZATION, "order.paid"));
    gone->base.version++;
    gone->base.deleted = true;
    store_fixture_put(f, &gone->base);
    store_fixture_put(f, &store_fixture_event_type(f, "order.paid")->base);
    reopen(f);
    assert_int_equal(catalog_count(f->catalog), 3);
}

static void an_endpoint_needs_its_application(void **state)
{
    struct store_fixture *f = *state;
    struct id never = { { 0, 0, 0, 9 } };
    struct id gone = store_fixture_put_application(f, NULL);

    assert_int_equal(delete_application(f, &gone), ERR_OK);
    assert_int_equal(store_fixture_try_put(f, &store_fixture_endpoint(f, &never, NULL)->base),
                     ERR_NOT_FOUND);
    assert_int_equal(store_fixture_try_put(f, &store_fixture_endpoint(f, &gone, NULL)->base),
                     ERR_NOT_FOUND);
}

/* Also one that was put in the same batch, before the deletion. */
static void endpoints_go_with_their_application(void **state)
{
    struct store_fixture *f = *state;
    struct id id = store_fixture_put_application(f, "shop");
    struct id first = store_fixture_put_endpoint(f, &id);
    struct endpoint *late = store_fixture_endpoint(f, &id, "late");
    struct application *gone = edit_application(f, &id);
    struct endpoint *too_late = store_fixture_endpoint(f, &id, "too late");
    struct store_put ops[3] = {
        { .object = &late->base },
        { .object = &gone->base },
        { .object = &too_late->base },
    };

    gone->base.deleted = true;
    for (int i = 0; i < 3; i++) {
        store_fixture_ready(f, &ops[i].req);
        store_put(f->store, &ops[i]);
    }
    assert_int_equal(store_fixture_wait(f, &ops[0].req), ERR_OK);
    assert_int_equal(store_fixture_wait(f, &ops[1].req), ERR_OK);
    assert_int_equal(store_fixture_wait(f, &ops[2].req), ERR_NOT_FOUND);
    assert_null(catalog_endpoint(f->catalog, &id, &first));
    assert_int_equal(catalog_count(f->catalog), 0);
    reopen(f);
    assert_int_equal(catalog_count(f->catalog), 0);

    object_unref(&late->base);
    object_unref(&gone->base);
    object_unref(&too_late->base);
}

/* Followers. */

struct witness {
    struct store_follower follower;
    size_t count, tombstones;
    bool answered; /* the request that wrote it was */
    struct store_put *op;
};

static void on_changed(struct store_follower *follower, struct object *object)
{
    struct witness *w = container_of(follower, struct witness, follower);

    w->count++;
    w->tombstones += object->deleted;
    w->answered |= w->op && !w->op->req.done;
}

static void followers_hear_of_a_change_before_its_answer(void **state)
{
    struct store_fixture *f = *state;
    struct id id = store_fixture_put_application(f, "shop");
    struct witness w = {
        .follower = { .inbox = &f->inbox, .catalog = catalog_new(), .changed = on_changed },
    };

    store_follow(f->store, &w.follower);
    assert_int_equal(catalog_count(w.follower.catalog), 1);

    struct endpoint *e = store_fixture_endpoint(f, &id, NULL);
    struct store_put op = { .object = &e->base };
    w.op = &op;
    assert_int_equal(STORE_RUN(f, store_put, &op), ERR_OK);
    assert_int_equal(w.count, 1);
    assert_false(w.answered);
    assert_ptr_equal(catalog_endpoint(w.follower.catalog, &id, &e->base.id), e);
    object_unref(&e->base);

    w.op = NULL;
    assert_int_equal(delete_application(f, &id), ERR_OK);
    assert_int_equal(w.count, 3);
    assert_int_equal(w.tombstones, 2); /* the endpoint's too */
    assert_int_equal(catalog_count(w.follower.catalog), 0);
    catalog_free(w.follower.catalog);
}

struct leaver {
    struct witness witness;
    struct task left;
    bool has_left;
    size_t count_then;
};

static void on_left(struct task *left)
{
    struct leaver *l = container_of(left, struct leaver, left);

    l->has_left = true;
    l->count_then = l->witness.count;
}

static void who_leaves_hears_what_came_before_and_nothing_after(void **state)
{
    struct store_fixture *f = *state;
    struct leaver l = {
        .witness.follower = { .inbox = &f->inbox,
                              .catalog = catalog_new(),
                              .changed = on_changed },
        .left.run = on_left,
    };

    store_follow(f->store, &l.witness.follower);
    store_fixture_put_application(f, "before");
    store_unfollow(f->store, &l.witness.follower, &l.left);
    store_fixture_put_application(f, "after");

    assert_true(l.has_left);
    assert_int_equal(l.count_then, 1);
    assert_int_equal(l.witness.count, 1);
    catalog_free(l.witness.follower.catalog);
}

/* Lists. */

#define LISTED 7
#define LIMIT  3

/* What a page is to hold: indexes of the objects in the order of their creation. */
struct page_row {
    bool ascending, before;
    int cursor;       /* -1 = none */
    int first, count; /* first of the page; then up or down as the list goes */
    bool more;
};

static const struct page_row PAGES[] = {
    { true, false, -1, 0, 3, true },  { true, false, 2, 3, 3, true },
    { true, false, 5, 6, 1, false },  { true, false, 6, 0, 0, false },
    { true, false, 3, 4, 3, false },  { true, true, 6, 3, 3, true },
    { true, true, 3, 0, 3, false },   { true, true, 2, 0, 2, false },
    { true, true, 0, 0, 0, false },   { true, true, -1, 4, 3, true },
    { false, false, -1, 6, 3, true }, { false, false, 4, 3, 3, true },
    { false, false, 1, 0, 1, false }, { false, true, 0, 3, 3, true },
    { false, true, 3, 6, 3, false },  { false, true, 4, 6, 2, false },
};

static void check_page(struct store_fixture *f, struct store_list_objects *op,
                       const struct page_row *row, const struct id *ids)
{
    assert_int_equal(STORE_RUN(f, store_list_objects, op), ERR_OK);
    assert_int_equal(op->count, row->count);
    assert_int_equal(op->more, row->more);
    for (int i = 0; i < row->count; i++) {
        int expected = row->ascending ? row->first + i : row->first - i;
        assert_true(id_equal(&op->objects[i]->id, &ids[expected]));
        object_unref(op->objects[i]);
    }
    free(op->objects);
}

static void lists_are_paged_both_ways(void **state)
{
    struct store_fixture *f = *state;
    struct id ids[LISTED], endpoints[LISTED];

    for (int i = 0; i < LISTED; i++)
        ids[i] = store_fixture_put_application(f, NULL);
    for (int i = 0; i < LISTED; i++)
        endpoints[i] = store_fixture_put_endpoint(f, &ids[3]);
    store_fixture_put_endpoint(f, &ids[4]);

    for (size_t i = 0; i < COUNT(PAGES); i++) {
        const struct page_row *row = &PAGES[i];
        struct store_list_objects op = {
            .kind = OBJECT_APPLICATION,
            .organization = STORE_FIXTURE_ORGANIZATION,
            .application = ids[3],
            .page = { .limit = LIMIT, .ascending = row->ascending, .before = row->before },
        };
        op.page.has_cursor = row->cursor >= 0;
        if (op.page.has_cursor)
            op.page.cursor = ids[row->cursor];
        check_page(f, &op, row, ids);
        op.kind = OBJECT_ENDPOINT;
        if (op.page.has_cursor)
            op.page.cursor = endpoints[row->cursor];
        check_page(f, &op, row, endpoints);
    }
}

static void event_types_are_paged_by_name(void **state)
{
    struct store_fixture *f = *state;
    struct id ids[LISTED];
    char names[LISTED][16];

    for (int i = LISTED - 1; i >= 0; i--) {
        snprintf(names[i], sizeof names[i], "e%d", i);
        struct event_type *t = store_fixture_event_type(f, names[i]);
        ids[i] = t->base.id;
        store_fixture_put(f, &t->base);
    }
    for (size_t i = 0; i < COUNT(PAGES); i++) {
        const struct page_row *row = &PAGES[i];
        struct store_list_objects op = {
            .kind = OBJECT_EVENT_TYPE,
            .organization = STORE_FIXTURE_ORGANIZATION,
            .page = { .limit = LIMIT, .ascending = row->ascending, .before = row->before },
        };
        op.page.name_cursor = row->cursor >= 0 ? names[row->cursor] : NULL;
        check_page(f, &op, row, ids);
    }
}

static void a_list_holds_only_what_is_asked_for(void **state)
{
    struct store_fixture *f = *state;
    struct id gone = store_fixture_put_application(f, NULL);
    struct event_type *archived = store_fixture_event_type(f, "old");
    struct event_type *current = store_fixture_event_type(f, "new");
    const struct id other = { { 42 } };
    const struct {
        enum object_kind kind;
        bool with_archived;
        const struct id *organization;
        size_t count;
    } ROWS[] = {
        { OBJECT_APPLICATION, false, &STORE_FIXTURE_ORGANIZATION, 0 },
        { OBJECT_EVENT_TYPE, false, &STORE_FIXTURE_ORGANIZATION, 1 },
        { OBJECT_EVENT_TYPE, true, &STORE_FIXTURE_ORGANIZATION, 2 },
        { OBJECT_EVENT_TYPE, true, &other, 0 },
    };

    archived->archived = true;
    store_fixture_put(f, &archived->base);
    store_fixture_put(f, &current->base);
    assert_int_equal(delete_application(f, &gone), ERR_OK);
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct store_list_objects op = {
            .kind = ROWS[i].kind,
            .organization = *ROWS[i].organization,
            .with_archived = ROWS[i].with_archived,
            .page = { .limit = 10, .ascending = true },
        };
        assert_int_equal(STORE_RUN(f, store_list_objects, &op), ERR_OK);
        assert_int_equal(op.count, ROWS[i].count);
        for (size_t o = 0; o < op.count; o++)
            object_unref(op.objects[o]);
        free(op.objects);
    }
}

static void a_region_drains_until_it_does_no_more(void **state)
{
    struct store_fixture *f = *state;
    struct store_drain op = { .ordinal = 255, .draining = true };

    assert_false(catalog_is_draining(f->catalog, 255));
    assert_int_equal(STORE_RUN(f, store_drain, &op), ERR_OK);
    assert_true(catalog_is_draining(f->catalog, 255));
    assert_int_equal(STORE_RUN(f, store_drain, &op), ERR_OK);
    reopen(f);
    assert_true(catalog_is_draining(f->catalog, 255));
    assert_false(catalog_is_draining(f->catalog, 0));

    op.draining = false;
    assert_int_equal(STORE_RUN(f, store_drain, &op), ERR_OK);
    assert_false(catalog_is_draining(f->catalog, 255));
    reopen(f);
    assert_false(catalog_is_draining(f->catalog, 255));
}

static int run(const char *backend)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(an_application_comes_back_as_it_was_put),
        TEST(an_endpoint_comes_back_as_it_was_put),
        TEST(an_event_type_comes_back_as_it_was_put),
        TEST(event_types_are_put_together_or_not_at_all),
        TEST(an_edit_must_be_of_the_stored_version),
        TEST(a_name_is_taken_until_it_is_given_back),
        TEST(an_endpoint_needs_its_application),
        TEST(endpoints_go_with_their_application),
        TEST(followers_hear_of_a_change_before_its_answer),
        TEST(who_leaves_hears_what_came_before_and_nothing_after),
        TEST(a_region_drains_until_it_does_no_more),
        TEST(lists_are_paged_both_ways),
        TEST(event_types_are_paged_by_name),
        TEST(a_list_holds_only_what_is_asked_for),
    };

    return cmocka_run_group_tests_name(backend, tests, NULL, NULL);
}

int main(void)
{
    return store_fixture_each_backend(run);
}
