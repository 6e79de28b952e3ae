/* The real dispatcher, courier and store on one loop; one receiver on 127.0.0.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "tests/lib/dispatch_fixture.h"

#define VALUE_MAX 1024

static int set_up(void **state)
{
    return dispatch_fixture_start(state, NULL, NULL, egress_new_open());
}

static int set_up_with_public_egress(void **state)
{
    static const struct text_list nothing = { 0 };
    struct egress *egress;
    const char *bad;

    assert_int_equal(egress_new(&nothing, &egress, &bad), ERR_OK);
    return dispatch_fixture_start(state, NULL, NULL, egress);
}

/* The only attempt at the latest message, once it is recorded. */
static struct attempt_record wait_for_attempt(struct dispatch_fixture *f)
{
    struct attempt_record only;

    dispatch_fixture_attempts(f, &only, 1);
    return only;
}

static void assert_response(const struct attempt_record *attempt, const char *text)
{
    assert_int_equal(attempt->response.len, strlen(text));
    assert_memory_equal(attempt->response.data, text, strlen(text));
}

/* The value of a header in the latest request. */
static const char *header(const struct dispatch_fixture *f, const char *name,
                          char out[VALUE_MAX])
{
    char line[64];

    snprintf(line, sizeof line, "\r\n%s: ", name);
    const char *at = strcasestr(buf_text(&f->receiver.last), line);
    assert_non_null(at);
    at += strlen(line);
    snprintf(out, VALUE_MAX, "%.*s", (int)strcspn(at, "\r"), at);
    return out;
}

static enum err verify(const struct dispatch_fixture *f, const struct secret *secret)
{
    char id[VALUE_MAX], timestamp[VALUE_MAX], signature[VALUE_MAX];
    struct signer *signer = signer_new();
    struct signed_text text = {
        .id = header(f, "webhook-id", id),
        .at_s = strtoull(header(f, "webhook-timestamp", timestamp), NULL, 10),
        .body = DISPATCH_PAYLOAD,
        .body_len = strlen(DISPATCH_PAYLOAD),
    };
    enum err err =
        signer_verify(signer, secret, 1, &text, header(f, "webhook-signature", signature),
                      clock_now().wall_ms / 1000, SIGNATURE_TOLERANCE_S);

    signer_free(signer);
    return err;
}

static void a_delivery_arrives_signed_with_the_payloads_bytes(void **state)
{
    struct dispatch_fixture *f = *state;
    struct endpoint *e = dispatch_fixture_endpoint(f, "/hook");
    char value[VALUE_MAX], id[ID_TEXT_MAX];
    static const char headers[] = "{\"X-Custom\":\"yes\"}";

    keyring_seal(f->keyring, SEAL_HEADERS, &f->application, &e->base.id, headers,
                 strlen(headers), &e->sealed_headers);
    store_fixture_put(&f->store, &e->base);
    f->receiver.answer = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nthanks";
    dispatch_fixture_send(f);
    struct attempt_record attempt = wait_for_attempt(f);

    assert_int_equal(attempt.status, ATTEMPT_SUCCESS);
    assert_int_equal(attempt.response_status, 200);
    assert_int_equal(attempt.number, 1);
    assert_int_equal(attempt.next_attempt_at_ms, 0);
    assert_response(&attempt, "thanks");
    attempt_record_fini(&attempt);

    const char *request = buf_text(&f->receiver.last);
    assert_int_equal(strncmp(request, "POST /hook HTTP/1.1\r\n", 21), 0);
    assert_string_equal(strstr(request, "\r\n\r\n") + 4, DISPATCH_PAYLOAD);
    id_format(ID_MESSAGE, &f->message, id);
    assert_string_equal(header(f, "webhook-id", value), id);
    assert_string_equal(header(f, "content-type", value), "application/json");
    assert_string_equal(header(f, "user-agent", value), "posthaste/" POSTHASTE_VERSION);
    assert_string_equal(header(f, "x-custom", value), "yes");
    assert_int_equal(verify(f, &f->secret), ERR_OK);
}

static void a_refusal_is_recorded_with_its_next_attempt(void **state)
{
    struct dispatch_fixture *f = *state;
    struct endpoint *e = dispatch_fixture_endpoint(f, "/");

    store_fixture_put(&f->store, &e->base);
    f->receiver.answer = "HTTP/1.1 302 Found\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n";
    dispatch_fixture_send(f);
    struct attempt_record attempt = wait_for_attempt(f);

    assert_int_equal(attempt.status, ATTEMPT_FAIL);
    assert_int_equal(attempt.response_status, 302);
    uint64_t delay_ms = attempt.next_attempt_at_ms - attempt.started_at_ms;
    assert_in_range(delay_ms, 2880000, 4320000 + DISPATCH_TIMEOUT_MS);
    assert_int_equal(f->receiver.requests, 1);
    attempt_record_fini(&attempt);
}

