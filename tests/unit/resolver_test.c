#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "tests/lib/name_server.h"
#include "wire/resolver.h"

static const struct zone_name zone[] = {
    { "one.test", { "93.184.216.34" } },
    { "two.test", { "192.0.2.1", "192.0.2.2" } },
    { "many.test",
      { "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5", "192.0.2.6",
        "192.0.2.7", "192.0.2.8", "192.0.2.9" } },
    { "silent.test", { NULL } },
    { NULL, { NULL } },
};

struct fixture {
    uv_loop_t loop;
    struct name_server server;
    struct resolver *resolver;
    unsigned closed;
    unsigned done;
};

/* A look-up that counts. */
struct question {
    struct lookup lookup;
    struct fixture *fixture;
};

static void on_done(struct lookup *lookup)
{
    struct question *q = container_of(lookup, struct question, lookup);

    q->fixture->done++;
    uv_stop(&q->fixture->loop);
}

static void on_closed(void *ctx)
{
    struct fixture *f = ctx;

    f->closed++;
}

static void open_resolver(struct fixture *f)
{
    struct resolver_options options = { .loop = &f->loop, .name_servers = f->server.address };

    assert_int_equal(resolver_open(&f->resolver, &options), ERR_OK);
}

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof *f);

    uv_loop_init(&f->loop);
    name_server_open(&f->server, &f->loop, zone);
    open_resolver(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    resolver_close(f->resolver, on_closed, f);
    name_server_close(&f->server);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(f->closed, 1);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    test_free(f);
    return 0;
}

static struct question question(struct fixture *f, const char *host)
{
    return (struct question){
        .lookup = { .host = host, .timeout_ms = 30000, .done = on_done },
        .fixture = f,
    };
}

static void wait_for(struct fixture *f, unsigned done)
{
    while (f->done < done)
        uv_run(&f->loop, UV_RUN_DEFAULT);
}

static enum err ask(struct fixture *f, struct question *q, const char *host)
{
    *q = question(f, host);
    unsigned before = f->done;
    resolver_ask(f->resolver, &q->lookup);
    assert_int_equal(f->done, before);
    wait_for(f, before + 1);
    return q->lookup.err;
}

static const char *address_text(const union address *address)
{
    static char text[ADDRESS_TEXT_MAX];

    address_format(address, text);
    return text;
}

static void a_name_is_asked_for_once_and_kept(void **state)
{
    struct fixture *f = *state;
    struct question q;
    struct addresses known;

    f->server.ttl_s = 0; /* even then for a few seconds */
    assert_false(resolver_known(f->resolver, "one.test", &known));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(f, &q, "one.test"), ERR_OK);
        assert_int_equal(q.lookup.addresses.count, 1);
        assert_string_equal(address_text(&q.lookup.addresses.items[0]), "93.184.216.34");
    }
    assert_int_equal(f->server.questions, 1);
    assert_true(resolver_known(f->resolver, "one.test", &known));
    assert_true(address_equal(&known.items[0], &q.lookup.addresses.items[0]));
}

static void many_who_ask_at_once_share_a_question(void **state)
{
    struct fixture *f = *state;
    struct question all[50];

    for (size_t i = 0; i < 50; i++) {
        all[i] = question(f, "two.test");
        resolver_ask(f->resolver, &all[i].lookup);
    }
    assert_int_equal(f->done, 0);
    wait_for(f, 50);
    assert_int_equal(f->server.questions, 1);
    for (size_t i = 0; i < 50; i++) {
        assert_int_equal(all[i].lookup.err, ERR_OK);
        assert_int_equal(all[i].lookup.addresses.count, 2);
    }
}

static void an_answer_is_cut_to_the_first_addresses(void **state)
{
    struct fixture *f = *state;
    struct question q;

    assert_int_equal(ask(f, &q, "many.test"), ERR_OK);
    assert_int_equal(q.lookup.addresses.count, ADDRESSES_MAX);
}

