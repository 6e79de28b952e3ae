#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/secrets.h"
#include "core/mem.h"
#include "dispatcher/destination.h"
#include "signer/seal.h"

#define NOW_MS UINT64_C(1798761600000)
#define DAY_MS UINT64_C(86400000)

struct scene {
    struct keyring *keyring;
    struct endpoint *endpoint;
    struct destinations destinations;
};

static void rotate(struct scene *s, uint64_t grace_ms, uint64_t now_ms, enum err expected)
{
    struct secret secret;

    secret_generate(&secret);
    assert_int_equal(
        secrets_rotate(s->keyring, s->endpoint, &secret, now_ms + grace_ms, now_ms), expected);
    s->endpoint->base.version++;
}

/* How many sign at that instant. */
static size_t signing_at(struct scene *s, uint64_t now_ms)
{
    const struct destination *d;
    const char *why;

    assert_int_equal(
        destinations_get(&s->destinations, s->endpoint, s->endpoint->url, now_ms, &d, &why),
        ERR_OK);
    return d->secret_count;
}

static int start(void **state)
{
    static struct scene scene;
    struct scene *s = *state = &scene;
    struct secret secret;
    char text[MASTER_KEY_TEXT_MAX];

    keyring_generate(text);
    assert_int_equal(keyring_new(text, &s->keyring), ERR_OK);
    s->endpoint = endpoint_new();
    s->endpoint->base.version = 1;
    s->endpoint->base.id = (struct id){ { 1 } };
    s->endpoint->application = (struct id){ { 2 } };
    s->endpoint->url = xstrdup("https://receiver.example/");
    secret_generate(&secret);
    secrets_replace(s->keyring, s->endpoint, &secret);
    destinations_init(&s->destinations, s->keyring, 4);
    return 0;
}

static int stop(void **state)
{
    struct scene *s = *state;

    destinations_fini(&s->destinations);
    object_unref(&s->endpoint->base);
    keyring_free(s->keyring);
    return 0;
}

static void an_old_secret_signs_until_its_time_is_over_and_no_longer(void **state)
{
    struct scene *s = *state;

    rotate(s, DAY_MS, NOW_MS, ERR_OK);
    rotate(s, 2 * DAY_MS, NOW_MS, ERR_OK);
    assert_int_equal(signing_at(s, NOW_MS), 3);
    assert_int_equal(signing_at(s, NOW_MS + DAY_MS - 1), 3);
    assert_int_equal(signing_at(s, NOW_MS + DAY_MS), 2);
    assert_int_equal(signing_at(s, NOW_MS + 2 * DAY_MS - 1), 2);
    assert_int_equal(signing_at(s, NOW_MS + 2 * DAY_MS), 1);
    assert_int_equal(signing_at(s, NOW_MS + 999 * DAY_MS), 1);
}

static enum err get(struct scene *s)
{
    const struct destination *d;
    const char *why;

    return destinations_get(&s->destinations, s->endpoint, s->endpoint->url, NOW_MS, &d, &why);
}

static void without_its_key_a_secret_is_sealed_and_not_wrong(void **state)
{
    struct scene *s = *state;
    struct keyring *other;
    char text[MASTER_KEY_TEXT_MAX];

    keyring_generate(text);
    assert_int_equal(keyring_new(text, &other), ERR_OK);
    s->destinations.keyring = other;
    assert_int_equal(get(s), ERR_SEALED);
    s->destinations.keyring = s->keyring;
    assert_int_equal(get(s), ERR_OK);

    seal_headers(other, s->endpoint, "{\"x-a\":\"b\"}");
    s->endpoint->base.version++;
    assert_int_equal(get(s), ERR_SEALED);
    seal_headers(s->keyring, s->endpoint, "{\"a b\":\"c\"}");
    assert_int_equal(get(s), ERR_INVALID);
    seal_headers(s->keyring, s->endpoint, "{\"x-a\":\"b\"}");
    assert_int_equal(get(s), ERR_OK);
    keyring_free(other);
}

static void without_a_period_the_old_secret_is_gone_at_once(void **state)
{
    struct scene *s = *state;

    rotate(s, 0, NOW_MS, ERR_OK);
    assert_int_equal(s->endpoint->secret_count, 1);
    assert_int_equal(signing_at(s, NOW_MS), 1);
}

static void old_secrets_whose_time_is_over_make_room(void **state)
{
    struct scene *s = *state;

    for (unsigned day = 1; day < SECRETS_MAX; day++)
        rotate(s, day * DAY_MS, NOW_MS, ERR_OK);
    assert_int_equal(signing_at(s, NOW_MS), SECRETS_MAX);
    rotate(s, DAY_MS, NOW_MS, ERR_LIMIT);
    rotate(s, DAY_MS, NOW_MS + DAY_MS - 1, ERR_LIMIT);
    rotate(s, DAY_MS, NOW_MS + DAY_MS, ERR_OK);
    assert_int_equal(s->endpoint->secret_count, SECRETS_MAX);
    rotate(s, DAY_MS, NOW_MS + 99 * DAY_MS, ERR_OK);
    assert_int_equal(s->endpoint->secret_count, 2);
}

static void schemes_may_be_mixed(void **state)
{
    static const char pair[] =
        "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0"
        "dRqSKJp4AJ6p9lMicMFs6Kvg==";
    struct scene *s = *state;
    const struct destination *d;
    struct secret secret;
    const char *why;

    assert_int_equal(secret_parse(pair, &secret), ERR_OK);
    assert_int_equal(secrets_rotate(s->keyring, s->endpoint, &secret, NOW_MS + DAY_MS, NOW_MS),
                     ERR_OK);
    s->endpoint->base.version++;
    rotate(s, DAY_MS, NOW_MS, ERR_OK);
    assert_int_equal(
        destinations_get(&s->destinations, s->endpoint, s->endpoint->url, NOW_MS, &d, &why),
        ERR_OK);
    assert_int_equal(d->secret_count, 3);
    assert_int_equal(d->secrets[0].scheme, SECRET_HMAC);
    assert_int_equal(d->secrets[1].scheme, SECRET_ED25519);
    assert_int_equal(d->secrets[2].scheme, SECRET_HMAC);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_old_secret_signs_until_its_time_is_over_and_no_longer),
        TEST(without_its_key_a_secret_is_sealed_and_not_wrong),
        TEST(without_a_period_the_old_secret_is_gone_at_once),
        TEST(old_secrets_whose_time_is_over_make_room),
        TEST(schemes_may_be_mixed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
