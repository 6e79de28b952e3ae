#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "core/region_card.h"

#define PEM "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
#define CERTIFICATE                                                                            \
    "certificate: |\n"                                                                         \
    "  -----BEGIN CERTIFICATE-----\n"                                                          \
    "  MIIB\n"                                                                                 \
    "  -----END CERTIFICATE-----\n"
#define CARD                                                                                   \
    "name: fra\n"                                                                              \
    "ordinal: 1\n"                                                                             \
    "jurisdictions: [eu, gdpr]\n"                                                              \
    "latitude: 50.11\n"                                                                        \
    "longitude: -8.68\n"                                                                       \
    "public_url: https://fra.example.com\n"                                                    \
    "link_url: https://fra.example.com:8443\n" CERTIFICATE

static struct region_card read_good(const char *text)
{
    struct region_card card;
    char why[REGION_CARD_WHY_MAX];
    enum err err = region_card_read("fra.yaml", text, strlen(text), &card, why);

    if (err)
        print_error("%s\n", why);
    assert_int_equal(err, ERR_OK);
    return card;
}

static void a_card_says_who_a_region_is(void **state)
{
    struct region_card card = read_good(CARD);
    const struct region *region = &card.region;

    (void)state;
    assert_string_equal(region->name, "fra");
    assert_int_equal(region->ordinal, 1);
    assert_int_equal(region->jurisdictions.count, 2);
    assert_true(region->has_place);
    assert_true(region->place.latitude == 50.11 && region->place.longitude == -8.68);
    assert_string_equal(region->public_url, "https://fra.example.com");
    assert_string_equal(region->link_url, "https://fra.example.com:8443");
    assert_string_equal(region->certificate_pem, PEM);
    assert_int_equal(card.lines[REGION_CERTIFICATE], 8);
    region_fini(&card.region);
}

static void a_card_is_written_as_it_is_read(void **state)
{
    static const char *const rows[] = {
        CARD,
        "name: \"null\"\nordinal: 255\njurisdictions: [\"no\"]\n" CERTIFICATE,
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct region_card card = read_good(rows[i]);
        struct buf text = BUF_INIT(REGION_CARD_LEN_MAX);

        assert_int_equal(region_card_write(&card.region, &text), ERR_OK);
        assert_string_equal(buf_text(&text), rows[i]);
        buf_fini(&text);
        region_fini(&card.region);
    }
}

static void what_is_no_card_is_named_with_its_line(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        { "", "fra.yaml: name: is missing" },
        { "name: fra\n", "fra.yaml: ordinal: is missing" },
        { "name: fra\nordinal: 1\njurisdictions: [eu]\n", "fra.yaml: certificate: is missing" },
        { "name: fra\nordinal: 1\njurisdictions: []\n" CERTIFICATE,
          "fra.yaml:3: jurisdictions: names none" },
        { "name: fra\nordinal: 1\njurisdictions: [eu, eu]\n" CERTIFICATE,
          "fra.yaml:3: jurisdictions: names eu twice" },
        { "name: Fra\n", "fra.yaml:1: name: " REGION_NAME_WANTED },
        { "name: abcdefghijklmnopq\n", "fra.yaml:1: name: " REGION_NAME_WANTED },
        { "name:\n", "fra.yaml:1: name: has no value" },
        { "name: [fra]\n", "fra.yaml:1: name: expected one value, not a list" },
        { "name: fra\nname: iad\n", "fra.yaml:2: name: is given twice" },
        { "\nordinal: 0\n", "fra.yaml:2: ordinal: expected a whole number from 1 to 255" },
        { "ordinal: 256\n", "fra.yaml:1: ordinal: expected a whole number from 1 to 255" },
        { "jurisdictions: eu\n", "fra.yaml:1: jurisdictions: expected a list such as [a, b]" },
        { "latitude: 90.5\n", "fra.yaml:1: latitude: expected degrees from -90 to 90" },
        { "longitude: .nan\n", "fra.yaml:1: longitude: expected degrees from -180 to 180" },
        { "name: fra\nordinal: 1\njurisdictions: [eu]\nlatitude: 1\n" CERTIFICATE,
          "fra.yaml: longitude: is missing" },
        { "name: fra\nordinal: 1\njurisdictions: [eu]\nlongitude: 1\n" CERTIFICATE,
          "fra.yaml: latitude: is missing" },
        { "name: fra\nordinal: 1\njurisdictions: [eu]\nlink_url: http://h\n" CERTIFICATE,
          "fra.yaml:4: link_url: expected https://, a host, and no '/' at the end" },
        { "name: fra\nordinal: 1\njurisdictions: [eu]\ncertificate: x\n",
          "fra.yaml:4: certificate: expected a certificate, PEM" },
        { "key: secret\n", "fra.yaml:1: key: unknown key" },
        { "region: {name: fra}\n", "fra.yaml:1: region.name: unknown key" },
        { "\"a\\nb\": 1\n", "fra.yaml:1: a?b: unknown key" },
        { "hello\n", "fra.yaml:1: expected \"key: value\"" },
        { "name: fra\n---\nname: iad\n", "fra.yaml:2: a second document begins" },
        { "name: \"a\\0b\"\n", "fra.yaml:1: a value contains a NUL character" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct region_card card;
        char why[REGION_CARD_WHY_MAX];

        assert_int_equal(
            region_card_read("fra.yaml", rows[i].text, strlen(rows[i].text), &card, why),
            ERR_INVALID);
        assert_string_equal(why, rows[i].why);
    }
}

static void a_card_that_is_too_large_is_refused(void **state)
{
    char *text = xcalloc(REGION_CARD_LEN_MAX + 2, 1);
    struct region_card card;
    char why[REGION_CARD_WHY_MAX];

    (void)state;
    memset(text, '#', REGION_CARD_LEN_MAX + 1);
    assert_int_equal(region_card_read("a", text, REGION_CARD_LEN_MAX + 1, &card, why),
                     ERR_LIMIT);
    assert_string_equal(why, "a: is larger than 16384 bytes");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_card_says_who_a_region_is),
        cmocka_unit_test(a_card_is_written_as_it_is_read),
        cmocka_unit_test(what_is_no_card_is_named_with_its_line),
        cmocka_unit_test(a_card_that_is_too_large_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
