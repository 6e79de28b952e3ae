/* What the store promises of what is too old. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "tests/lib/capture.h"
#include "tests/lib/faulty_disk.h"
#include "tests/lib/store_files.h"

#define HOUR_MS (UINT64_C(60) * 60 * 1000)
#define DAY_MS  (24 * HOUR_MS)
#define KEPT_MS (30 * DAY_MS) /* messages and attempts, unless a test says otherwise */

#define SECRET  "what-nobody-may-read"
#define PAYLOAD "payload-" SECRET

struct world {
    struct store_fixture f;
    struct id application, endpoint;
};

static int start(void **state)
{
    static struct world w;

    faulty_disk_set(DISK_WORKS, 0);
    w.f.retention = (struct retention){ KEPT_MS, KEPT_MS };
    store_fixture_start(&w.f);
    w.application = store_fixture_put_application(&w.f, NULL);
    w.endpoint = store_fixture_put_endpoint(&w.f, &w.application);
    *state = &w;
    return 0;
}

static int stop(void **state)
{
    struct world *w = *state;

    faulty_disk_set(DISK_WORKS, 0);
    store_fixture_stop(&w->f);
    return 0;
}

/* Its payload, of so many bytes, and its tag are the secret. */
static struct id append_secret(struct world *w, uint32_t hours, size_t len)
{
    struct text_list tags = { 0 };
    char *payload = xcalloc(len + sizeof PAYLOAD, 1);
    struct store_append op = {
        .application = w->application,
        .event_type = "a",
        .tags = &tags,
        .payload = payload,
        .payload_len = len,
        .retention_hours = hours,
    };

    for (size_t at = 0; at < len; at += sizeof PAYLOAD - 1)
        memcpy(payload + at, PAYLOAD, sizeof PAYLOAD - 1);
    text_list_add(&tags, "tag-" SECRET, strlen("tag-" SECRET));
    assert_int_equal(STORE_RUN(&w->f, store_append, &op), ERR_OK);
    text_list_fini(&tags);
    free(payload);
    struct id id = op.message->id;
    message_unref(op.message);
    return id;
}

static struct id append(struct world *w)
{
    return store_fixture_append(&w->f, &w->application, "a", "{}");
}

static struct id record(struct world *w, const struct id *message, enum delivery_state next)
{
    struct attempt_record a = {
        .message = *message,
        .endpoint = w->endpoint,
        .application = w->application,
        .number = 1,
        .status = next == DELIVERY_DELIVERED ? ATTEMPT_SUCCESS : ATTEMPT_FAIL,
        .response_status = 500,
        .response = { (uint8_t *)(uintptr_t) "re-" SECRET, strlen("re-" SECRET) },
        .way = { .region = 3 },
    };

    return store_fixture_record(&w->f, &a, next, store_fixture_ms() + HOUR_MS);
}

static struct store_status status_of(struct world *w)
{
    struct store_status op = { .pending = 0 };

    assert_int_equal(STORE_RUN(&w->f, store_status, &op), ERR_OK);
    return op;
}

/* Until nothing is too old. */
static struct store_status settle(struct world *w)
{
    struct store_status status = status_of(w);

    while (status.retention.next_at_ms != 0 &&
           status.retention.next_at_ms <= store_fixture_ms()) {
        uv_run(&w->f.loop.uv, UV_RUN_ONCE);
        status = status_of(w);
    }
    return status;
}

/* A start looks at once; a region that runs comes to it within the hour. */
static struct store_status settle_at(struct world *w, uint64_t wall_ms)
{
    store_fixture_close(&w->f);
    store_fixture_set_ms(wall_ms);
    store_fixture_open(&w->f);
    return settle(w);
}

static bool is_there(struct world *w, const struct id *message, size_t *out_len)
{
    struct store_get_message get = {
        .application = w->application,
        .id = *message,
        .with_content = true,
    };
    enum err err = STORE_RUN(&w->f, store_get_message, &get);

    if (err) {
        assert_int_equal(err, ERR_NOT_FOUND);
        return false;
    }
    *out_len = get.message->payload.len;
    message_unref(get.message);
    return true;
}

