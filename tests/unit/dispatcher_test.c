/* The real dispatcher, courier and store on one loop; one receiver on 127.0.0.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/dispatch.h"
#include "core/mem.h"
#include "dispatcher/dispatcher.h"
#include "signer/signer.h"
#include "tests/lib/receiver.h"
#include "tests/lib/store_fixture.h"

#define PAYLOAD    "{\"amount\": 1.10, \"id\":  9007199254740993}"
#define VALUE_MAX  1024
#define TIMEOUT_MS 5000

struct fixture {
    struct store_fixture store;
    struct receiver receiver;
    struct keyring *keyring;
    struct egress *egress;
    struct dispatcher *dispatcher;
    struct id application;
    struct id message; /* the latest */
    struct secret secret;
    bool dispatcher_closed;
};

static void open_dispatcher(struct fixture *f)
{
    assert_int_equal(dispatcher_open(&f->dispatcher,
                                     &(struct dispatcher_options){
                                         .loop = &f->store.loop.uv,
                                         .store = f->store.store,
                                         .keyring = f->keyring,
                                         .egress = f->egress,
                                         .ids = &f->store.ids,
                                         .region = "fra",
                                         .schedule_s = { 3600 },
                                         .schedule_count = 1,
                                         .timeout_ms = TIMEOUT_MS,
                                         .in_flight_max = 16,
                                         .in_flight_lane_max = 8,
                                     }),
                     ERR_OK);
}

/* Takes over `egress`. */
static int set_up_behind(void **state, struct egress *egress)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    char master_key[MASTER_KEY_TEXT_MAX];

    keyring_generate(master_key);
    assert_int_equal(keyring_new(master_key, &f->keyring), ERR_OK);
    f->egress = egress;
    secret_generate(&f->secret);
    store_fixture_start(&f->store);
    store_fixture_set_ms(clock_now().wall_ms);
    receiver_open(&f->receiver, &f->store.loop.uv);
    f->application = store_fixture_put_application(&f->store, "app");
    open_dispatcher(f);
    *state = f;
    return 0;
}

static int set_up(void **state)
{
    return set_up_behind(state, egress_new_open());
}

static int set_up_with_public_egress(void **state)
{
    static const struct text_list nothing = { 0 };
    struct egress *egress;
    const char *bad;

    assert_int_equal(egress_new(&nothing, &egress, &bad), ERR_OK);
    return set_up_behind(state, egress);
}

static void on_dispatcher_closed(void *ctx)
{
    ((struct fixture *)ctx)->dispatcher_closed = true;
}

static void close_dispatcher(struct fixture *f, uint32_t timeout_ms)
{
    f->dispatcher_closed = false;
    dispatcher_close(f->dispatcher, timeout_ms, on_dispatcher_closed, f);
    while (!f->dispatcher_closed)
        uv_run(&f->store.loop.uv, UV_RUN_ONCE);
    f->dispatcher = NULL;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    if (f->dispatcher)
        close_dispatcher(f, TIMEOUT_MS);
    receiver_close(&f->receiver);
    store_fixture_stop(&f->store);
    egress_free(f->egress);
    keyring_free(f->keyring);
    free(f);
    return 0;
}

/* Not in the store yet, with one secret. */
static struct endpoint *endpoint_at(struct fixture *f, const char *path)
{
    struct endpoint *e = store_fixture_endpoint(&f->store, &f->application, NULL);
    char url[128];

    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", f->receiver.port, path);
    free(e->url);
    e->url = xstrdup(url);
    for (size_t i = 0; i < e->secret_count; i++)
        bytes_fini(&e->secrets[i].sealed);
    e->secret_count = 1;
    keyring_seal(f->keyring, SEAL_SECRET, &f->application, &e->base.id, f->secret.bytes,
                 f->secret.len, &e->secrets[0].sealed);
    return e;
}

static void send_message(struct fixture *f)
{
    f->message = store_fixture_append(&f->store, &f->application, "order.paid", PAYLOAD);
}

/* The only attempt at the latest message, once it is recorded. */
static struct attempt_record wait_for_attempt(struct fixture *f)
{
    struct store_list_attempts op;

    do {
        op = (struct store_list_attempts){
            .application = f->application,
            .by_message = true,
            .message = f->message,
            .with_content = true,
            .page.limit = 10,
        };
        assert_int_equal(STORE_RUN(&f->store, store_list_attempts, &op), ERR_OK);
        if (op.count == 0) {
            free(op.attempts);
            uv_run(&f->store.loop.uv, UV_RUN_ONCE);
        }
    } while (op.count == 0);