/* RFC 2181, section 8: the highest bit set means 0. */
static void a_time_to_live_out_of_range_is_none(void **state)
{
    static const uint32_t all[] = { UINT32_C(0x80000000), UINT32_MAX };
    static const char *const hosts[] = { "one.test", "many.test" };
    struct fixture *f = *state;
    struct question q;

    for (size_t i = 0; i < 2; i++) {
        f->server.ttl_s = all[i];
        assert_int_equal(ask(f, &q, hosts[i]), ERR_OK);
    }
}

static void a_name_that_does_not_exist_is_not_found(void **state)
{
    static const char *const names[] = {
        "nowhere.test",
        "a..b",
        "..",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test",
    };
    struct fixture *f = *state;
    struct question q;
    struct addresses known;

    for (size_t i = 0; i < COUNT(names); i++) {
        assert_int_equal(ask(f, &q, names[i]), ERR_NOT_FOUND);
        assert_false(resolver_known(f->resolver, names[i], &known));
    }
}

static void a_failure_is_kept_for_a_moment(void **state)
{
    struct fixture *f = *state;
    struct question q;

    assert_int_equal(ask(f, &q, "nowhere.test"), ERR_NOT_FOUND);
    unsigned questions = f->server.questions;
    assert_int_equal(ask(f, &q, "nowhere.test"), ERR_NOT_FOUND);
    assert_int_equal(f->server.questions, questions);
}

static void silence_ends_at_the_limit_of_whoever_asks(void **state)
{
    struct fixture *f = *state;
    struct question patient = question(f, "silent.test"), hasty = question(f, "silent.test");
    struct question other;

    hasty.lookup.timeout_ms = 100;
    uint64_t start_ms = uv_now(&f->loop);
    resolver_ask(f->resolver, &patient.lookup);
    resolver_ask(f->resolver, &hasty.lookup);
    wait_for(f, 1);
    assert_int_equal(hasty.lookup.err, ERR_TIMEOUT);
    assert_int_equal(ask(f, &other, "one.test"), ERR_OK);
    assert_true(uv_now(&f->loop) - start_ms < 1000);

    wait_for(f, 3);
    assert_int_equal(patient.lookup.err, ERR_TIMEOUT);
    assert_in_range(uv_now(&f->loop) - start_ms, 1500, 4000);
}

static void a_canceled_look_up_is_done_once(void **state)
{
    struct fixture *f = *state;
    struct question q = question(f, "silent.test"), other = question(f, "silent.test");

    resolver_ask(f->resolver, &q.lookup);
    resolver_ask(f->resolver, &other.lookup);
    resolver_cancel(f->resolver, &q.lookup);
    assert_int_equal(f->done, 0);
    wait_for(f, 1);
    assert_int_equal(q.lookup.err, ERR_CANCELED);
    resolver_cancel(f->resolver, &other.lookup);
    wait_for(f, 2);
    assert_int_equal(other.lookup.err, ERR_CANCELED);
}

static void a_cached_answer_can_be_canceled_too(void **state)
{
    struct fixture *f = *state;
    struct question q;

    assert_int_equal(ask(f, &q, "one.test"), ERR_OK);
    q = question(f, "one.test");
    resolver_ask(f->resolver, &q.lookup);
    resolver_cancel(f->resolver, &q.lookup);
    wait_for(f, 2);
    assert_int_equal(q.lookup.err, ERR_CANCELED);
}

static void too_many_names_at_once_are_refused(void **state)
{
    enum { MOST = 256 };
    struct fixture *f = *state;
    static char hosts[MOST + 1][32];
    static struct question all[MOST + 1];

    for (size_t i = 0; i <= MOST; i++) {
        snprintf(hosts[i], sizeof hosts[i], "n%zu.test", i);
        all[i] = question(f, hosts[i]);
        resolver_ask(f->resolver, &all[i].lookup);
    }
    wait_for(f, 1);
    assert_int_equal(all[MOST].lookup.err, ERR_BUSY);
    wait_for(f, MOST + 1);
    for (size_t i = 0; i < MOST; i++)
        assert_int_equal(all[i].lookup.err, ERR_NOT_FOUND);
}

