#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "signer/certificate.h"
#include "tests/lib/certificates.h"

#define NOW_S UINT64_C(1764000000)
#define DAY_S 86400

/* openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
 *     -subj /CN=fra -addext subjectAltName=URI:region:fra */
static const char MADE_ELSEWHERE[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBiDCCAS6gAwIBAgIUDP9uDEyV/xkczhaTe3gQLK/y88swCgYIKoZIzj0EAwIw\n"
    "DjEMMAoGA1UEAwwDZnJhMB4XDTI2MTEyNDEwMTcxNloXDTM2MTEyMTEwMTcxNlow\n"
    "DjEMMAoGA1UEAwwDZnJhMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEusmy15MW\n"
    "uEJTPF6Kamox82ZYHrPoRARSHaRDoMi2drLvXX8SAUfKO0DuUvvXpGV7cGpFNwiJ\n"
    "ipSlGxM4lRnz3qNqMGgwHQYDVR0OBBYEFGBbCFZ4t7HnhSul7omMnD47XnHxMB8G\n"
    "A1UdIwQYMBaAFGBbCFZ4t7HnhSul7omMnD47XnHxMA8GA1UdEwEB/wQFMAMBAf8w\n"
    "FQYDVR0RBA4wDIYKcmVnaW9uOmZyYTAKBggqhkjOPQQDAgNIADBFAiEAzV774k9d\n"
    "TNkFEtFaeNWHUqMaiMNnsSnGAjL3dScT/eICIAtD1OxJUns22UPK/nDD/x9zeVne\n"
    "tMnygBnNO0iF9RsO\n"
    "-----END CERTIFICATE-----\n";

static struct made_certificate make(const char *region, uint32_t days)
{
    struct made_certificate made = { BUF_INIT(CERTIFICATE_PEM_MAX),
                                     BUF_INIT(CERTIFICATE_PEM_MAX) };

    assert_int_equal(certificate_create(region, NOW_S, days, &made.certificate, &made.key),
                     ERR_OK);
    return made;
}

static struct certificate read(const char *pem)
{
    struct certificate certificate;
    const char *why = "";

    assert_int_equal(certificate_read(pem, &certificate, &why), ERR_OK);
    return certificate;
}

static void a_certificate_says_whose_it_is_and_for_how_long(void **state)
{
    static const struct {
        const char *region;
        uint32_t days;
    } rows[] = {
        { "fra", 1 },
        { "a", CERTIFICATE_DAYS },
        { "abcdefghijklmn-0", CERTIFICATE_DAYS_MAX },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct made_certificate made = make(rows[i].region, rows[i].days);
        struct certificate certificate = read(buf_text(&made.certificate));

        assert_string_equal(certificate.name, rows[i].region);
        assert_int_equal(certificate.not_before_s, NOW_S - DAY_S);
        assert_int_equal(certificate.not_after_s, NOW_S + (uint64_t)rows[i].days * DAY_S);
        made_certificate_fini(&made);
    }
}

static void a_certificate_of_another_program_is_read_as_that_program_reads_it(void **state)
{
    static const uint8_t sha256[REGION_DIGEST_LEN] = {
        0xae, 0xac, 0x34, 0xdd, 0xd4, 0x53, 0x85, 0x2a, 0x33, 0x70, 0x70,
        0xfd, 0x18, 0x77, 0xa9, 0xc1, 0x12, 0x1f, 0x15, 0xe1, 0x74, 0x6f,
        0xb2, 0xc4, 0xe1, 0xbd, 0xe4, 0xc2, 0xd0, 0x33, 0x09, 0x29,
    };
    struct certificate certificate = read(MADE_ELSEWHERE);

    (void)state;
    assert_string_equal(certificate.name, "fra");
    assert_memory_equal(certificate.sha256, sha256, REGION_DIGEST_LEN);
    assert_int_equal(certificate.not_before_s, UINT64_C(1795515436));
    assert_int_equal(certificate.not_after_s, UINT64_C(2110875436));
}

static void no_two_certificates_are_alike(void **state)
{
    struct made_certificate one = make("fra", 1), other = make("fra", 1);
    struct certificate first = read(buf_text(&one.certificate)),
                       second = read(buf_text(&other.certificate));

    (void)state;
    assert_memory_not_equal(first.sha256, second.sha256, REGION_DIGEST_LEN);
    made_certificate_fini(&one);
    made_certificate_fini(&other);
}

static void a_key_belongs_to_one_certificate(void **state)
{
    struct made_certificate one = make("fra", 1), other = make("fra", 1);
    const char *pem = buf_text(&one.certificate);

    (void)state;
    assert_true(certificate_has_key(pem, buf_text(&one.key)));
    assert_false(certificate_has_key(pem, buf_text(&other.key)));
    assert_false(certificate_has_key(pem, pem));
    assert_false(certificate_has_key(pem, ""));
    assert_false(certificate_has_key("", buf_text(&one.key)));
    made_certificate_fini(&one);
    made_certificate_fini(&other);
}

static void assert_refused(const char *pem, const char *expected)
{
    struct certificate certificate;
    const char *why = "";

    assert_int_equal(certificate_read(pem, &certificate, &why), ERR_INVALID);
    assert_string_equal(why, expected);
}

static void text_that_is_not_one_certificate_is_refused(void **state)
{
    struct made_certificate made = make("fra", 1);
    struct buf twice = BUF_INIT(2 * CERTIFICATE_PEM_MAX),
               endless = BUF_INIT(2 * CERTIFICATE_PEM_MAX);
    const char *pem = buf_text(&made.certificate);

    (void)state;
    assert_int_equal(buf_printf(&twice, "%s%s", pem, pem), ERR_OK);
    assert_int_equal(buf_printf(&endless, "%*s\n%s", CERTIFICATE_PEM_MAX, "", pem), ERR_OK);
    const char *const rows[] = {
        "",
        "fra",
        buf_text(&made.key),
        buf_text(&twice),
        buf_text(&endless),
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_refused(rows[i], "isn't one certificate as PEM");
    buf_fini(&twice);
    buf_fini(&endless);
    made_certificate_fini(&made);
}

static void white_space_around_a_certificate_does_no_harm(void **state)
{
    struct buf text = BUF_INIT(CERTIFICATE_PEM_MAX);

    (void)state;
    assert_int_equal(buf_printf(&text, "\n\n%s\n \n", MADE_ELSEWHERE), ERR_OK);
    assert_string_equal(read(buf_text(&text)).name, "fra");
    buf_fini(&text);
}

static void a_certificate_that_is_no_regions_is_refused(void **state)
{
    static const char no_name[] = "has other alternative names than one URI, region:NAME";
    static const char no_curve[] = "has another key than one on the curve P-256";
    static const struct {
        struct certificate_kind kind;
        const char *why;
    } rows[] = {
        { { .names = NULL }, no_name },
        { { .names = "DNS:fra" }, no_name },
        { { .names = "URI:fra" }, no_name },
        { { .names = "URI:region:" }, no_name },
        { { .names = "URI:region:FRA" }, no_name },
        { { .names = "URI:region:abcdefghijklmnopq" }, no_name },
        { { .names = "URI:region:fra,URI:region:iad" }, no_name },
        { { .names = "URI:region:fra,DNS:fra.example.com" }, no_name },
        { { .names = "URI:region:fra", .curve = "P-384" }, no_curve },
        { { .names = "URI:region:fra", .curve = "RSA" }, no_curve },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct made_certificate made = make_certificate(&rows[i].kind);

        assert_refused(buf_text(&made.certificate), rows[i].why);
        made_certificate_fini(&made);
    }
}

static void what_does_not_fit_is_not_given_in_part(void **state)
{
    struct buf certificate = BUF_INIT(CERTIFICATE_PEM_MAX), key = BUF_INIT(10);

    (void)state;
    assert_int_equal(certificate_create("fra", NOW_S, 1, &certificate, &key), ERR_LIMIT);
    assert_int_equal(key.len, 0);
    buf_fini(&certificate);
    buf_fini(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_says_whose_it_is_and_for_how_long),
        cmocka_unit_test(a_certificate_of_another_program_is_read_as_that_program_reads_it),
        cmocka_unit_test(no_two_certificates_are_alike),
        cmocka_unit_test(a_key_belongs_to_one_certificate),
        cmocka_unit_test(text_that_is_not_one_certificate_is_refused),
        cmocka_unit_test(white_space_around_a_certificate_does_no_harm),
        cmocka_unit_test(a_certificate_that_is_no_regions_is_refused),
        cmocka_unit_test(what_does_not_fit_is_not_given_in_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