    assert_int_equal(op.count, 1);
    struct attempt_record only = op.attempts[0];
    free(op.attempts);
    return only;
}

static void assert_response(const struct attempt_record *attempt, const char *text)
{
    assert_int_equal(attempt->response.len, strlen(text));
    assert_memory_equal(attempt->response.data, text, strlen(text));
}

/* The value of a header in the latest request. */
static const char *header(const struct fixture *f, const char *name, char out[VALUE_MAX])
{
    char line[64];

    snprintf(line, sizeof line, "\r\n%s: ", name);
    const char *at = strcasestr(buf_text(&f->receiver.last), line);
    assert_non_null(at);
    at += strlen(line);
    snprintf(out, VALUE_MAX, "%.*s", (int)strcspn(at, "\r"), at);
    return out;
}

static enum err verify(const struct fixture *f, const struct secret *secret)
{
    char id[VALUE_MAX], timestamp[VALUE_MAX], signature[VALUE_MAX];
    struct signer *signer = signer_new();
    struct signed_text text = {
        .id = header(f, "webhook-id", id),
        .at_s = strtoull(header(f, "webhook-timestamp", timestamp), NULL, 10),
        .body = PAYLOAD,
        .body_len = strlen(PAYLOAD),
    };
    enum err err =
        signer_verify(signer, secret, 1, &text, header(f, "webhook-signature", signature),
                      clock_now().wall_ms / 1000, SIGNATURE_TOLERANCE_S);

    signer_free(signer);
    return err;
}

static void a_delivery_arrives_signed_with_the_payloads_bytes(void **state)
{
    struct fixture *f = *state;
    struct endpoint *e = endpoint_at(f, "/hook");
    char value[VALUE_MAX], id[ID_TEXT_MAX];
    static const char headers[] = "{\"X-Custom\":\"yes\"}";

    keyring_seal(f->keyring, SEAL_HEADERS, &f->application, &e->base.id, headers,
                 strlen(headers), &e->sealed_headers);
    store_fixture_put(&f->store, &e->base);
    f->receiver.answer = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nthanks";
    send_message(f);
    struct attempt_record attempt = wait_for_attempt(f);

    assert_int_equal(attempt.status, ATTEMPT_SUCCESS);
    assert_int_equal(attempt.response_status, 200);
    assert_int_equal(attempt.number, 1);
    assert_int_equal(attempt.next_attempt_at_ms, 0);
    assert_response(&attempt, "thanks");
    attempt_record_fini(&attempt);

    const char *request = buf_text(&f->receiver.last);
    assert_int_equal(strncmp(request, "POST /hook HTTP/1.1\r\n", 21), 0);
    assert_string_equal(strstr(request, "\r\n\r\n") + 4, PAYLOAD);
    id_format(ID_MESSAGE, &f->message, id);
    assert_string_equal(header(f, "webhook-id", value), id);
    assert_string_equal(header(f, "content-type", value), "application/json");
    assert_string_equal(header(f, "user-agent", value), "posthaste/" POSTHASTE_VERSION);
    assert_string_equal(header(f, "x-custom", value), "yes");
    assert_int_equal(verify(f, &f->secret), ERR_OK);
}

static void a_refusal_is_recorded_with_its_next_attempt(void **state)
{
    struct fixture *f = *state;
    struct endpoint *e = endpoint_at(f, "/");

    store_fixture_put(&f->store, &e->base);
    f->receiver.answer = "HTTP/1.1 302 Found\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n";
    send_message(f);
    struct attempt_record attempt = wait_for_attempt(f);

    assert_int_equal(attempt.status, ATTEMPT_FAIL);
    assert_int_equal(attempt.response_status, 302);
    uint64_t delay_ms = attempt.next_attempt_at_ms - attempt.started_at_ms;
    assert_in_range(delay_ms, 2880000, 4320000 + TIMEOUT_MS);
    assert_int_equal(f->receiver.requests, 1);
    attempt_record_fini(&attempt);
}

static void an_edit_takes_effect_with_the_next_attempt(void **state)
{
    struct fixture *f = *state;
    struct endpoint *e = endpoint_at(f, "/old");
    struct endpoint *edited = endpoint_copy(e);
    struct secret old = f->secret;

    store_fixture_put(&f->store, &e->base);
    send_message(f);
    struct attempt_record attempt = wait_for_attempt(f);
    attempt_record_fini(&attempt);
    assert_non_null(strstr(buf_text(&f->receiver.last), "POST /old "));

    secret_generate(&f->secret);
    free(edited->url);
    bytes_fini(&edited->secrets[0].sealed);
    struct endpoint *shape = endpoint_at(f, "/new");
    edited->url = xstrdup(shape->url);
    object_unref(&shape->base);
    keyring_seal(f->keyring, SEAL_SECRET, &f->application, &edited->base.id, f->secret.bytes,
                 f->secret.len, &edited->secrets[0].sealed);
    edited->base.version++;
    store_fixture_put(&f->store, &edited->base);
    send_message(f);
    attempt = wait_for_attempt(f);
    attempt_record_fini(&attempt);
    assert_non_null(strstr(buf_text(&f->receiver.last), "POST /new "));
    assert_int_equal(verify(f, &f->secret), ERR_OK);
    assert_int_equal(verify(f, &old), ERR_DENIED);
}

