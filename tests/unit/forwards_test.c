/* iad has fra make attempts, over real TLS; the receiver is on fra's loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "dispatcher/forward.h"
#include "region/probes.h"
#include "tests/lib/client.h"
#include "tests/lib/linked.h"
#include "tests/lib/receiver.h"

#define PAYLOAD    "{\"a\": 1.10}"
#define TIMEOUT_MS 5000

struct world {
    struct linked *regions;
    struct receiver receiver;
    struct forwarder *forwarder; /* iad's */
    struct id application, endpoint, message;
    char url[64];
};

/* One that the test waits for. */
struct wish {
    struct forward forward;
    struct attempt_record attempt;
    struct bytes body;
    bool done;
};

static int set_up(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);
    struct secret secret;

    linked_start((void **)&w->regions);
    receiver_open(&w->receiver, &w->regions->sites[FRA].f->loop.uv);
    w->receiver.answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    w->forwarder = link_forwarder(w->regions->sites[IAD].link);
    secret_generate(&secret);
    w->application = linked_application(w->regions, "eu");
    w->endpoint = linked_endpoint(w->regions, &w->application, &secret);
    snprintf(w->url, sizeof w->url, "http://127.0.0.1:%u/in", w->receiver.port);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    receiver_close(&w->receiver);
    linked_stop((void **)&w->regions);
    free(w);
    return 0;
}

/* Until iad hears fra, and has what fra wrote. */
static void meet(struct world *w)
{
    while (linked_seen_by(w->regions, IAD, "fra") != REGION_ALIVE ||
           !catalog_endpoint_by_key(w->regions->sites[IAD].f->catalog, id_key(&w->endpoint)))
        linked_turn(w->regions);
}

static void on_done(struct forward *forward)
{
    struct wish *wish = container_of(forward, struct wish, forward);

    wish->done = true;
}

static void begin(struct world *w, struct wish *wish)
{
    static const char ID[] = "webhook-id: msg_1";
    struct store_fixture *iad = w->regions->sites[IAD].f;

    *wish = (struct wish){
        .attempt = { .id = id_new(&iad->ids, store_fixture_ms()),
                     .message = id_is_zero(&w->message) ? id_new(&iad->ids, store_fixture_ms())
                                                        : w->message,
                     .endpoint = w->endpoint,
                     .application = w->application,
                     .number = 1,
                     .url = w->url,
                     .way.region = w->regions->sites[FRA].f->ordinal },
        .body = { .data = (uint8_t *)(uintptr_t)PAYLOAD, .len = strlen(PAYLOAD) },
    };
    wish->forward = (struct forward){ .attempt = &wish->attempt,
                                      .body = &wish->body,
                                      .timeout_ms = TIMEOUT_MS,
                                      .reply_to = &iad->inbox,
                                      .done = on_done };
    text_list_add(&wish->forward.headers, ID, strlen(ID));
    w->forwarder->send(w->forwarder, &wish->forward);
}

static enum forward_fate end(struct world *w, struct wish *wish)
{
    while (!wish->done)
        linked_turn(w->regions);
    text_list_fini(&wish->forward.headers);
    return wish->forward.fate;
}

static void a_peer_makes_the_attempt_and_tells_what_came_of_it(void **state)
{
    struct world *w = *state;
    struct wish wish;

    meet(w);
    begin(w, &wish);
    assert_int_equal(end(w, &wish), FORWARD_ANSWERED);
    assert_int_equal(wish.forward.err, ERR_OK);
    assert_int_equal(wish.forward.status, 200);
    assert_int_equal(wish.forward.response.len, 5);
    assert_memory_equal(wish.forward.response.data, "hello", 5);
    assert_int_not_equal(wish.forward.times.first_byte_us, 0);
    assert_non_null(strstr(buf_text(&w->receiver.last), "POST /in "));
    assert_non_null(strstr(buf_text(&w->receiver.last), "webhook-id: msg_1\r\n"));
    assert_non_null(strstr(buf_text(&w->receiver.last), "\r\n\r\n" PAYLOAD));
    bytes_fini(&wish.forward.response);
}

static void many_go_out_in_batches_and_each_is_answered_once(void **state)
{
    enum { MANY = 64 };
    struct world *w = *state;
    struct wish *wishes = xcalloc(MANY, sizeof *wishes);

    meet(w);
    for (size_t i = 0; i < MANY; i++)
        begin(w, &wishes[i]);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(end(w, &wishes[i]), FORWARD_ANSWERED);
        bytes_fini(&wishes[i].forward.response);
    }
    assert_int_equal(w->receiver.requests, MANY);
    free(wishes);
}

