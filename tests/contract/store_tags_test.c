/* What the store promises to whoever finds messages by their tags, and attempts with their messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "store/deliveries.h"
#include "store/page.h"
#include "tests/lib/store_fixture.h"

#define MESSAGES 4

/* Messages 0 … 3: tagged with nothing, "a", "a" and "b", "ab". Each failed once at the endpoint. */
struct world {
    struct store_fixture f;
    struct id application, endpoint;
    struct id messages[MESSAGES];
};

static const uint8_t KEY[IDEMPOTENCY_HASH_LEN] = { 7 };

static struct message *append(struct world *w, const char *first, const char *second,
                              const uint8_t *hash, const char *payload, size_t len)
{
    struct text_list tags = { 0 };
    struct store_append op = {
        .application = w->application,
        .event_type = "x",
        .tags = &tags,
        .payload = payload,
        .payload_len = len,
        .retention_hours = PAYLOAD_HOURS_MAX,
        .idempotency_hash = hash,
    };

    if (first)
        text_list_add(&tags, first, strlen(first));
    if (second)
        text_list_add(&tags, second, strlen(second));
    assert_int_equal(STORE_RUN(&w->f, store_append, &op), ERR_OK);
    text_list_fini(&tags);
    return op.message;
}

static void fail_once(struct world *w, const struct id *message)
{
    struct attempt_record a = {
        .message = *message,
        .endpoint = w->endpoint,
        .application = w->application,
        .number = 1,
        .status = ATTEMPT_FAIL,
    };

    store_fixture_record(&w->f, &a, DELIVERY_DEAD, 0);
}

static int start(void **state)
{
    static const char *const tags[MESSAGES][2] = {
        { NULL, NULL }, { "a", NULL }, { "a", "b" }, { "ab", NULL }
    };
    static struct world w;

    store_fixture_start(&w.f);
    w.application = store_fixture_put_application(&w.f, NULL);
    w.endpoint = store_fixture_put_endpoint(&w.f, &w.application);
    for (size_t i = 0; i < MESSAGES; i++) {
        struct message *m = append(&w, tags[i][0], tags[i][1], i == 2 ? KEY : NULL, "{}", 2);
        w.messages[i] = m->id;
        message_unref(m);
        fail_once(&w, &w.messages[i]);
    }
    *state = &w;
    return 0;
}

static int stop(void **state)
{
    struct world *w = *state;

    store_fixture_stop(&w->f);
    return 0;
}

/* A tag, and what of the four has it, newest first. */
static const struct {
    const char *tag, *expected;
} ROWS[] = { { NULL, "3210" }, { "a", "21" }, { "b", "2" }, { "ab", "3" }, { "c", "" } };

static void messages_are_found_by_a_tag(void **state)
{
    static const size_t TAGS[MESSAGES] = { 0, 1, 2, 1 };
    struct world *w = *state;

    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct store_list_messages op = {
            .application = w->application,
            .filter.tag = ROWS[i].tag,
            .page.limit = 10,
        };
        assert_int_equal(STORE_RUN(&w->f, store_list_messages, &op), ERR_OK);
        assert_int_equal(op.count, strlen(ROWS[i].expected));
        for (size_t m = 0; m < op.count; m++) {
            int which = ROWS[i].expected[m] - '0';
            assert_true(id_equal(&op.messages[m]->id, &w->messages[which]));
            assert_int_equal(op.messages[m]->tags.count, TAGS[which]);
            message_unref(op.messages[m]);
        }
        free(op.messages);
    }
}