static void a_payload_goes_at_its_time_and_its_message_stays(void **state)
{
    static const size_t sizes[] = { 100, 4000, 8192, 300000 };
    struct world *w = *state;
    struct id messages[COUNT(sizes)], longer = append_secret(w, 48, 10);
    size_t len;

    for (size_t i = 0; i < COUNT(sizes); i++)
        messages[i] = append_secret(w, 24, sizes[i]);
    uint64_t began_ms = store_fixture_ms();
    struct store_status status = settle_at(w, began_ms + 24 * HOUR_MS - 1);
    assert_int_equal(status.retention.payloads, 0);
    assert_int_equal(status.retention.next_at_ms, began_ms + 24 * HOUR_MS);
    assert_true(store_files_count(&w->f, PAYLOAD) > 0);

    status = settle_at(w, began_ms + 24 * HOUR_MS);
    assert_int_equal(status.retention.payloads, COUNT(sizes));
    assert_int_equal(status.retention.next_at_ms, began_ms + 48 * HOUR_MS);
    assert_int_equal(status.messages, COUNT(sizes) + 1);
    assert_int_equal(status.pending, 1);
    assert_int_equal(store_files_count(&w->f, PAYLOAD), 0);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        assert_true(is_there(w, &messages[i], &len));
        assert_int_equal(len, 0);
    }
    assert_true(is_there(w, &longer, &len));
    assert_int_equal(len, 10);
}

static void what_is_pending_of_it_ends(void **state)
{
    struct world *w = *state;
    struct id gone = append_secret(w, 1, 100), kept = append(w);
    struct store_due due = {
        .endpoint_key = id_key(&w->endpoint),
        .limit = 10,
        .bytes_limit = 1000,
    };
    struct store_resend resend = {
        .application = w->application,
        .message = gone,
        .endpoint = w->endpoint,
    };

    struct store_status status = settle_at(w, store_fixture_ms() + HOUR_MS);
    assert_int_equal(status.pending, 1);
    due.now_wall_ms = store_fixture_ms();
    assert_int_equal(STORE_RUN(&w->f, store_due, &due), ERR_OK);
    assert_int_equal(due.count, 1);
    assert_true(id_equal(&due.deliveries[0].message->id, &kept));
    message_unref(due.deliveries[0].message);
    free(due.deliveries);
    assert_int_equal(STORE_RUN(&w->f, store_resend, &resend), ERR_UNAVAILABLE);
    record(w, &gone, DELIVERY_PENDING); /* the attempt that was under way */
    assert_int_equal(status_of(w).pending, 1);
}

static void the_longest_payloads_go_where_messages_stay_longer(void **state)
{
    static const uint64_t longer_ms[] = { 0, 200 * DAY_MS };
    struct world *w = *state;
    size_t len;

    for (size_t i = 0; i < COUNT(longer_ms); i++) {
        w->f.retention.messages_ms = longer_ms[i];
        struct id old = append_secret(w, PAYLOAD_HOURS_MAX, 500);
        store_fixture_set_ms(store_fixture_ms() + DAY_MS);
        struct id young = append_secret(w, PAYLOAD_HOURS_MAX, 500);

        struct store_status status = settle_at(w, store_fixture_ms() + 89 * DAY_MS + 10);
        assert_int_equal(status.retention.payloads, 2 * i + 1);
        assert_true(is_there(w, &old, &len));
        assert_int_equal(len, 0);
        assert_true(is_there(w, &young, &len));
        assert_int_equal(len, 500);
        status = settle_at(w, store_fixture_ms() + DAY_MS);
        assert_int_equal(status.retention.payloads, 2 * i + 2);
        assert_int_equal(status.retention.messages, 0);
    }
}