static void what_comes_of_no_answer_is_told_too(void **state)
{
    struct world *w = *state;
    struct wish wish;

    meet(w);
    snprintf(w->url, sizeof w->url, "http://127.0.0.1:%u/in", unused_port());
    begin(w, &wish);
    assert_int_equal(end(w, &wish), FORWARD_ANSWERED);
    assert_int_equal(wish.forward.err, ERR_UNAVAILABLE);
    assert_true(wish.forward.reason[0] != '\0');
}

static void who_is_not_heard_is_given_nothing(void **state)
{
    struct world *w = *state;
    struct wish wish;

    begin(w, &wish);
    assert_int_equal(end(w, &wish), FORWARD_REFUSED);
    wish.attempt.way.region = 99;
    assert_int_equal(w->receiver.requests, 0);
}

static void what_the_law_forbids_is_refused_by_the_peer(void **state)
{
    struct world *w = *state;
    struct wish wish;

    meet(w);
    w->application = linked_application(w->regions, "fr");
    begin(w, &wish);
    assert_int_equal(end(w, &wish), FORWARD_REFUSED);
    w->application = id_new(&w->regions->sites[IAD].f->ids, store_fixture_ms());
    begin(w, &wish);
    assert_int_equal(end(w, &wish), FORWARD_REFUSED);
    assert_int_equal(w->receiver.requests, 0);
}

static void what_cannot_be_sent_is_refused_by_the_peer(void **state)
{
    struct world *w = *state;
    struct wish wish;

    meet(w);
    snprintf(w->url, sizeof w->url, "ftp://127.0.0.1/");
    begin(w, &wish);
    assert_int_equal(end(w, &wish), FORWARD_REFUSED);
}

static void a_region_that_drains_takes_nothing(void **state)
{
    struct world *w = *state;
    struct store_fixture *fra = w->regions->sites[FRA].f;
    struct store_drain drain = { .ordinal = fra->ordinal, .draining = true };
    struct wish wish;

    meet(w);
    assert_int_equal(STORE_RUN(fra, store_drain, &drain), ERR_OK);
    begin(w, &wish);
    assert_int_equal(end(w, &wish), FORWARD_REFUSED);
}

/* The peer's new process knows nothing of it. */
static void what_a_peer_had_when_it_died_is_lost(void **state)
{
    struct world *w = *state;
    struct link_site *fra = &w->regions->sites[FRA];
    uint16_t port = link_port(fra->link);
    struct wish wish;

    meet(w);
    w->receiver.reaction = REACT_NOTHING;
    begin(w, &wish);
    while (w->receiver.requests == 0)
        linked_turn(w->regions);
    link_site_close(fra);
    link_site_reopen(fra, "127.0.0.1", (struct link_options){ .port = port });
    assert_int_equal(end(w, &wish), FORWARD_LOST);
}

static void on_link_closed(void *ctx)
{
    *(bool *)ctx = true;
}

static void a_region_that_is_stopped_finishes_what_it_has_and_takes_no_more(void **state)
{
    struct world *w = *state;
    struct link_site *fra = &w->regions->sites[FRA];
    bool closed = false;
    struct wish wish, late;

    meet(w);
    w->receiver.reaction = REACT_NOTHING;
    begin(w, &wish);
    while (w->receiver.requests == 0)
        linked_turn(w->regions);
    link_close(fra->link, TIMEOUT_MS, on_link_closed, &closed);
    begin(w, &late);
    assert_int_equal(end(w, &late), FORWARD_REFUSED);
    assert_false(closed);
    receiver_hang_up(&w->receiver);
    assert_int_equal(end(w, &wish), FORWARD_ANSWERED);
    assert_int_equal(wish.forward.err, ERR_UNAVAILABLE);
    while (!closed)
        linked_turn(w->regions);
    fra->link = NULL;
}

static size_t attempts_at(struct world *w, struct attempt_record *out)
{
    struct store_list_attempts op = { .application = w->application,
                                      .by_message = true,
                                      .message = w->message,
                                      .page.limit = 2 };

    assert_int_equal(STORE_RUN(w->regions->sites[IAD].f, store_list_attempts, &op), ERR_OK);
    assert_true(op.count < 2);
    if (op.count > 0)
        *out = op.attempts[0];
    free(op.attempts);
    return op.count;
}

static void an_outcome_that_comes_too_late_is_recorded(void **state)
{
    struct world *w = *state;
    struct store_fixture *iad = w->regions->sites[IAD].f;
    struct store_status *status = xcalloc(1, sizeof *status);
    struct attempt_record attempt;
    struct wish wish;

    meet(w);
    w->message = store_fixture_append(iad, &w->application, "a", PAYLOAD);
    w->receiver.reaction = REACT_NOTHING;
    begin(w, &wish);
    while (w->receiver.requests == 0)
        linked_turn(w->regions);
    w->forwarder->cancel(w->forwarder, &wish.forward);
    assert_int_equal(end(w, &wish), FORWARD_LOST);
    w->receiver.reaction = REACT_ANSWER;
    receiver_hang_up(&w->receiver); /* a failure, by then */
    while (attempts_at(w, &attempt) == 0)
        linked_turn(w->regions);
    assert_true(id_equal(&attempt.id, &wish.attempt.id));
    assert_int_equal(attempt.way.region, w->regions->sites[FRA].f->ordinal);
    attempt_record_fini(&attempt);
    assert_int_equal(STORE_RUN(iad, store_status, status), ERR_OK);
    assert_int_equal(status->pending, 1);
    free(status);
}

