#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "core/topology.h"

#define PEM "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"

struct row {
    const char *name;
    unsigned ordinal;
    const char *jurisdictions; /* words between spaces */
    double latitude, longitude;
    const char *public_url, *link_url;
    unsigned certificate; /* the first byte of its digest; 0 = none */
};

static const struct row FRA = {
    "fra", 1, "eu", 50.11, 8.68, "https://fra.example.com", "https://fra.example.com:8443", 1,
};
static const struct row IAD = {
    "iad", 2, "us", 38.95, -77.45, "https://iad.example.com", "https://iad.example.com:8443", 2,
};
static const struct row DUB = {
    "dub", 7, "eu gdpr", 53.42, -6.27, "http://127.0.0.1:8071/dub", NULL, 0,
};

static struct region region_of(const struct row *row)
{
    struct region region = {
        .ordinal = (uint8_t)row->ordinal,
        .has_place = true,
        .place = { row->latitude, row->longitude },
        .public_url = xstrdup(row->public_url),
        .link_url = xstrdup(row->link_url),
        .certificate_pem = row->certificate ? xstrdup(PEM) : NULL,
        .certificate_sha256 = { (uint8_t)row->certificate },
    };
    const char *words = row->jurisdictions;

    snprintf(region.name, sizeof region.name, "%s", row->name);
    while (*words) {
        size_t len = strcspn(words, " ");
        text_list_add(&region.jurisdictions, words, len);
        words += len + (words[len] == ' ');
    }
    return region;
}

static void fini_all(struct region *regions, size_t count)
{
    for (size_t i = 0; i < count; i++)
        region_fini(&regions[i]);
}

static struct topology *three(void)
{
    struct region regions[] = { region_of(&DUB), region_of(&FRA), region_of(&IAD) };
    struct topology_fault fault;
    struct topology *t = NULL;

    assert_int_equal(topology_new(regions, COUNT(regions), 0, &t, &fault), ERR_OK);
    assert_null(regions[1].public_url);
    return t;
}

static void a_region_is_found_by_its_name_and_by_its_ordinal(void **state)
{
    static const struct {
        const char *name;
        uint8_t ordinal;
        size_t index;
    } rows[] = { { "fra", 1, 0 }, { "iad", 2, 1 }, { "dub", 7, 2 } };
    struct topology *t = three();

    (void)state;
    assert_int_equal(t->count, COUNT(rows));
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct region *region = topology_by_name(t, rows[i].name);

        assert_non_null(region);
        assert_ptr_equal(region, topology_by_ordinal(t, rows[i].ordinal));
        assert_int_equal(topology_index(t, region), rows[i].index);
    }
    assert_null(topology_by_name(t, "sin"));
    assert_null(topology_by_name(t, ""));
    assert_null(topology_by_ordinal(t, 0));
    assert_null(topology_by_ordinal(t, 3));
    assert_string_equal(topology_self(t)->name, "dub");
    assert_false(topology_is_single(t));
    topology_free(t);
}

static void the_lowest_ordinal_is_the_directory(void **state)
{
    struct topology *t = three();

    (void)state;
    assert_string_equal(topology_directory(t)->name, "fra");
    topology_free(t);
}

static void a_jurisdiction_is_the_set_of_regions_that_name_it(void **state)
{
    static const struct {
        const char *name;
        region_set set;
        size_t count;
    } rows[] = {
        { "eu", 1 << 0 | 1 << 2, 2 }, { "us", 1 << 1, 1 },         { "gdpr", 1 << 2, 1 },
        { "sg", REGION_SET_NONE, 0 }, { "e", REGION_SET_NONE, 0 }, { "", REGION_SET_NONE, 0 },
    };
    struct topology *t = three();

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        region_set set = topology_jurisdiction(t, rows[i].name);

        assert_int_equal(set, rows[i].set);
        assert_int_equal(region_set_count(set), rows[i].count);
    }
    assert_int_equal(topology_all(t), 7);
    assert_true(region_set_has(topology_all(t), 2));
    assert_false(region_set_has(topology_all(t), 3));
    topology_free(t);
}

static void one_region_without_a_name_is_alone(void **state)
{
    struct topology *t = topology_new_single();

    (void)state;
    assert_true(topology_is_single(t));
    assert_int_equal(t->count, 1);
    assert_int_equal(topology_self(t)->ordinal, 0);
    assert_ptr_equal(topology_self(t), topology_directory(t));
    assert_ptr_equal(topology_self(t), topology_by_ordinal(t, 0));
    assert_int_equal(topology_all(t), 1);
    topology_free(t);
    topology_free(NULL);
}

static void one_region_with_a_name_is_not_alone(void **state)
{
    struct region region = region_of(&FRA);
    struct topology_fault fault;
    struct topology *t = NULL;

    (void)state;
    assert_int_equal(topology_new(&region, 1, 0, &t, &fault), ERR_OK);
    assert_false(topology_is_single(t));
    topology_free(t);
}