static void the_url_is_the_one_for_this_region(void **state)
{
    struct fixture *f = *state;
    struct endpoint *e = endpoint_at(f, "/fra"), *other = endpoint_at(f, "/sin");

    dispatch_add_target(&e->dispatch, "sin", other->url);
    dispatch_add_target(&e->dispatch, "fra", e->url);
    free(e->url);
    e->url = xstrdup("http://127.0.0.1:1/");
    object_unref(&other->base);
    store_fixture_put(&f->store, &e->base);
    send_message(f);
    struct attempt_record attempt = wait_for_attempt(f);

    assert_int_equal(attempt.response_status, 204);
    assert_non_null(strstr(attempt.url, "/fra"));
    assert_non_null(strstr(buf_text(&f->receiver.last), "POST /fra "));
    attempt_record_fini(&attempt);
}

static void an_expired_secret_signs_no_more(void **state)
{
    struct fixture *f = *state;
    struct endpoint *e = endpoint_at(f, "/");
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
    send_message(f);
    struct attempt_record attempt = wait_for_attempt(f);
    attempt_record_fini(&attempt);

    assert_int_equal(verify(f, &f->secret), ERR_OK);
    assert_int_equal(verify(f, &rotated), ERR_OK);
    assert_int_equal(verify(f, &expired), ERR_DENIED);
}

static void what_cannot_be_sent_is_recorded_with_its_reason(void **state)
{
    struct fixture *f = *state;
    struct endpoint *e = endpoint_at(f, "/");

    e->secrets[0].sealed.data[20] ^= 1;
    store_fixture_put(&f->store, &e->base);
    send_message(f);
    struct attempt_record attempt = wait_for_attempt(f);

    assert_int_equal(attempt.status, ATTEMPT_FAIL);
    assert_int_equal(attempt.response_status, 0);
    assert_response(&attempt, "the endpoint's signing secret can't be read");
    assert_int_equal(f->receiver.requests, 0);
    attempt_record_fini(&attempt);
}

static void a_private_address_is_refused_with_its_reason(void **state)
{
    struct fixture *f = *state;
    struct endpoint *e = endpoint_at(f, "/");

    store_fixture_put(&f->store, &e->base);
    send_message(f);
    struct attempt_record attempt = wait_for_attempt(f);

    assert_int_equal(attempt.response_status, 0);
    assert_true(attempt.response.len > 0);
    assert_true(attempt.next_attempt_at_ms > 0);
    assert_int_equal(f->receiver.connections, 0);
    attempt_record_fini(&attempt);
}

static void closing_cancels_what_hangs_and_keeps_it_pending(void **state)
{
    struct fixture *f = *state;
    struct endpoint *e = endpoint_at(f, "/");
    struct store_status status = { 0 };

    f->receiver.reaction = REACT_NOTHING;
    store_fixture_put(&f->store, &e->base);
    send_message(f);
    while (f->receiver.requests == 0)
        uv_run(&f->store.loop.uv, UV_RUN_ONCE);
    close_dispatcher(f, 10);

    assert_int_equal(STORE_RUN(&f->store, store_status, &status), ERR_OK);
    assert_int_equal(status.pending, 1);
    assert_int_equal(status.attempts, 0);
}

#define DISPATCHER_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DISPATCHER_TEST(a_delivery_arrives_signed_with_the_payloads_bytes),
        DISPATCHER_TEST(a_refusal_is_recorded_with_its_next_attempt),
        DISPATCHER_TEST(an_edit_takes_effect_with_the_next_attempt),
        DISPATCHER_TEST(the_url_is_the_one_for_this_region),
        DISPATCHER_TEST(an_expired_secret_signs_no_more),
        DISPATCHER_TEST(what_cannot_be_sent_is_recorded_with_its_reason),
        cmocka_unit_test_setup_teardown(a_private_address_is_refused_with_its_reason,
                                        set_up_with_public_egress, tear_down),
        DISPATCHER_TEST(closing_cancels_what_hangs_and_keeps_it_pending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