/* A probe that the test waits for. */
struct question {
    struct path_probe probe;
    bool done;
};

static void on_probed(struct path_probe *probe)
{
    container_of(probe, struct question, probe)->done = true;
}

static enum err probe(struct world *w, size_t from, const char *url, uint32_t *out_rtt_us)
{
    struct link_site *iad = &w->regions->sites[IAD];
    struct question q = { .probe = { .region = w->regions->sites[from].f->ordinal,
                                     .reply_to = &iad->f->inbox,
                                     .done = on_probed } };

    snprintf(q.probe.url, sizeof q.probe.url, "%s", url);
    link_probe(iad->link, &q.probe);
    while (!q.done)
        linked_turn(w->regions);
    *out_rtt_us = q.probe.rtt_us;
    return q.probe.err;
}

static void each_region_measures_its_own_way(void **state)
{
    struct world *w = *state;
    char nobody[64];
    uint32_t rtt_us;

    meet(w);
    snprintf(nobody, sizeof nobody, "http://127.0.0.1:%u/", unused_port());
    for (size_t from = 0; from < SITES; from++) {
        assert_int_equal(probe(w, from, w->url, &rtt_us), ERR_OK);
        assert_int_not_equal(rtt_us, 0);
        assert_int_equal(probe(w, from, nobody, &rtt_us), ERR_UNAVAILABLE);
    }
    assert_int_equal(w->receiver.requests, 0);
    link_site_close(&w->regions->sites[FRA]);
    assert_int_not_equal(probe(w, FRA, w->url, &rtt_us), ERR_OK);
}

static void a_hostile_peer_gets_a_refusal(void **state)
{
    static const struct {
        const char *request, *body, *status;
    } ROWS[] = {
        { "POST /link/v1/forwards", "", "HTTP/1.1 422" },
        { "POST /link/v1/forwards", "abcdefghijkl", "HTTP/1.1 422" },
        { "GET /link/v1/forwards", "", "HTTP/1.1 404" },
        { "GET /link/v1/outcomes", "", "HTTP/1.1 422" },
        { "GET /link/v1/outcomes?after=0&wait=31", "", "HTTP/1.1 422" },
        { "GET /link/v1/outcomes?after=-1&wait=0", "", "HTTP/1.1 422" },
        { "POST /link/v1/probe", "{\"url\":\"ftp://h/\"}", "HTTP/1.1 422" },
        { "POST /link/v1/probe", "{}", "HTTP/1.1 422" },
        { "GET /link/v1/outcomes?of=x&after=99999&wait=0", "", "HTTP/1.1 200" },
    };
    struct world *w = *state;
    struct link_site *fra = &w->regions->sites[FRA];
    const struct tls_client_options options = { .identity = &w->regions->sites[IAD].made };
    struct client c;

    client_open_tls(&c, &fra->f->loop.uv, link_port(fra->link), &options);
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        char text[256];
        snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: fra\r\nContent-Length: %zu\r\n\r\n%s",
                 ROWS[i].request, strlen(ROWS[i].body), ROWS[i].body);
        client_say(&c, text);
        const char *answer = client_answer(&c);
        if (strncmp(answer, ROWS[i].status, strlen(ROWS[i].status)) != 0)
            fail_msg("%s: %.60s", ROWS[i].request, answer);
    }
    client_close(&c);
}

#define FORWARDS_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FORWARDS_TEST(a_peer_makes_the_attempt_and_tells_what_came_of_it),
        FORWARDS_TEST(many_go_out_in_batches_and_each_is_answered_once),
        FORWARDS_TEST(what_comes_of_no_answer_is_told_too),
        FORWARDS_TEST(who_is_not_heard_is_given_nothing),
        FORWARDS_TEST(what_the_law_forbids_is_refused_by_the_peer),
        FORWARDS_TEST(what_cannot_be_sent_is_refused_by_the_peer),
        FORWARDS_TEST(a_region_that_drains_takes_nothing),
        FORWARDS_TEST(a_region_that_is_stopped_finishes_what_it_has_and_takes_no_more),
        FORWARDS_TEST(what_a_peer_had_when_it_died_is_lost),
        FORWARDS_TEST(an_outcome_that_comes_too_late_is_recorded),
        FORWARDS_TEST(each_region_measures_its_own_way),
        FORWARDS_TEST(a_hostile_peer_gets_a_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