static void a_message_takes_all_of_its_own_along(void **state)
{
    static const char *const TABLES[] = {
        "messages", "message_tags", "deliveries", "attempts", "attempt_ways", "expiring",
    };
    struct world *w = *state;
    struct id delivered = append_secret(w, 100 * 24 / 5, 2000);
    struct id failing = append_secret(w, PAYLOAD_HOURS_MAX, 300000);

    append_secret(w, 1, 100);
    record(w, &delivered, DELIVERY_DELIVERED);
    record(w, &failing, DELIVERY_PENDING);
    store_fixture_set_ms(store_fixture_ms() + 20 * DAY_MS);
    record(w, &failing, DELIVERY_PENDING);
    struct store_status status = settle_at(w, store_fixture_ms() + 10 * DAY_MS + 10);
    assert_int_equal(status.retention.messages, 3);
    assert_int_equal(status.retention.attempts, 3);
    assert_int_equal(status.messages, 0);
    assert_int_equal(status.attempts, 0);
    assert_int_equal(status.pending, 0);
    assert_int_equal(status.retention.oldest_message_at_ms, 0);
    for (size_t i = 0; i < COUNT(TABLES); i++)
        assert_int_equal(store_files_rows(&w->f, TABLES[i]), 0);
    assert_int_equal(store_files_count(&w->f, SECRET), 0);
}

static void an_attempt_goes_before_its_message(void **state)
{
    struct world *w = *state;
    struct id message = append(w);
    size_t len;

    w->f.retention = (struct retention){ KEPT_MS, DAY_MS };
    struct id attempt = record(w, &message, DELIVERY_DELIVERED);
    struct store_get_attempt get = {
        .application = w->application,
        .message = message,
        .id = attempt,
    };
    struct store_status status = settle_at(w, store_fixture_ms() + DAY_MS + 10);
    assert_int_equal(status.attempts, 0);
    assert_int_equal(store_files_rows(&w->f, "attempt_ways"), 0);
    assert_int_equal(STORE_RUN(&w->f, store_get_attempt, &get), ERR_NOT_FOUND);
    assert_true(is_there(w, &message, &len));
    assert_int_equal(len, 2);
    assert_int_equal(store_files_count(&w->f, SECRET), 0);
}

static void an_attempt_that_ends_when_its_message_is_gone_is_not_kept(void **state)
{
    static const enum delivery_state ends[] = { DELIVERY_PENDING, DELIVERY_DELIVERED,
                                                DELIVERY_DEAD };
    struct world *w = *state;
    struct id message = append(w);

    settle_at(w, store_fixture_ms() + KEPT_MS + 10);
    for (size_t i = 0; i < COUNT(ends); i++)
        record(w, &message, ends[i]);
    struct store_status status = status_of(w);
    assert_int_equal(status.pending, 0);
    assert_int_equal(status.attempts, 0);
    assert_int_equal(store_files_rows(&w->f, "attempts"), 0);
    assert_int_equal(store_files_rows(&w->f, "attempt_ways"), 0);
}

static void nothing_goes_that_is_kept_for_ever(void **state)
{
    struct world *w = *state;
    struct id message = append(w);

    w->f.retention = (struct retention){ 0, 0 };
    record(w, &message, DELIVERY_DELIVERED);
    struct store_status status = settle_at(w, store_fixture_ms() + 4000 * DAY_MS);
    assert_int_equal(status.messages, 1);
    assert_int_equal(status.attempts, 1);
    assert_int_equal(status.retention.payloads, 1);
    assert_int_equal(status.retention.next_at_ms, 0);
}

/* A backlog: more than a bite of each kind. */
#define OLD      1500
#define YOUNG    300
#define FAN_OUT  600
#define SMALL_MS 4

static struct id append_old(struct world *w, unsigned count)
{
    struct id last = { { 0 } };

    for (unsigned i = 0; i < count; i++) {
        last = append_secret(w, PAYLOAD_HOURS_MAX, i % 50 == 0 ? 20000 : 1000);
        record(w, &last, i % 3 == 0 ? DELIVERY_PENDING : DELIVERY_DELIVERED);
        store_fixture_set_ms(store_fixture_ms() + SMALL_MS);
    }
    return last;
}

