#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "signer/pair.h"
#include "tests/lib/certificates.h"

#define FRA_KEY "phmk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define IAD_KEY "phmk_AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define PLAIN   "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

static const struct id application = { { 1 } }, endpoint = { { 2 } }, stranger = { { 3 } };

/* Two regions that know each other. */
struct regions {
    struct made_certificate fra, iad;
    struct keyring *fra_keyring, *iad_keyring;
    struct pair *fra_iad, *iad_fra;
};

static struct pair *pair_of(const struct made_certificate *own, const char *peer)
{
    struct pair *pair;
    const char *why;

    assert_int_equal(
        pair_new(buf_text(&own->certificate), buf_text(&own->key), peer, &pair, &why), ERR_OK);
    return pair;
}

static int make_regions(void **state)
{
    static struct regions r;

    r.fra = make_region_certificate("fra");
    r.iad = make_region_certificate("iad");
    assert_int_equal(keyring_new(FRA_KEY, &r.fra_keyring), ERR_OK);
    assert_int_equal(keyring_new(IAD_KEY, &r.iad_keyring), ERR_OK);
    r.fra_iad = pair_of(&r.fra, buf_text(&r.iad.certificate));
    r.iad_fra = pair_of(&r.iad, buf_text(&r.fra.certificate));
    *state = &r;
    return 0;
}

static int free_regions(void **state)
{
    struct regions *r = *state;

    pair_free(r->fra_iad);
    pair_free(r->iad_fra);
    keyring_free(r->fra_keyring);
    keyring_free(r->iad_keyring);
    made_certificate_fini(&r->fra);
    made_certificate_fini(&r->iad);
    return 0;
}

/* A secret of fra's, sealed for iad. */
static struct bytes seal_for_iad(const struct regions *r)
{
    struct bytes at_rest, sealed;

    keyring_seal(r->fra_keyring, SEAL_SECRET, &application, &endpoint, PLAIN, strlen(PLAIN),
                 &at_rest);
    assert_int_equal(pair_seal(r->fra_iad, r->fra_keyring, SEAL_SECRET, &application, &endpoint,
                               &at_rest, &sealed),
                     ERR_OK);
    bytes_fini(&at_rest);
    return sealed;
}

static void a_secret_reaches_the_peer(void **state)
{
    const struct regions *r = *state;
    struct bytes sealed = seal_for_iad(r), at_rest, plain;

    assert_int_equal(pair_unseal(r->iad_fra, r->iad_keyring, SEAL_SECRET, &application,
                                 &endpoint, &sealed, &at_rest),
                     ERR_OK);
    assert_int_equal(
        keyring_unseal(r->iad_keyring, SEAL_SECRET, &application, &endpoint, &at_rest, &plain),
        ERR_OK);
    assert_string_equal(plain.data, PLAIN);
    keyring_wipe(&plain);
    bytes_fini(&at_rest);
    bytes_fini(&sealed);
}

static void nothing_opens_in_another_place_or_for_another_use(void **state)
{
    static const struct {
        enum seal_use use;
        const struct id *application, *endpoint;
    } rows[] = {
        { SEAL_HEADERS, &application, &endpoint },
        { SEAL_SECRET, &stranger, &endpoint },
        { SEAL_SECRET, &application, &stranger },
    };
    const struct regions *r = *state;
    struct bytes sealed = seal_for_iad(r), at_rest;

    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(pair_unseal(r->iad_fra, r->iad_keyring, rows[i].use,
                                     rows[i].application, rows[i].endpoint, &sealed, &at_rest),
                         ERR_DENIED);
    bytes_fini(&sealed);
}

static void a_text_goes_one_way(void **state)
{
    const struct regions *r = *state;
    struct bytes sealed = seal_for_iad(r), at_rest;

    assert_int_equal(pair_unseal(r->fra_iad, r->fra_keyring, SEAL_SECRET, &application,
                                 &endpoint, &sealed, &at_rest),
                     ERR_DENIED);
    bytes_fini(&sealed);
}

static void a_third_region_opens_nothing(void **state)
{
    const struct regions *r = *state;
    struct made_certificate sin = make_region_certificate("sin");
    const char *const peers[] = { buf_text(&r->fra.certificate),
                                  buf_text(&r->iad.certificate) };
    struct bytes sealed = seal_for_iad(r), at_rest;

    for (size_t i = 0; i < COUNT(peers); i++) {
        struct pair *pair = pair_of(&sin, peers[i]);
        assert_int_equal(pair_unseal(pair, r->iad_keyring, SEAL_SECRET, &application, &endpoint,
                                     &sealed, &at_rest),
                         ERR_DENIED);
        pair_free(pair);
    }
    bytes_fini(&sealed);
    made_certificate_fini(&sin);
}

static void what_another_keyring_sealed_is_not_passed_on(void **state)
{
    const struct regions *r = *state;
    struct bytes at_rest, sealed;

    keyring_seal(r->iad_keyring, SEAL_SECRET, &application, &endpoint, PLAIN, strlen(PLAIN),
                 &at_rest);
    assert_int_equal(pair_seal(r->fra_iad, r->fra_keyring, SEAL_SECRET, &application, &endpoint,
                               &at_rest, &sealed),
                     ERR_DENIED);
    bytes_fini(&at_rest);
}