static void an_edit_takes_effect_with_the_next_attempt(void **state)
{
    struct dispatch_fixture *f = *state;
    struct endpoint *e = dispatch_fixture_endpoint(f, "/old");
    struct endpoint *edited = endpoint_copy(e);
    struct secret old = f->secret;

    store_fixture_put(&f->store, &e->base);
    dispatch_fixture_send(f);
    struct attempt_record attempt = wait_for_attempt(f);
    attempt_record_fini(&attempt);
    assert_non_null(strstr(buf_text(&f->receiver.last), "POST /old "));

    secret_generate(&f->secret);
    free(edited->url);
    bytes_fini(&edited->secrets[0].sealed);
    struct endpoint *shape = dispatch_fixture_endpoint(f, "/new");
    edited->url = xstrdup(shape->url);
    object_unref(&shape->base);
    keyring_seal(f->keyring, SEAL_SECRET, &f->application, &edited->base.id, f->secret.bytes,
                 f->secret.len, &edited->secrets[0].sealed);
    edited->base.version++;
    store_fixture_put(&f->store, &edited->base);
    dispatch_fixture_send(f);
    attempt = wait_for_attempt(f);
    attempt_record_fini(&attempt);
    assert_non_null(strstr(buf_text(&f->receiver.last), "POST /new "));
    assert_int_equal(verify(f, &f->secret), ERR_OK);
    assert_int_equal(verify(f, &old), ERR_DENIED);
}

/* Its first delivery that runs out of attempts begins the time, and a success ends it. */
static void who_fails_to_the_end_for_too_long_is_disabled(void **state)
{
    static const struct {
        const char *answer;
        bool disabled;
    } ROWS[] = {
        { "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", false },
        { "HTTP/1.1 204 Yes\r\n\r\n", false },
        { "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", false },
        { "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", true },
    };
    struct dispatch_fixture *f = *state;
    struct endpoint *e = dispatch_fixture_endpoint(f, "/");
    int64_t key = id_key(&e->base.id);

    dispatch_fixture_close(f, 10);
    f->gives_up = true;
    f->disable_after_ms = 1;
    dispatch_fixture_open(f);
    store_fixture_put(&f->store, &e->base);
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        uint64_t sent_ms = clock_now().wall_ms;
        f->receiver.answer = ROWS[i].answer;
        dispatch_fixture_send(f);
        struct attempt_record attempt = wait_for_attempt(f);
        attempt_record_fini(&attempt);
        while (ROWS[i].disabled && !catalog_endpoint_by_key(f->store.catalog, key)->disabled)
            uv_run(&f->store.loop.uv, UV_RUN_ONCE);
        assert_int_equal(catalog_endpoint_by_key(f->store.catalog, key)->disabled,
                         ROWS[i].disabled);
        while (clock_now().wall_ms < sent_ms + 2)
            uv_run(&f->store.loop.uv, UV_RUN_NOWAIT);
    }
}

static void an_expired_secret_signs_no_more(void **state)
{
    struct dispatch_fixture *f = *state;
    struct endpoint *e = dispatch_fixture_endpoint(f, "/");
    struct secret rotated, expired;
    uint64_t now_ms = clock_now().wall_ms;

    secret_generate(&rotated);
    secret_generate(&expired);
    e->secret_count = 3;
    keyring_seal(f->keyring, SEAL_SECRET, &f->application, &e->base.id, rotated.bytes,
                 rotated.len, &e->secrets[1].sealed);
    e->secrets[1].expires_at_ms = now_ms + 3600000;
    keyring_seal(f->keyring, SEAL_SECRET, &f->application, &e->base.id, expired.bytes,
                 expired.len, &e->secrets[2].sealed);
    e->secrets[2].expires_at_ms = now_ms - 1;
    store_fixture_put(&f->store, &e->base);
    dispatch_fixture_send(f);
    struct attempt_record attempt = wait_for_attempt(f);
    attempt_record_fini(&attempt);

    assert_int_equal(verify(f, &f->secret), ERR_OK);
    assert_int_equal(verify(f, &rotated), ERR_OK);
    assert_int_equal(verify(f, &expired), ERR_DENIED);
}

static void what_cannot_be_sent_is_recorded_with_its_reason(void **state)
{
    struct dispatch_fixture *f = *state;
    struct endpoint *e = dispatch_fixture_endpoint(f, "/");

    keyring_seal(f->keyring, SEAL_HEADERS, &f->application, &e->base.id, "{\"a b\":\"c\"}", 11,
                 &e->sealed_headers);
    store_fixture_put(&f->store, &e->base);
    dispatch_fixture_send(f);
    struct attempt_record attempt = wait_for_attempt(f);

    assert_int_equal(attempt.status, ATTEMPT_FAIL);
    assert_int_equal(attempt.response_status, 0);
    assert_response(&attempt, "the endpoint's URL or headers can't be used");
    assert_int_equal(f->receiver.requests, 0);
    attempt_record_fini(&attempt);
}