static void a_backlog_goes_and_the_rest_is_untouched(void **state)
{
    struct world *w = *state;
    struct id young[YOUNG];
    size_t len;

    append_old(w, OLD);
    uint64_t old_ms = store_fixture_ms();
    store_fixture_set_ms(old_ms + DAY_MS);
    for (unsigned i = 0; i < YOUNG; i++) {
        young[i] = append(w);
        store_fixture_set_ms(store_fixture_ms() + SMALL_MS);
    }
    assert_true(store_files_count(&w->f, SECRET) > 3 * OLD);
    struct store_status status = settle_at(w, old_ms + KEPT_MS);
    assert_int_equal(status.retention.messages, OLD);
    assert_int_equal(status.retention.attempts, OLD);
    assert_int_equal(status.messages, YOUNG);
    assert_int_equal(status.attempts, 0);
    assert_int_equal(status.pending, YOUNG);
    assert_int_equal(store_files_rows(&w->f, "messages"), YOUNG);
    assert_int_equal(store_files_rows(&w->f, "deliveries"), YOUNG);
    for (unsigned i = 0; i < YOUNG; i++) {
        assert_true(is_there(w, &young[i], &len));
        assert_int_equal(len, 2);
    }
    assert_int_equal(store_files_count(&w->f, SECRET), 0);
}

static void what_went_is_logged_once_a_round(void **state)
{
    struct world *w = *state;
    struct capture log;
    char lines[4096], wanted[128];

    append_old(w, OLD);
    uint64_t old_ms = store_fixture_ms();
    capture_begin(&log);
    settle_at(w, old_ms + KEPT_MS);
    settle_at(w, old_ms + KEPT_MS + HOUR_MS);
    capture_end(&log, lines, sizeof lines);
    snprintf(wanted, sizeof wanted, "retention_removed payloads=0 attempts=%d messages=%d", OLD,
             OLD);
    assert_non_null(strstr(lines, wanted));
    assert_int_equal(capture_count(lines, "retention_removed"), 1);
}

static void a_message_may_be_more_than_a_bite(void **state)
{
    struct world *w = *state;

    for (unsigned i = 1; i < FAN_OUT; i++)
        store_fixture_put_endpoint(&w->f, &w->application);
    struct id message = append(w);
    for (unsigned i = 0; i < FAN_OUT; i++)
        record(w, &message, DELIVERY_PENDING);
    w->f.retention.attempts_ms = 0;
    struct store_status status = settle_at(w, store_fixture_ms() + KEPT_MS + 10);
    assert_int_equal(status.pending, 0);
    assert_int_equal(status.attempts, 0);
    assert_int_equal(store_files_rows(&w->f, "deliveries"), 0);
    assert_int_equal(store_files_rows(&w->f, "messages"), 0);
}

/* One page after another, while the older half goes between the first and the second. */
static void a_list_goes_on_while_rows_go(void **state)
{
    enum { PAGE = 50, ALL = 600, GONE = 400 };
    static const bool orders[] = { false, true };
    struct world *w = *state;

    for (size_t order = 0; order < COUNT(orders); order++) {
        struct id messages[ALL];
        unsigned seen[ALL] = { 0 };
        uint64_t half_ms = 0;
        for (unsigned i = 0; i < ALL; i++) {
            messages[i] = append(w);
            store_fixture_set_ms(store_fixture_ms() + SMALL_MS);
            if (i + 1 == GONE)
                half_ms = store_fixture_ms();
        }
        struct store_list_messages op = { .application = w->application };
        op.page = (struct page){ .limit = PAGE, .ascending = orders[order] };
        do {
            assert_int_equal(STORE_RUN(&w->f, store_list_messages, &op), ERR_OK);
            for (size_t i = 0; i < op.count; i++) {
                for (unsigned n = 0; n < ALL; n++)
                    seen[n] += id_equal(&op.messages[i]->id, &messages[n]);
                message_unref(op.messages[i]);
            }
            free(op.messages);
            if (!op.page.has_cursor)
                settle_at(w, half_ms + KEPT_MS);
            op.page.has_cursor = true;
            op.page.cursor = op.span.last;
        } while (op.more);
        for (unsigned n = 0; n < ALL; n++)
            assert_int_equal(seen[n], n >= GONE || (orders[order] && n < PAGE));
        settle_at(w, store_fixture_ms() + 2 * KEPT_MS);
    }
}

