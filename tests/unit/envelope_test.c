/* What is sealed for whoever repeats a request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "signer/envelope.h"
#include "signer/keyring.h"

static const uint8_t SECRET[DIGEST_LEN] = { 1, 2, 3 };
static const char PLAIN[] = "{\"url\":\"https://portal.example/#key=canary\"}";

static void it_opens_with_the_words_that_it_was_sealed_with(void **state)
{
    static const size_t LENS[] = { 0, 1, sizeof PLAIN };
    struct bytes sealed, plain;
    (void)state;

    for (size_t i = 0; i < COUNT(LENS); i++) {
        envelope_seal(SECRET, PLAIN, LENS[i], &sealed);
        assert_int_equal(envelope_open(SECRET, &sealed, &plain), ERR_OK);
        assert_int_equal(plain.len, LENS[i]);
        assert_memory_equal(plain.data, PLAIN, LENS[i]);
        keyring_wipe(&plain);
        bytes_fini(&sealed);
    }
}

static void nothing_of_it_shows(void **state)
{
    struct bytes sealed;
    (void)state;

    envelope_seal(SECRET, PLAIN, sizeof PLAIN, &sealed);
    assert_null(memmem(sealed.data, sealed.len, "canary", strlen("canary")));
    bytes_fini(&sealed);
}

static void it_opens_with_nothing_else_and_not_when_a_bit_is_another(void **state)
{
    uint8_t other[DIGEST_LEN] = { 1, 2, 4 };
    struct bytes sealed, plain;
    (void)state;

    envelope_seal(SECRET, PLAIN, sizeof PLAIN, &sealed);
    assert_int_equal(envelope_open(other, &sealed, &plain), ERR_DENIED);
    for (size_t i = 0; i < sealed.len; i++) {
        sealed.data[i] ^= 1;
        assert_int_equal(envelope_open(SECRET, &sealed, &plain), ERR_DENIED);
        sealed.data[i] ^= 1;
    }
    sealed.len--;
    assert_int_equal(envelope_open(SECRET, &sealed, &plain), ERR_DENIED);
    sealed.len++;
    bytes_fini(&sealed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_opens_with_the_words_that_it_was_sealed_with),
        cmocka_unit_test(nothing_of_it_shows),
        cmocka_unit_test(it_opens_with_nothing_else_and_not_when_a_bit_is_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