static void a_field_out_of_its_bounds_is_named(void **state)
{
    static const char long_url[] =
        "https://an.example.com/with/a/path/that/goes/on/and/on/and/on/and/on/"
        "and/on/and/on/and/on/and/on/and/on/and/on/and/on/and/on/and/on/and/on/"
        "and/on/and/on/and/on/and/on/and/on/and/on/and/on/and/on/and/on/and/on/"
        "and/on/and/on/and/on/and/on/and/on/and/on/and/on";
    static const struct {
        struct row row;
        enum region_field field;
    } rows[] = {
        { { "", 1, "eu", 0, 0, NULL, NULL, 0 }, REGION_NAME },
        { { "Fra", 1, "eu", 0, 0, NULL, NULL, 0 }, REGION_NAME },
        { { "1fra", 1, "eu", 0, 0, NULL, NULL, 0 }, REGION_NAME },
        { { "-fra", 1, "eu", 0, 0, NULL, NULL, 0 }, REGION_NAME },
        { { "fra_1", 1, "eu", 0, 0, NULL, NULL, 0 }, REGION_NAME },
        { { "fra", 0, "eu", 0, 0, NULL, NULL, 0 }, REGION_ORDINAL },
        { { "fra", 1, "", 0, 0, NULL, NULL, 0 }, REGION_JURISDICTIONS },
        { { "fra", 1, "EU", 0, 0, NULL, NULL, 0 }, REGION_JURISDICTIONS },
        { { "fra", 1, "eu eu", 0, 0, NULL, NULL, 0 }, REGION_JURISDICTIONS },
        { { "fra", 1, "eu abcdefghijklmnopq", 0, 0, NULL, NULL, 0 }, REGION_JURISDICTIONS },
        { { "fra", 1, "a b c d e f g h i j k l m n o p q", 0, 0, NULL, NULL, 0 },
          REGION_JURISDICTIONS },
        { { "fra", 1, "eu", 90.01, 0, NULL, NULL, 0 }, REGION_LATITUDE },
        { { "fra", 1, "eu", -91, 0, NULL, NULL, 0 }, REGION_LATITUDE },
        { { "fra", 1, "eu", NAN, 0, NULL, NULL, 0 }, REGION_LATITUDE },
        { { "fra", 1, "eu", 0, 180.5, NULL, NULL, 0 }, REGION_LONGITUDE },
        { { "fra", 1, "eu", 0, -INFINITY, NULL, NULL, 0 }, REGION_LONGITUDE },
        { { "fra", 1, "eu", 0, 0, "fra.example.com", NULL, 0 }, REGION_PUBLIC_URL },
        { { "fra", 1, "eu", 0, 0, "ftp://fra.example.com", NULL, 0 }, REGION_PUBLIC_URL },
        { { "fra", 1, "eu", 0, 0, "https://", NULL, 0 }, REGION_PUBLIC_URL },
        { { "fra", 1, "eu", 0, 0, "https:///path", NULL, 0 }, REGION_PUBLIC_URL },
        { { "fra", 1, "eu", 0, 0, "https://fra.example.com/", NULL, 0 }, REGION_PUBLIC_URL },
        { { "fra", 1, "eu", 0, 0, "https://me@fra.example.com", NULL, 0 }, REGION_PUBLIC_URL },
        { { "fra", 1, "eu", 0, 0, "https://fra.example.com?a=b", NULL, 0 }, REGION_PUBLIC_URL },
        { { "fra", 1, "eu", 0, 0, "https://fra example.com", NULL, 0 }, REGION_PUBLIC_URL },
        { { "fra", 1, "eu", 0, 0, long_url, NULL, 0 }, REGION_PUBLIC_URL },
        { { "fra", 1, "eu", 0, 0, NULL, "http://fra.example.com:8443", 0 }, REGION_LINK_URL },
        { { "fra", 1, "eu", 0, 0, NULL, "", 0 }, REGION_LINK_URL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct region regions[] = { region_of(&IAD), region_of(&rows[i].row) };
        struct topology_fault fault = { .region = 9 };
        struct topology *t = NULL;

        if (topology_new(regions, COUNT(regions), 0, &t, &fault) != ERR_INVALID)
            fail_msg("row %zu", i);
        if (fault.field != rows[i].field || fault.region != 1 || !*fault.why)
            fail_msg("row %zu: %s: %s", i, region_field_name(fault.field), fault.why);
        fini_all(regions, COUNT(regions));
    }
}

static void what_stands_on_a_bound_is_within(void **state)
{
    static const struct row rows[] = {
        { "a", 1, "a", 90, 180, NULL, NULL, 0 },
        { "abcdefghijklmn-0", 255, "abcdefghijklmn-0", -90, -180, "http://[::1]:80",
          "https://h", 0 },
    };
    struct topology_fault fault;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct region region = region_of(&rows[i]);

        assert_int_equal(region_check(&region, &fault), ERR_OK);
        region_fini(&region);
    }
}

