#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/catalog.h"
#include "core/mem.h"

static const struct id organization = { { 0, 1 } }, other_organization = { { 0, 2 } };

static int make_catalog(void **state)
{
    *state = catalog_new();
    return 0;
}

static int free_catalog(void **state)
{
    catalog_free(*state);
    return 0;
}

/* Ids with distinct keys: the number stands in the first eight bytes. */
static struct id id_of(uint8_t number)
{
    return (struct id){ { [3] = 1, [7] = number } };
}

/* Puts an object and gives back the reference, so that the catalog has the only one. */
static void put(struct catalog *c, struct object *object)
{
    catalog_put(c, object);
    object_unref(object);
}

static void put_application(struct catalog *c, uint8_t number, const char *uid,
                            uint64_t version, bool deleted)
{
    struct application *a = application_new();

    a->base.id = id_of(number);
    a->base.organization = organization;
    a->base.version = version;
    a->base.deleted = deleted;
    a->uid = xstrdup(uid);
    put(c, &a->base);
}

static void put_endpoint(struct catalog *c, uint8_t number, uint8_t application,
                         const char *uid, uint64_t version, bool deleted)
{
    struct endpoint *e = endpoint_new();

    e->base.id = id_of(number);
    e->base.organization = organization;
    e->base.version = version;
    e->base.deleted = deleted;
    e->application = id_of(application);
    e->uid = xstrdup(uid);
    put(c, &e->base);
}

static void put_event_type(struct catalog *c, uint8_t number, const char *name)
{
    struct event_type *t = event_type_new();

    t->base.id = id_of(number);
    t->base.organization = organization;
    t->base.version = 1;
    t->name = xstrdup(name);
    put(c, &t->base);
}

static void objects_are_found_by_id_key_and_name(void **state)
{
    struct catalog *c = *state;
    struct id application = id_of(1), endpoint = id_of(2);

    put_application(c, 1, "customer", 1, false);
    put_endpoint(c, 2, 1, "billing", 1, false);
    put_event_type(c, 3, "order.paid");

    assert_non_null(catalog_application(c, &organization, &application));
    assert_non_null(catalog_application_by_uid(c, &organization, "customer"));
    assert_non_null(catalog_application_by_key(c, id_key(&application)));
    assert_non_null(catalog_endpoint(c, &application, &endpoint));
    assert_non_null(catalog_endpoint_by_uid(c, &application, "billing"));
    assert_non_null(catalog_endpoint_by_key(c, id_key(&endpoint)));
    assert_non_null(catalog_event_type(c, &organization, "order.paid"));
    assert_int_equal(catalog_count(c), 3);
}

static void objects_are_not_found_outside_their_scope_or_kind(void **state)
{
    struct catalog *c = *state;
    struct id application = id_of(1), endpoint = id_of(2), forged = id_of(1);
    char name[NAME_LEN_MAX + 2] = "";

    put_application(c, 1, "customer", 1, false);
    put_endpoint(c, 2, 1, "billing", 1, false);
    forged.bytes[ID_BYTES - 1] ^= 1;
    memset(name, 'x', sizeof name - 1);

    assert_null(catalog_application(c, &other_organization, &application));
    assert_null(catalog_application(c, &organization, &forged));
    assert_null(catalog_application(c, &organization, &endpoint));
    assert_null(catalog_application_by_uid(c, &other_organization, "customer"));
    assert_null(catalog_application_by_uid(c, &organization, "billing"));
    assert_null(catalog_application_by_uid(c, &organization, ""));
    assert_null(catalog_application_by_uid(c, &organization, name));
    assert_null(catalog_application_by_key(c, id_key(&endpoint)));
    assert_null(catalog_endpoint(c, &endpoint, &endpoint));
    assert_null(catalog_endpoint_by_uid(c, &endpoint, "billing"));
    assert_null(catalog_endpoint_by_key(c, id_key(&application)));
    assert_null(catalog_event_type(c, &organization, "customer"));
}

static void what_comes_later_replaces_what_was_there_and_its_name(void **state)
{
    struct catalog *c = *state;

    put_application(c, 1, "old", 1, false);
    put_application(c, 1, "new", 2, false);
    assert_null(catalog_application_by_uid(c, &organization, "old"));
    assert_non_null(catalog_application_by_uid(c, &organization, "new"));

    put_application(c, 1, "restored", 1, false);
    assert_null(catalog_application_by_uid(c, &organization, "new"));
    assert_non_null(catalog_application_by_uid(c, &organization, "restored"));

    put_application(c, 1, NULL, 2, false);
    assert_null(catalog_application_by_uid(c, &organization, "restored"));
    assert_int_equal(catalog_count(c), 1);
}

static uint8_t holder_of(const struct catalog *c, const char *uid)
{
    const struct application *a = catalog_application_by_uid(c, &organization, uid);

    return a ? a->base.id.bytes[7] : 0;
}

static bool count_conflict(struct object *object, struct object *holder, void *count)
{
    assert_true(id_compare(&holder->id, &object->id) < 0);
    return ++*(size_t *)count < 3;
}

static size_t conflicts_of(const struct catalog *c)
{
    size_t count = 0;

    catalog_each_conflict(c, count_conflict, &count);
    return count;
}