static void names_are_forgotten_at_the_bound(void **state)
{
    struct fixture *f = *state;
    struct question q;
    struct addresses known;
    char host[32];

    assert_int_equal(ask(f, &q, "one.test"), ERR_OK);
    for (unsigned i = 0; i < 4095; i++) {
        snprintf(host, sizeof host, "n%u.test", i);
        assert_int_equal(ask(f, &q, host), ERR_NOT_FOUND);
    }
    assert_true(resolver_known(f->resolver, "one.test", &known));
    assert_int_equal(ask(f, &q, "last.test"), ERR_NOT_FOUND);
    assert_false(resolver_known(f->resolver, "one.test", &known));
}

static void a_demoted_address_comes_last(void **state)
{
    struct fixture *f = *state;
    struct question q;
    struct addresses known;

    assert_int_equal(ask(f, &q, "two.test"), ERR_OK);
    union address first = q.lookup.addresses.items[0];
    resolver_demote(f->resolver, "two.test", &first);
    assert_true(resolver_known(f->resolver, "two.test", &known));
    assert_int_equal(known.count, 2);
    assert_true(address_equal(&known.items[1], &first));
    assert_false(address_equal(&known.items[0], &first));

    resolver_demote(f->resolver, "unknown.test", &first);
}

static void localhost_asks_nobody(void **state)
{
    struct fixture *f = *state;
    struct question q;
    bool found = false;

    assert_int_equal(ask(f, &q, "localhost"), ERR_OK);
    for (size_t i = 0; i < q.lookup.addresses.count; i++)
        found = found || strcmp(address_text(&q.lookup.addresses.items[i]), "127.0.0.1") == 0;
    assert_true(found);
    assert_int_equal(f->server.questions, 0);
}

static void closing_ends_the_questions_that_are_open(void **state)
{
    struct fixture *f = *state;
    struct question q = question(f, "silent.test");

    resolver_ask(f->resolver, &q.lookup);
    resolver_cancel(f->resolver, &q.lookup);
    wait_for(f, 1);
}

static void bad_name_servers_are_invalid(void **state)
{
    struct fixture *f = *state;
    struct resolver_options options = { .loop = &f->loop, .name_servers = "not an address" };
    struct resolver *r = NULL;

    assert_int_equal(resolver_open(&r, &options), ERR_INVALID);
    assert_null(r);
}

static void a_host_that_is_an_address_is_seen(void **state)
{
    static const struct {
        const char *host, *text;
    } rows[] = {
        { "10.0.0.1", "10.0.0.1" },
        { "[::1]", "::1" },
        { "[2001:db8::1]", "2001:db8::1" },
        { "::1", NULL },
        { "localhost", NULL },
        { "[10.0.0.1]", NULL },
        { "[]", NULL },
        { "[", NULL },
        { "", NULL },
        { "10.0.0.1.", NULL },
        { "10.0.1", NULL },
        { "0x7f.0.0.1", NULL },
        { "[::1", NULL },
        { "[fe80::1%25lo]", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        union address address;
        if (address_parse(rows[i].host, &address) != (rows[i].text != NULL))
            fail_msg("\"%s\" was misjudged", rows[i].host);
        if (rows[i].text)
            assert_string_equal(address_text(&address), rows[i].text);
    }
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(a_name_is_asked_for_once_and_kept),
        WITH_SERVER(many_who_ask_at_once_share_a_question),
        WITH_SERVER(an_answer_is_cut_to_the_first_addresses),
        WITH_SERVER(a_time_to_live_out_of_range_is_none),
        WITH_SERVER(a_name_that_does_not_exist_is_not_found),
        WITH_SERVER(a_failure_is_kept_for_a_moment),
        WITH_SERVER(silence_ends_at_the_limit_of_whoever_asks),
        WITH_SERVER(a_canceled_look_up_is_done_once),
        WITH_SERVER(a_cached_answer_can_be_canceled_too),
        WITH_SERVER(too_many_names_at_once_are_refused),
        WITH_SERVER(names_are_forgotten_at_the_bound),
        WITH_SERVER(a_demoted_address_comes_last),
        WITH_SERVER(localhost_asks_nobody),
        WITH_SERVER(closing_ends_the_questions_that_are_open),
        WITH_SERVER(bad_name_servers_are_invalid),
        cmocka_unit_test(a_host_that_is_an_address_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
