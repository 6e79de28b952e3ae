#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "region/forward_words.h"

#define BATCH_MAX ((size_t)4 << 20)

static const char HEAD[] = "{\"incarnation\":\"00ff\",\"floor\":3,\"last\":9}";

static struct id an_id(uint8_t first)
{
    return (struct id){ .bytes = { first, 2, 3 } };
}

static void a_request_is_read_as_it_was_written(void **state)
{
    char url[] = "https://h/in", line[] = "a: b";
    char *lines[] = { line };
    const struct request_words words = {
        .seq = 7,
        .attempt = an_id(1),
        .message = an_id(2),
        .endpoint = an_id(3),
        .application = an_id(4),
        .number = 2,
        .timeout_ms = 15000,
        .url = url,
        .headers = { .count = 1, .items = lines },
    };
    const struct bytes body = { .data = (uint8_t *)"\0\xff{", .len = 3 };
    struct buf batch = BUF_INIT(BATCH_MAX);
    struct request_words read;
    struct frame frame;

    (void)state;
    assert_int_equal(request_put(&batch, &words, &body), ERR_OK);
    struct frames frames = { .at = batch.bytes, .len = batch.len };
    assert_int_equal(frames_next(&frames, &frame), ERR_OK);
    assert_int_equal(request_read(&frame, &read), ERR_OK);
    assert_int_equal(read.seq, 7);
    assert_true(id_equal(&read.attempt, &words.attempt));
    assert_true(id_equal(&read.message, &words.message));
    assert_true(id_equal(&read.endpoint, &words.endpoint));
    assert_true(id_equal(&read.application, &words.application));
    assert_int_equal(read.number, 2);
    assert_int_equal(read.timeout_ms, 15000);
    assert_string_equal(read.url, url);
    assert_int_equal(read.headers.count, 1);
    assert_string_equal(read.headers.items[0], line);
    assert_int_equal(frame.body_len, 3);
    assert_memory_equal(frame.body, body.data, 3);
    assert_int_equal(frames_next(&frames, &frame), ERR_NOT_FOUND);
    request_words_fini(&read);
    buf_fini(&batch);
}

static void an_outcome_is_read_as_it_was_written(void **state)
{
    char url[] = "https://h/in";
    const struct outcome_words words = {
        .home = "ab12",
        .seq = 7,
        .attempt = an_id(1),
        .message = an_id(2),
        .endpoint = an_id(3),
        .application = an_id(4),
        .number = 2,
        .url = url,
        .started_at_ms = 1795489056747,
        .err = ERR_TIMEOUT,
        .reason = "no answer within 15 s",
        .retry_after_s = 5,
        .duration_ms = 15001,
        .times = { 1, 2, 3, { 4, 5 } },
    };
    struct buf batch = BUF_INIT(BATCH_MAX);
    struct outcome_words read;
    struct frame frame;

    (void)state;
    assert_int_equal(outcome_put(&batch, &words, NULL), ERR_OK);
    struct frames frames = { .at = batch.bytes, .len = batch.len };
    assert_int_equal(frames_next(&frames, &frame), ERR_OK);
    assert_int_equal(outcome_read(&frame, &read), ERR_OK);
    assert_string_equal(read.home, "ab12");
    assert_int_equal(read.seq, 7);
    assert_true(id_equal(&read.attempt, &words.attempt));
    assert_string_equal(read.url, url);
    assert_int_equal(read.started_at_ms, words.started_at_ms);
    assert_int_equal(read.err, ERR_TIMEOUT);
    assert_string_equal(read.reason, words.reason);
    assert_int_equal(read.retry_after_s, 5);
    assert_int_equal(read.duration_ms, 15001);
    assert_memory_equal(&read.times, &words.times, sizeof read.times);
    outcome_words_fini(&read);
    buf_fini(&batch);
}

static void an_acceptance_is_read_as_it_was_written(void **state)
{
    struct accept_words *words = xcalloc(2, sizeof *words);
    struct buf text = BUF_INIT(ACCEPT_LEN_MAX);

    (void)state;
    *words = (struct accept_words){ .incarnation = "ab",
                                    .rows = 10,
                                    .bytes = 1000,
                                    .refused_count = 1,
                                    .refused = { { 4, "no" } } };
    assert_int_equal(accept_write(words, &text), ERR_OK);
    assert_int_equal(accept_read(text.bytes, text.len, &words[1]), ERR_OK);
    assert_memory_equal(&words[0], &words[1], sizeof *words);
    buf_fini(&text);
    free(words);
}

static void what_is_no_batch_is_refused(void **state)
{
    static const char *const METAS[] = {
        "",
        "{}",
        "[]",
        "{\"incarnation\":\"\",\"floor\":3,\"last\":9}",
        "{\"incarnation\":\"xy\",\"floor\":3,\"last\":9}",
        "{\"incarnation\":\"000000000000000000000000000000000\",\"floor\":3,\"last\":9}",
        "{\"incarnation\":\"00\",\"floor\":-1,\"last\":9}",
        "{\"incarnation\":\"00\",\"floor\":1}",
    };
    struct batch_words words;
    struct frame frame = { .meta = HEAD, .meta_len = strlen(HEAD) };

    (void)state;
    assert_int_equal(batch_read(&frame, &words), ERR_OK);
    assert_string_equal(words.incarnation, "00ff");
    assert_int_equal(words.floor, 3);
    assert_int_equal(words.last, 9);
    for (size_t i = 0; i < COUNT(METAS); i++) {
        frame = (struct frame){ .meta = METAS[i], .meta_len = strlen(METAS[i]) };
        assert_int_equal(batch_read(&frame, &words), ERR_INVALID);
    }
}

static void a_frame_that_is_cut_is_none(void **state)
{
    const struct frame frame = {
        .meta = HEAD, .meta_len = strlen(HEAD), .body = "b", .body_len = 1
    };
    struct buf batch = BUF_INIT(BATCH_MAX);
    struct frame read;

    (void)state;
    assert_int_equal(frame_put(&batch, &frame), ERR_OK);
    for (size_t len = 1; len < batch.len; len++) {
        struct frames frames = { .at = batch.bytes, .len = len };
        assert_int_equal(frames_next(&frames, &read), ERR_INVALID);
    }
    batch.bytes[0] = 0xff; /* a length beyond all */
    struct frames frames = { .at = batch.bytes, .len = batch.len };
    assert_int_equal(frames_next(&frames, &read), ERR_INVALID);
    buf_fini(&batch);
}

static void what_doesnt_fit_leaves_the_batch_as_it_was(void **state)
{
    struct buf batch = BUF_INIT(strlen(HEAD) + 8);
    const struct frame frame = { .meta = HEAD, .meta_len = strlen(HEAD) };

    (void)state;
    assert_int_equal(frame_put(&batch, &frame), ERR_OK);
    assert_int_equal(frame_put(&batch, &frame), ERR_LIMIT);
    assert_int_equal(batch.len, strlen(HEAD) + 8);
    buf_fini(&batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_read_as_it_was_written),
        cmocka_unit_test(an_outcome_is_read_as_it_was_written),
        cmocka_unit_test(an_acceptance_is_read_as_it_was_written),
        cmocka_unit_test(what_is_no_batch_is_refused),
        cmocka_unit_test(a_frame_that_is_cut_is_none),
        cmocka_unit_test(what_doesnt_fit_leaves_the_batch_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