static void it_rests_while_nothing_is_too_old(void **state)
{
    struct world *w = *state;

    append(w);
    settle_at(w, store_fixture_ms() + KEPT_MS - HOUR_MS / 2);
    int timeout_ms = uv_backend_timeout(&w->f.loop.uv);
    assert_in_range(timeout_ms, HOUR_MS / 2 - 1000, HOUR_MS / 2 + 1000);
    settle_at(w, store_fixture_ms() + HOUR_MS);
    while (uv_backend_timeout(&w->f.loop.uv) < 1000)
        uv_run(&w->f.loop.uv, UV_RUN_ONCE);
    assert_in_range(uv_backend_timeout(&w->f.loop.uv), 1000, HOUR_MS + 1000);
}

/* Killed before one write after another. */

#define KILLS_MAX  400
#define KILL_OLD   40
#define KILL_YOUNG 10

static int prune_until_killed(struct world *w, unsigned writes)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        faulty_disk_set(DISK_WRITE_KILLS, writes);
        store_fixture_open(&w->f);
        settle(w);
        store_fixture_close(&w->f);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void fill(struct world *w)
{
    start((void **)&w);
    append_old(w, KILL_OLD);
    store_fixture_set_ms(store_fixture_ms() + DAY_MS);
    for (unsigned i = 0; i < KILL_YOUNG; i++)
        append(w);
    store_fixture_close(&w->f);
    store_fixture_set_ms(store_fixture_ms() + KEPT_MS - HOUR_MS);
}

/* The totals are those of the rows, and no row is without its message. */
static void assert_whole(struct world *w, const struct store_status *status)
{
    assert_int_equal(status->messages, store_files_rows(&w->f, "messages"));
    assert_int_equal(status->attempts, store_files_rows(&w->f, "attempts"));
    assert_int_equal(status->pending, store_files_rows(&w->f, "deliveries WHERE state = 0"));
    assert_int_equal(status->messages + status->retention.messages, KILL_OLD + KILL_YOUNG);
    assert_int_equal(status->attempts + status->retention.attempts, KILL_OLD);
    assert_int_equal(
        store_files_rows(&w->f,
                         "deliveries WHERE message_key NOT IN (SELECT key FROM messages)"),
        0);
    assert_int_equal(
        store_files_rows(&w->f, "message_tags WHERE key NOT IN (SELECT key FROM messages)"), 0);
    store_files_assert_listed(&w->f);
}

static void what_is_killed_goes_on_behind_its_last_bite(void **state)
{
    struct world *w = *state;
    unsigned kills = 0, halfway = 0;
    int status = DISK_KILLED;

    for (; status == DISK_KILLED && kills < KILLS_MAX; kills++) {
        stop((void **)&w);
        fill(w);
        status = prune_until_killed(w, kills);
        w->f.retention = (struct retention){ 0, 0 };
        store_fixture_open(&w->f);
        struct store_status found = status_of(w);
        assert_whole(w, &found);
        halfway += found.messages > KILL_YOUNG && found.messages < KILL_OLD + KILL_YOUNG;
        store_fixture_close(&w->f);
        w->f.retention = (struct retention){ KEPT_MS, KEPT_MS };
        store_fixture_open(&w->f);
        found = settle(w);
        assert_int_equal(found.messages, KILL_YOUNG);
        assert_whole(w, &found);
        assert_int_equal(store_files_count(&w->f, SECRET), 0);
    }
    assert_int_equal(status, 0);
    assert_true(kills > 5 && halfway > 0);
}

static int run(const char *backend)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_payload_goes_at_its_time_and_its_message_stays),
        TEST(what_is_pending_of_it_ends),
        TEST(the_longest_payloads_go_where_messages_stay_longer),
        TEST(a_message_takes_all_of_its_own_along),
        TEST(an_attempt_goes_before_its_message),
        TEST(an_attempt_that_ends_when_its_message_is_gone_is_not_kept),
        TEST(nothing_goes_that_is_kept_for_ever),
        TEST(a_backlog_goes_and_the_rest_is_untouched),
        TEST(what_went_is_logged_once_a_round),
        TEST(a_message_may_be_more_than_a_bite),
        TEST(a_list_goes_on_while_rows_go),
        TEST(it_rests_while_nothing_is_too_old),
        TEST(what_is_killed_goes_on_behind_its_last_bite),
    };

    return cmocka_run_group_tests_name(backend, tests, NULL, NULL);
}

int main(void)
{
    faulty_disk_install();
    return store_fixture_each_backend(run);
}