static void of_several_with_one_name_the_oldest_has_it(void **state)
{
    struct catalog *c = *state;

    put_application(c, 3, "acme", 1, false);
    put_application(c, 2, "acme", 1, false);
    put_application(c, 4, "acme", 1, false);
    assert_int_equal(conflicts_of(c), 2);
    put_application(c, 1, "acme", 1, false);
    put_application(c, 5, "acme", 1, false);
    assert_int_equal(conflicts_of(c), 3); /* where it stops */
    put_application(c, 5, "acme", 2, true);
    for (uint8_t n = 1; n <= 4; n++) {
        assert_int_equal(holder_of(c, "acme"), n);
        put_application(c, n, n % 2 ? NULL : "other", 2, n == 3);
    }
    assert_int_equal(holder_of(c, "acme"), 0);
    assert_int_equal(holder_of(c, "other"), 2);
    put_application(c, 4, "acme", 3, false);
    assert_int_equal(holder_of(c, "acme"), 4);
    assert_int_equal(holder_of(c, "other"), 2);
    assert_int_equal(conflicts_of(c), 0);
}

static void a_deleted_object_frees_its_name_for_another(void **state)
{
    struct catalog *c = *state;
    struct id application = id_of(1), second = id_of(3);

    put_endpoint(c, 2, 1, "billing", 1, false);
    put_endpoint(c, 2, 1, "billing", 2, true);
    assert_null(catalog_endpoint_by_uid(c, &application, "billing"));
    assert_int_equal(catalog_count(c), 0);

    put_endpoint(c, 3, 1, "billing", 1, false);
    struct endpoint *found = catalog_endpoint_by_uid(c, &application, "billing");
    assert_non_null(found);
    assert_true(id_equal(&found->base.id, &second));
    put_endpoint(c, 4, 1, NULL, 1, true);
    assert_int_equal(catalog_count(c), 1);
}

static void collect(struct endpoint *endpoint, void *ctx)
{
    char *numbers = ctx;

    snprintf(numbers + strlen(numbers), 8, "%d ", endpoint->base.id.bytes[7]);
}

static void endpoints_are_visited_oldest_first_and_an_edit_keeps_the_place(void **state)
{
    struct catalog *c = *state;
    struct id application = id_of(1), stranger = id_of(9);
    char numbers[64] = "";

    put_endpoint(c, 2, 1, NULL, 1, false); /* may come before its application */
    put_application(c, 1, NULL, 1, false);
    put_endpoint(c, 3, 1, NULL, 1, false);
    put_endpoint(c, 4, 1, NULL, 1, false);
    put_endpoint(c, 5, 8, NULL, 1, false);
    put_endpoint(c, 2, 1, "edited", 2, false);
    put_endpoint(c, 3, 1, NULL, 2, true);
    catalog_each_endpoint(c, &application, collect, numbers);
    catalog_each_endpoint(c, &stranger, collect, numbers);
    assert_string_equal(numbers, "2 4 ");
}

static void a_deleted_application_takes_its_endpoints_along(void **state)
{
    struct catalog *c = *state;
    struct id application = id_of(1);
    char numbers[64] = "";

    put_application(c, 1, "customer", 1, false);
    put_endpoint(c, 2, 1, "a", 1, false);
    put_endpoint(c, 3, 1, "b", 1, false);
    put_endpoint(c, 4, 8, "c", 1, false);
    put_application(c, 1, "customer", 2, true);

    catalog_each_endpoint(c, &application, collect, numbers);
    assert_string_equal(numbers, "");
    assert_null(catalog_endpoint_by_uid(c, &application, "a"));
    assert_int_equal(catalog_count(c), 1);
}

static void count_references(struct object *object, void *ctx)
{
    unsigned *references = ctx;

    *references += object->refs;
}

static void the_catalog_holds_one_reference_to_each_object(void **state)
{
    struct catalog *c = *state;
    struct application *kept = application_new();
    unsigned references = 0;

    kept->base.id = id_of(1);
    kept->base.version = 1;
    catalog_put(c, &kept->base);
    catalog_put(c, &kept->base);
    catalog_each(c, count_references, &references);
    assert_int_equal(references, 2);

    put_application(c, 1, NULL, 2, true);
    assert_int_equal(kept->base.refs, 1);
    object_unref(&kept->base);
}

#define CATALOG_TEST(name) cmocka_unit_test_setup_teardown(name, make_catalog, free_catalog)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CATALOG_TEST(objects_are_found_by_id_key_and_name),
        CATALOG_TEST(objects_are_not_found_outside_their_scope_or_kind),
        CATALOG_TEST(what_comes_later_replaces_what_was_there_and_its_name),
        CATALOG_TEST(of_several_with_one_name_the_oldest_has_it),
        CATALOG_TEST(a_deleted_object_frees_its_name_for_another),
        CATALOG_TEST(endpoints_are_visited_oldest_first_and_an_edit_keeps_the_place),
        CATALOG_TEST(a_deleted_application_takes_its_endpoints_along),
        CATALOG_TEST(the_catalog_holds_one_reference_to_each_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