static void what_is_no_certificate_is_named(void **state)
{
    static const char *const rows[] = {
        "",
        "x",
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n",
        "-----BEGIN CERTIFICATE-----\nMI IB\n \n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n\n",
        "-----BEGIN CERTIFICATE-----\r\nMIIB\r\n-----END CERTIFICATE-----\r\n",
        " " PEM,
        PEM "a: b\n",
    };
    struct topology_fault fault;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct region region = region_of(&FRA);

        free(region.certificate_pem);
        region.certificate_pem = xstrdup(rows[i]);
        if (region_check(&region, &fault) != ERR_INVALID)
            fail_msg("row %zu", i);
        assert_int_equal(fault.field, REGION_CERTIFICATE);
        region_fini(&region);
    }
}

static void two_regions_that_do_not_go_together_are_named(void **state)
{
    static const struct {
        struct row row;
        size_t self, blamed;
        enum region_field field;
        const char *why;
    } rows[] = {
        { { "fra", 3, "eu", 0, 0, NULL, NULL, 3 },
          0,
          2,
          REGION_NAME,
          "there is a region fra already" },
        { { "fra", 3, "eu", 0, 0, NULL, NULL, 3 },
          1,
          2,
          REGION_NAME,
          "there is a region fra already" },
        { { "fra", 3, "eu", 0, 0, NULL, NULL, 3 },
          2,
          0,
          REGION_NAME,
          "there is a region fra already" },
        { { "sin", 2, "sg", 0, 0, NULL, NULL, 3 },
          0,
          2,
          REGION_ORDINAL,
          "2 is that of iad already" },
        { { "sin", 2, "sg", 0, 0, NULL, NULL, 3 },
          2,
          1,
          REGION_ORDINAL,
          "2 is that of sin already" },
        { { "sin", 3, "sg", 0, 0, NULL, NULL, 1 },
          0,
          2,
          REGION_CERTIFICATE,
          "is that of fra already" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct region regions[] = { region_of(&FRA), region_of(&IAD), region_of(&rows[i].row) };
        struct topology_fault fault;
        struct topology *t = NULL;

        if (topology_new(regions, COUNT(regions), rows[i].self, &t, &fault) != ERR_CONFLICT)
            fail_msg("row %zu", i);
        assert_int_equal(fault.field, rows[i].field);
        assert_int_equal(fault.region, rows[i].blamed);
        assert_string_equal(fault.why, rows[i].why);
        fini_all(regions, COUNT(regions));
    }
}

static struct region numbered(size_t i)
{
    char name[8];

    snprintf(name, sizeof name, "r%zu", i);
    return region_of(&(struct row){ name, (unsigned)i + 1, "eu", 0, 0, NULL, NULL, 0 });
}

static void sixteen_regions_are_the_most(void **state)
{
    struct region regions[REGIONS_MAX + 1];
    struct topology_fault fault;
    struct topology *t = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT(regions); i++)
        regions[i] = numbered(i);
    assert_int_equal(topology_new(regions, COUNT(regions), 0, &t, &fault), ERR_LIMIT);
    assert_int_equal(fault.region, REGIONS_MAX);
    assert_int_equal(topology_new(regions, REGIONS_MAX, 0, &t, &fault), ERR_OK);
    assert_int_equal(topology_all(t), 0xffff);
    topology_free(t);
    region_fini(&regions[REGIONS_MAX]);
}

static void a_distance_is_the_great_circle_s(void **state)
{
    static const struct {
        struct place a, b;
        double km;
    } rows[] = {
        { { 50.11, 8.68 }, { 50.11, 8.68 }, 0 },
        { { 0, 0 }, { 0, 180 }, 20015 },
        { { 90, 0 }, { -90, 77 }, 20015 },
        { { 0, 179.5 }, { 0, -179.5 }, 111.2 },
        { { 50.03, 8.57 }, { 38.94, -77.46 }, 6542 },  /* Frankfurt, Virginia */
        { { 50.03, 8.57 }, { 1.36, 103.99 }, 10270 },  /* … Singapore */
        { { 50.03, 8.57 }, { -23.43, -46.47 }, 9786 }, /* … São Paulo */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        double there = place_distance_km(&rows[i].a, &rows[i].b);
        double back = place_distance_km(&rows[i].b, &rows[i].a);

        if (fabs(there - rows[i].km) > rows[i].km / 200 || fabs(there - back) > 1e-6)
            fail_msg("row %zu: %f km", i, there);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_region_is_found_by_its_name_and_by_its_ordinal),
        cmocka_unit_test(the_lowest_ordinal_is_the_directory),
        cmocka_unit_test(a_jurisdiction_is_the_set_of_regions_that_name_it),
        cmocka_unit_test(one_region_without_a_name_is_alone),
        cmocka_unit_test(one_region_with_a_name_is_not_alone),
        cmocka_unit_test(a_field_out_of_its_bounds_is_named),
        cmocka_unit_test(what_stands_on_a_bound_is_within),
        cmocka_unit_test(what_is_no_certificate_is_named),
        cmocka_unit_test(two_regions_that_do_not_go_together_are_named),
        cmocka_unit_test(sixteen_regions_are_the_most),
        cmocka_unit_test(a_distance_is_the_great_circle_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