static void a_private_address_is_refused_with_its_reason(void **state)
{
    struct dispatch_fixture *f = *state;
    struct endpoint *e = dispatch_fixture_endpoint(f, "/");

    store_fixture_put(&f->store, &e->base);
    dispatch_fixture_send(f);
    struct attempt_record attempt = wait_for_attempt(f);

    assert_int_equal(attempt.response_status, 0);
    assert_true(attempt.response.len > 0);
    assert_true(attempt.next_attempt_at_ms > 0);
    assert_int_equal(f->receiver.connections, 0);
    attempt_record_fini(&attempt);
}

static void closing_cancels_what_hangs_and_keeps_it_pending(void **state)
{
    struct dispatch_fixture *f = *state;
    struct endpoint *e = dispatch_fixture_endpoint(f, "/");
    struct store_status status = { 0 };

    f->receiver.reaction = REACT_NOTHING;
    store_fixture_put(&f->store, &e->base);
    dispatch_fixture_send(f);
    while (f->receiver.requests == 0)
        uv_run(&f->store.loop.uv, UV_RUN_ONCE);
    dispatch_fixture_close(f, 10);

    assert_int_equal(STORE_RUN(&f->store, store_status, &status), ERR_OK);
    assert_int_equal(status.pending, 1);
    assert_int_equal(status.attempts, 0);
}

static void resend(struct dispatch_fixture *f, const struct endpoint *e)
{
    struct store_resend op = { .application = f->application,
                               .message = f->message,
                               .endpoint = e->base.id };

    assert_int_equal(STORE_RUN(&f->store, store_resend, &op), ERR_OK);
}

/* A retry is due in an hour; what is asked for isn't retried, and leaves it where it was. */
static void what_is_asked_for_is_sent_at_once_and_once(void **state)
{
    struct dispatch_fixture *f = *state;
    struct endpoint *e = dispatch_fixture_endpoint(f, "/");
    struct attempt_record attempts[4];

    object_ref(&e->base);
    store_fixture_put(&f->store, &e->base);
    f->receiver.answer = "HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n";
    dispatch_fixture_send(f);
    attempts[0] = wait_for_attempt(f);
    uint64_t retry_ms = attempts[0].next_attempt_at_ms;
    assert_true(retry_ms > 0);
    attempt_record_fini(&attempts[0]);
    for (size_t made = 2; made <= 4; made++) {
        if (made > 2)
            f->receiver.answer = "HTTP/1.1 204 No Content\r\n\r\n";
        resend(f, e);
        dispatch_fixture_attempts(f, attempts, made);
        const struct attempt_record *last = &attempts[made - 1];
        assert_int_equal(last->trigger, TRIGGER_MANUAL);
        assert_int_equal(last->number, 2);
        assert_int_equal(last->status, made > 2 ? ATTEMPT_SUCCESS : ATTEMPT_FAIL);
        assert_int_equal(last->next_attempt_at_ms, made > 2 ? 0 : retry_ms);
        for (size_t i = 0; i < made; i++)
            attempt_record_fini(&attempts[i]);
    }
    object_unref(&e->base);
}

static void what_is_asked_for_while_it_is_sent_is_sent_again(void **state)
{
    struct dispatch_fixture *f = *state;
    struct endpoint *e = dispatch_fixture_endpoint(f, "/");
    struct attempt_record attempts[2];

    object_ref(&e->base);
    store_fixture_put(&f->store, &e->base);
    f->receiver.reaction = REACT_NOTHING;
    dispatch_fixture_send(f);
    while (f->receiver.requests == 0)
        uv_run(&f->store.loop.uv, UV_RUN_ONCE);
    resend(f, e);
    f->receiver.reaction = REACT_ANSWER;
    receiver_hang_up(&f->receiver);
    dispatch_fixture_attempts(f, attempts, 2);
    assert_int_equal(attempts[0].trigger, TRIGGER_SCHEDULED);
    assert_int_equal(attempts[1].trigger, TRIGGER_MANUAL);
    assert_int_equal(attempts[1].status, ATTEMPT_SUCCESS);
    for (size_t i = 0; i < 2; i++)
        attempt_record_fini(&attempts[i]);
    object_unref(&e->base);
}

#define DISPATCHER_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, dispatch_fixture_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DISPATCHER_TEST(a_delivery_arrives_signed_with_the_payloads_bytes),
        DISPATCHER_TEST(a_refusal_is_recorded_with_its_next_attempt),
        DISPATCHER_TEST(an_edit_takes_effect_with_the_next_attempt),
        DISPATCHER_TEST(who_fails_to_the_end_for_too_long_is_disabled),
        DISPATCHER_TEST(an_expired_secret_signs_no_more),
        DISPATCHER_TEST(what_cannot_be_sent_is_recorded_with_its_reason),
        cmocka_unit_test_setup_teardown(a_private_address_is_refused_with_its_reason,
                                        set_up_with_public_egress, dispatch_fixture_stop),
        DISPATCHER_TEST(what_is_asked_for_is_sent_at_once_and_once),
        DISPATCHER_TEST(what_is_asked_for_while_it_is_sent_is_sent_again),
        DISPATCHER_TEST(closing_cancels_what_hangs_and_keeps_it_pending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