static void what_was_tried_and_attempts_are_found_likewise(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct store_list_tried tried = {
            .application = w->application,
            .endpoint = w->endpoint,
            .filter.tag = ROWS[i].tag,
            .page.limit = 10,
        };
        struct store_list_attempts attempts = {
            .application = w->application,
            .by_endpoint = true,
            .endpoint = w->endpoint,
            .filter.message.tag = ROWS[i].tag,
            .page.limit = 10,
        };
        assert_int_equal(STORE_RUN(&w->f, store_list_tried, &tried), ERR_OK);
        assert_int_equal(STORE_RUN(&w->f, store_list_attempts, &attempts), ERR_OK);
        assert_int_equal(tried.count, strlen(ROWS[i].expected));
        assert_int_equal(attempts.count, strlen(ROWS[i].expected));
        assert_null(attempts.messages);
        for (size_t m = 0; m < tried.count; m++) {
            const struct id *want = &w->messages[ROWS[i].expected[m] - '0'];
            assert_true(id_equal(&tried.tried[m].message->id, want));
            assert_true(id_equal(&attempts.attempts[m].message, want));
            message_unref(tried.tried[m].message);
            attempt_record_fini(&attempts.attempts[m]);
        }
        free(tried.tried);
        free(attempts.attempts);
    }
}

static void a_message_keeps_its_tags_for_who_reads_or_repeats_it(void **state)
{
    struct world *w = *state;
    struct message *again = append(w, "other", NULL, KEY, "{}", 2);
    struct store_get_message get = { .application = w->application, .id = w->messages[2] };

    assert_true(id_equal(&again->id, &w->messages[2]));
    assert_true(text_list_has(&again->tags, "b"));
    message_unref(again);
    assert_int_equal(STORE_RUN(&w->f, store_get_message, &get), ERR_OK);
    assert_int_equal(get.message->tags.count, 2);
    assert_string_equal(get.message->tags.items[0], "a");
    assert_string_equal(get.message->tags.items[1], "b");
    message_unref(get.message);
}

static void attempts_bring_their_messages_along(void **state)
{
    struct world *w = *state;

    for (int before = 0; before < 2; before++) {
        struct store_list_attempts op = {
            .application = w->application,
            .by_endpoint = true,
            .endpoint = w->endpoint,
            .with_messages = true,
            .with_content = before,
            .page = { .limit = 10, .before = before, .has_cursor = before },
        };
        assert_int_equal(STORE_RUN(&w->f, store_list_attempts, &op), ERR_OK);
        assert_int_equal(op.count, MESSAGES);
        for (size_t i = 0; i < op.count; i++) {
            assert_true(id_equal(&op.messages[i]->id, &op.attempts[i].message));
            assert_int_equal(op.messages[i]->payload.len, before ? 2 : 0);
            message_unref(op.messages[i]);
            attempt_record_fini(&op.attempts[i]);
        }
        free(op.messages);
        free(op.attempts);
    }
}

/* Payloads are bounded in a page, whoever brings them. */
static void a_page_of_attempts_holds_no_more_than_one_of_messages(void **state)
{
    struct world *w = *state;
    const size_t mebibyte = 1024 * 1024, count = PAGE_BYTES_MAX / mebibyte + 3;
    char *payload = xcalloc(mebibyte, 1);
    struct store_list_attempts op = {
        .application = w->application,
        .by_endpoint = true,
        .endpoint = w->endpoint,
        .with_messages = true,
        .with_content = true,
        .page.limit = PAGE_LIMIT_MAX,
    };

    for (size_t i = 0; i < count; i++) {
        struct message *m = append(w, NULL, NULL, NULL, payload, mebibyte);
        fail_once(w, &m->id);
        message_unref(m);
    }
    assert_int_equal(STORE_RUN(&w->f, store_list_attempts, &op), ERR_OK);
    assert_int_equal(op.count, PAGE_BYTES_MAX / mebibyte + 1);
    assert_true(op.more);
    for (size_t i = 0; i < op.count; i++) {
        message_unref(op.messages[i]);
        attempt_record_fini(&op.attempts[i]);
    }
    free(op.messages);
    free(op.attempts);
    free(payload);
}

static int run(const char *backend)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(messages_are_found_by_a_tag),
        TEST(what_was_tried_and_attempts_are_found_likewise),
        TEST(a_message_keeps_its_tags_for_who_reads_or_repeats_it),
        TEST(attempts_bring_their_messages_along),
        TEST(a_page_of_attempts_holds_no_more_than_one_of_messages),
    };

    return cmocka_run_group_tests_name(backend, tests, NULL, NULL);
}

int main(void)
{
    return store_fixture_each_backend(run);
}