/* Regions of two versions must understand each other: derivation and format stay as they are. The
 * bytes are from an independent implementation. */
static const char PINNED_CERTIFICATE[] =
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

static const char PINNED_KEY[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgZZmLM0UQqGNtV1lz\n"
    "ipbXyoYTea15jCidW1Go5YRhpqahRANCAAS6ybLXkxa4QlM8XopqajHzZlges+hE\n"
    "BFIdpEOgyLZ2su9dfxIBR8o7QO5S+9ekZXtwakU3CImKlKUbEziVGfPe\n"
    "-----END PRIVATE KEY-----\n";

static const char PINNED_PEER[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBiTCCAS6gAwIBAgIUEWx16iqiXuq4tX2QuYYGnjB4WWkwCgYIKoZIzj0EAwIw\n"
    "DjEMMAoGA1UEAwwDaWFkMB4XDTI2MTEyNDEwMTcxNloXDTM2MTEyMTEwMTcxNlow\n"
    "DjEMMAoGA1UEAwwDaWFkMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZMa95Asy\n"
    "ns2qx1dwOHDY0wrZ38PvJN0++7/J5/AARkEnQDoEhWqmlxNFH2OgATXVURlS6H+d\n"
    "5PqE9wUSEDQvH6NqMGgwHQYDVR0OBBYEFGjpSxzyQIY0ryFI+WYSoWhybsnGMB8G\n"
    "A1UdIwQYMBaAFGjpSxzyQIY0ryFI+WYSoWhybsnGMA8GA1UdEwEB/wQFMAMBAf8w\n"
    "FQYDVR0RBA4wDIYKcmVnaW9uOmlhZDAKBggqhkjOPQQDAgNJADBGAiEAtFHpZiZe\n"
    "WjcTW10wvzTvy2z7oQsIlCc0XDvZ7aCfzhYCIQCPEm1xIKofyUC8ylQEQZFrzlbT\n"
    "HGIA8aBjx2EkRc5tjw==\n"
    "-----END CERTIFICATE-----\n";

static void a_text_sealed_by_another_program_opens(void **state)
{
    static uint8_t text[] = { 0x01, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
                              0x09, 0x0a, 0x0b, 0x81, 0x84, 0xe9, 0xce, 0xcd, 0x40, 0xa2,
                              0xec, 0x70, 0x6f, 0xf0, 0x3f, 0xda, 0x22, 0xc2, 0x10, 0xda,
                              0xab, 0xd1, 0xf2, 0xa6, 0xd1, 0x2d, 0x1d, 0x89, 0xe3, 0x9c,
                              0xdd, 0x2c, 0x2d, 0xc1, 0x8d, 0x81, 0xc8, 0xb3, 0x67, 0xdc,
                              0xe7, 0x80, 0xf7, 0x85, 0xe8, 0xda, 0xbf, 0x81, 0xdb, 0x87,
                              0x83, 0x39, 0x7e, 0x89, 0x93, 0xa6, 0xea };
    const struct regions *r = *state;
    const struct bytes sealed = { text, sizeof text };
    struct bytes at_rest, plain;
    struct pair *pair;
    const char *why;

    assert_int_equal(pair_new(PINNED_CERTIFICATE, PINNED_KEY, PINNED_PEER, &pair, &why),
                     ERR_OK);
    assert_int_equal(pair_unseal(pair, r->fra_keyring, SEAL_SECRET, &application, &endpoint,
                                 &sealed, &at_rest),
                     ERR_OK);
    assert_int_equal(
        keyring_unseal(r->fra_keyring, SEAL_SECRET, &application, &endpoint, &at_rest, &plain),
        ERR_OK);
    assert_string_equal(plain.data, PLAIN);
    keyring_wipe(&plain);
    bytes_fini(&at_rest);
    pair_free(pair);
}

static void no_pair_comes_of_what_does_not_fit(void **state)
{
    const struct regions *r = *state;
    const char *fra = buf_text(&r->fra.certificate), *fra_key = buf_text(&r->fra.key);
    const char *iad = buf_text(&r->iad.certificate), *iad_key = buf_text(&r->iad.key);
    const struct {
        const char *certificate, *key, *peer;
        enum err err;
        const char *why;
    } rows[] = {
        { "", fra_key, iad, ERR_INVALID, "isn't one certificate as PEM" },
        { fra, fra_key, "", ERR_INVALID, "isn't one certificate as PEM" },
        { fra, "", iad, ERR_CONFLICT, "the key isn't the certificate's" },
        { fra, iad_key, iad, ERR_CONFLICT, "the key isn't the certificate's" },
        { fra, fra_key, fra, ERR_CONFLICT, "the peer's certificate is our own" },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pair *pair;
        const char *why = "";
        assert_int_equal(pair_new(rows[i].certificate, rows[i].key, rows[i].peer, &pair, &why),
                         rows[i].err);
        assert_string_equal(why, rows[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_reaches_the_peer),
        cmocka_unit_test(nothing_opens_in_another_place_or_for_another_use),
        cmocka_unit_test(a_text_goes_one_way),
        cmocka_unit_test(a_third_region_opens_nothing),
        cmocka_unit_test(what_another_keyring_sealed_is_not_passed_on),
        cmocka_unit_test(a_text_sealed_by_another_program_opens),
        cmocka_unit_test(no_pair_comes_of_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, make_regions, free_regions);
}
