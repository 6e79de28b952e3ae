/* Handshakes and bytes between our TLS and OpenSSL's, in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "tests/lib/tls_client.h"

#define DAY_S      86400L
#define HTTP       "\x08http/1.1"
#define HTTP2      "\x02h2"
#define PLAIN_ROOM 32768

struct fixture {
    struct made_certificate fra, iad, iad_next, stranger;
    struct tls_context *context; /* of fra, who knows iad by two certificates */
};

static struct tls_context *context_of(const struct made_certificate *own,
                                      const struct tls_peer *peers, size_t count)
{
    const struct tls_options options = { buf_text(&own->certificate), buf_text(&own->key),
                                         peers, count };
    struct tls_context *context;
    const char *why;

    assert_int_equal(tls_context_new(&options, &context, &why), ERR_OK);
    return context;
}

static int make_fixture(void **state)
{
    static struct fixture f;
    struct buf both = BUF_INIT(TLS_PEMS_MAX);

    f.fra = make_region_certificate("fra");
    f.iad = make_region_certificate("iad");
    f.iad_next = make_region_certificate("iad");
    f.stranger = make_region_certificate("iad");
    assert_int_equal(buf_printf(&both, "%s\n%s", buf_text(&f.iad.certificate),
                                buf_text(&f.iad_next.certificate)),
                     ERR_OK);
    const struct tls_peer peers[] = { { "iad", buf_text(&both) },
                                      { "fra", buf_text(&f.fra.certificate) } };
    f.context = context_of(&f.fra, peers, COUNT(peers));
    buf_fini(&both);
    *state = &f;
    return 0;
}

static int free_fixture(void **state)
{
    struct fixture *f = *state;

    tls_context_free(f->context);
    made_certificate_fini(&f->fra);
    made_certificate_fini(&f->iad);
    made_certificate_fini(&f->iad_next);
    made_certificate_fini(&f->stranger);
    return 0;
}

/* A client and a server with a wire between them. */
struct talk {
    struct tls_session *server;
    struct tls_client *client;
    size_t piece;   /* bytes that the wire carries at once to the server */
    struct buf got; /* plain text at the server */
};

static struct talk start(const struct tls_context *context,
                         const struct tls_client_options *options)
{
    return (struct talk){
        .server = tls_session_new(context),
        .client = tls_client_new(options),
        .piece = TLS_FEED_MAX,
        .got = BUF_INIT(1 << 24),
    };
}

static void end(struct talk *t)
{
    tls_session_free(t->server);
    tls_client_free(t->client);
    buf_fini(&t->got);
}

static void read_all(struct talk *t)
{
    char plain[PLAIN_ROOM];
    size_t len;

    while ((len = tls_session_read(t->server, plain, sizeof plain)) > 0)
        assert_int_equal(buf_append(&t->got, plain, len), ERR_OK);
}

static bool to_server(struct talk *t)
{
    char bytes[TLS_FEED_MAX];
    size_t len = tls_client_take(t->client, bytes, t->piece);

    tls_session_feed(t->server, bytes, len);
    read_all(t);
    return len > 0;
}

static bool to_client(struct talk *t)
{
    size_t len;
    const void *bytes = tls_session_unsent(t->server, &len);

    if (len == 0)
        return false;
    tls_client_give(t->client, bytes, len);
    tls_session_sent(t->server, len);
    return true;
}

/* Until both have nothing to say. */
static void carry(struct talk *t)
{
    for (bool moved = true; moved;) {
        tls_client_turn(t->client);
        moved = to_server(t);
        moved = to_client(t) || moved;
    }
}

static struct talk handshake(const struct tls_context *context,
                             const struct made_certificate *identity)
{
    struct talk t = start(context, &(struct tls_client_options){ .identity = identity });

    carry(&t);
    assert_int_equal(tls_session_state(t.server), TLS_OPEN);
    return t;
}

static void assert_plain(struct talk *t, const char *text)
{
    assert_string_equal(buf_text(&t->got), text);
    buf_clear(&t->got);
}

/* Handshakes. */

static void a_pinned_peer_is_let_in_and_known_by_name(void **state)
{
    const struct fixture *f = *state;
    const struct {
        const struct made_certificate *identity;
        const char *name;
    } rows[] = { { &f->iad, "iad" }, { &f->iad_next, "iad" }, { &f->fra, "fra" } };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct talk t = handshake(f->context, rows[i].identity);

        assert_true(tls_client_is_open(t.client));
        assert_string_equal(tls_session_peer(t.server), rows[i].name);
        assert_string_equal(tls_client_error(t.client), "");
        end(&t);
    }
}

static void nobody_is_known_before_the_handshake_is_over(void **state)
{
    const struct fixture *f = *state;
    struct talk t = start(f->context, &(struct tls_client_options){ .identity = &f->iad });

    t.piece = 1;
    while (tls_session_state(t.server) == TLS_SHAKING) {
        assert_null(tls_session_peer(t.server));
        tls_client_turn(t.client);
        to_server(&t);
        to_client(&t);
    }
    assert_string_equal(tls_session_peer(t.server), "iad");
    end(&t);
}

static void assert_refused(const struct tls_context *context,
                           const struct tls_client_options *options, const char *why,
                           const char *alert)
{
    struct talk t = start(context, options);

    carry(&t);
    char byte;
    tls_client_read(t.client, &byte, 1);
    assert_int_equal(tls_session_state(t.server), TLS_FAILED);
    assert_string_equal(tls_session_why(t.server), why);
    assert_null(tls_session_peer(t.server));
    if (!strstr(tls_client_error(t.client), alert))
        fail_msg("no \"%s\" in \"%s\"", alert, tls_client_error(t.client));
    end(&t);
}

static void who_is_not_pinned_is_refused_and_told_why(void **state)
{
    const struct fixture *f = *state;
    const struct {
        struct tls_client_options options;
        const char *why, *alert;
    } rows[] = {
        { { .identity = NULL }, "shows no certificate", "certificate required" },
        { { .identity = &f->stranger },
          "shows a certificate that isn't pinned here",
          "alert unknown ca" },
        { { .identity = &f->iad, .key_of = &f->stranger },
          "doesn't have the key of its certificate",
          "alert decrypt error" },
        { { .identity = &f->iad, .is_old = true },
          "doesn't speak TLS 1.3",
          "alert protocol version" },
        { { .identity = &f->iad, .alpn = HTTP2 },
          "doesn't offer HTTP/1.1",
          "no application protocol" },
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        assert_refused(f->context, &rows[i].options, rows[i].why, rows[i].alert);
}

/* Pinned all the same: that doesn't make up for it. */
static void a_pinned_certificate_must_be_in_order(void **state)
{
    static const struct {
        struct certificate_kind kind;
        const char *why, *alert;
    } rows[] = {
        { { .names = "URI:region:iad", .from_s = -2 * DAY_S, .to_s = -1 },
          "shows a certificate that has expired",
          "alert certificate expired" },
        { { .names = "URI:region:iad", .from_s = DAY_S, .to_s = 2 * DAY_S },
          "shows a certificate that isn't valid yet",
          "alert bad certificate" },
        { { .names = "URI:region:sin" },
          "shows a certificate that doesn't name the region it is pinned for",
          "alert bad certificate" },
        { { .names = "URI:region:iadx" },
          "shows a certificate that doesn't name the region it is pinned for",
          "alert bad certificate" },
        { { .names = "DNS:iad" },
          "shows a certificate that doesn't name the region it is pinned for",
          "alert bad certificate" },
        { { .names = NULL },
          "shows a certificate that doesn't name the region it is pinned for",
          "alert bad certificate" },
    };
    const struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct made_certificate made = make_certificate(&rows[i].kind);
        const struct tls_peer peer = { "iad", buf_text(&made.certificate) };
        struct tls_context *context = context_of(&f->fra, &peer, 1);

        assert_refused(context, &(struct tls_client_options){ .identity = &made }, rows[i].why,
                       rows[i].alert);
        tls_context_free(context);
        made_certificate_fini(&made);
    }
}

static void http_is_agreed_on_when_it_is_offered(void **state)
{
    static const char *const offers[] = { HTTP, HTTP2 HTTP };
    const struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(offers); i++) {
        struct talk t = start(
            f->context, &(struct tls_client_options){ .identity = &f->iad, .alpn = offers[i] });

        carry(&t);
        assert_int_equal(tls_session_state(t.server), TLS_OPEN);
        end(&t);
    }
}

/* Bytes. */

static void text_goes_both_ways(void **state)
{
    const struct fixture *f = *state;
    struct talk t = handshake(f->context, &f->iad);
    char text[8] = "";

    tls_client_write(t.client, "hello", 5);
    carry(&t);
    assert_plain(&t, "hello");
    assert_int_equal(tls_session_write(t.server, "world", 5), 5);
    to_client(&t);
    assert_int_equal(tls_client_read(t.client, text, sizeof text), 5);
    assert_string_equal(text, "world");
    end(&t);
}

static void bytes_may_come_one_at_a_time(void **state)
{
    const struct fixture *f = *state;
    struct talk t = start(f->context, &(struct tls_client_options){ .identity = &f->iad });

    t.piece = 1;
    carry(&t);
    assert_int_equal(tls_session_state(t.server), TLS_OPEN);
    tls_client_write(t.client, "hello", 5);
    tls_client_write(t.client, ", world", 7);
    carry(&t);
    assert_plain(&t, "hello, world");
    end(&t);
}

static void what_has_no_room_is_read_later(void **state)
{
    const struct fixture *f = *state;
    struct talk t = handshake(f->context, &f->iad);
    char bytes[TLS_FEED_MAX], letter;

    tls_client_write(t.client, "abc", 3);
    tls_client_write(t.client, "de", 2);
    tls_session_feed(t.server, bytes, tls_client_take(t.client, bytes, sizeof bytes));
    for (const char *want = "abcde"; *want; want++) {
        assert_true(tls_session_has_unread(t.server));
        assert_int_equal(tls_session_read(t.server, &letter, 0), 0);
        assert_int_equal(tls_session_read(t.server, &letter, 1), 1);
        assert_int_equal(letter, *want);
    }
    assert_int_equal(tls_session_read(t.server, &letter, 1), 0);
    assert_false(tls_session_has_unread(t.server));
    end(&t);
}

static void a_large_text_goes_in_records(void **state)
{
    const struct fixture *f = *state;
    struct talk t = handshake(f->context, &f->iad);
    const size_t len = 5 * TLS_WRITE_MAX + 7;
    char *text = xcalloc(1, len), *back = xcalloc(1, len);

    for (size_t i = 0; i < len; i++)
        text[i] = (char)('a' + i % 26);
    tls_client_write(t.client, text, len);
    carry(&t);
    assert_int_equal(t.got.len, len);
    assert_memory_equal(t.got.bytes, text, len);

    for (size_t sent = 0, heard = 0; heard < len;) {
        size_t unsent;

        sent += tls_session_write(t.server, text + sent, len - sent);
        tls_session_unsent(t.server, &unsent);
        assert_in_range(unsent, 1, TLS_WRITE_MAX + 256);
        to_client(&t);
        heard += tls_client_read(t.client, back + heard, len - heard);
    }
    assert_memory_equal(back, text, len);
    free(back);
    free(text);
    end(&t);
}

static void the_end_is_said_and_heard(void **state)
{
    const struct fixture *f = *state;
    struct talk t = handshake(f->context, &f->iad);
    char text[8] = "";

    tls_client_write(t.client, "last", 4);
    tls_client_end(t.client);
    while (to_server(&t))
        ;
    assert_plain(&t, "last");
    assert_int_equal(tls_session_state(t.server), TLS_ENDED);
    assert_int_equal(tls_session_write(t.server, "words", 5), 5);
    to_client(&t);
    assert_int_equal(tls_client_read(t.client, text, sizeof text), 5);
    tls_session_end(t.server);
    to_client(&t);
    tls_client_read(t.client, text, sizeof text);
    assert_true(tls_client_was_ended(t.client));
    end(&t);
}

static void an_end_before_the_beginning_is_no_matter(void **state)
{
    const struct fixture *f = *state;
    struct talk t = start(f->context, &(struct tls_client_options){ .identity = &f->iad });
    size_t len;

    tls_session_end(t.server);
    tls_session_unsent(t.server, &len);
    assert_int_equal(len, 0);
    assert_int_equal(tls_session_write(t.server, "x", 1), 0);
    carry(&t);
    assert_int_equal(tls_session_state(t.server), TLS_OPEN);
    end(&t);
}

/* A peer that asks again and again and never listens. */
static void new_keys_are_made_and_answers_stay_few(void **state)
{
    const struct fixture *f = *state;
    struct talk t = handshake(f->context, &f->iad);
    char bytes[TLS_FEED_MAX], plain[16];
    size_t len = 0, taken, unsent;

    while (len < TLS_FEED_MAX - 256) {
        tls_client_update_keys(t.client);
        while ((taken = tls_client_take(t.client, bytes + len, TLS_FEED_MAX - len)) > 0)
            len += taken;
    }
    tls_session_feed(t.server, bytes, len);
    assert_int_equal(tls_session_read(t.server, plain, sizeof plain), 0);
    assert_int_equal(tls_session_state(t.server), TLS_OPEN);
    tls_session_unsent(t.server, &unsent);
    assert_in_range(unsent, 1, 2 * TLS_FEED_MAX);
    to_client(&t);
    tls_client_write(t.client, "still here", 10);
    carry(&t);
    assert_plain(&t, "still here");
    end(&t);
}

static void a_changed_byte_ends_it(void **state)
{
    const struct fixture *f = *state;
    struct talk t = handshake(f->context, &f->iad);
    char bytes[TLS_FEED_MAX];

    tls_client_write(t.client, "hello", 5);
    size_t len = tls_client_take(t.client, bytes, sizeof bytes);
    bytes[len - 1] ^= 1;
    tls_session_feed(t.server, bytes, len);
    read_all(&t);
    assert_plain(&t, "");
    assert_int_equal(tls_session_state(t.server), TLS_FAILED);
    assert_string_equal(tls_session_why(t.server), "sent bytes that were changed on the way");
    to_client(&t);
    tls_client_read(t.client, bytes, sizeof bytes);
    assert_non_null(strstr(tls_client_error(t.client), "bad record mac"));
    end(&t);
}

static void garbage_is_refused_and_answered_briefly(void **state)
{
    static const char server_hello[] = "\x16\x03\x03\x00\x04\x02\x00\x00\x00";
    static const char endless_hello[] = "\x16\x03\x01\x00\x04\x01\xff\xff\xff";
    static const char alert[] = "\x15\x03\x03\x00\x02\x02\x28";
    static const char early_text[] = "\x17\x03\x03\x00\x02hi";
    static const char endless_record[] = "\x16\x03\x01\xff\xff\x01\x00\x00\x00";
    const struct {
        const char *bytes;
        size_t len;
        const char *why;
    } rows[] = {
        { "GET / HTTP/1.1\r\n\r\n", 18, "speaks HTTP without TLS" },
        { "POST /x HTTP/1.1\r\n\r\n", 20, "speaks HTTP without TLS" },
        { "CONNECT x:1 HTTP/1.1\r\n\r\n", 24, "speaks HTTP without TLS" },
        { "SSH-2.0-OpenSSH_9.2\r\n", 21, "doesn't speak TLS" },
        { "\0\0\0\0\0\0\0\0\0\0\0\0", 12, "doesn't speak TLS" },
        { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12, "doesn't speak TLS" },
        { server_hello, sizeof server_hello - 1, "broke the rules of TLS" },
        { early_text, sizeof early_text - 1, "broke the rules of TLS" },
        { alert, sizeof alert - 1, "broke the rules of TLS" },
        { endless_hello, sizeof endless_hello - 1, "broke the rules of TLS" },
        { endless_record, sizeof endless_record - 1, "broke the rules of TLS" },
    };
    const struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tls_session *s = tls_session_new(f->context);
        char plain[16];
        size_t len;

        tls_session_feed(s, rows[i].bytes, rows[i].len);
        assert_int_equal(tls_session_read(s, plain, sizeof plain), 0);
        assert_int_equal(tls_session_state(s), TLS_FAILED);
        assert_string_equal(tls_session_why(s), rows[i].why);
        tls_session_unsent(s, &len);
        assert_in_range(len, 0, 7);
        tls_session_free(s);
    }
}

static void a_failed_session_takes_and_gives_nothing(void **state)
{
    const struct fixture *f = *state;
    struct tls_session *s = tls_session_new(f->context);
    char plain[16];
    size_t len;

    tls_session_feed(s, "nonsense", 8);
    assert_int_equal(tls_session_read(s, plain, sizeof plain), 0);
    const void *unsent = tls_session_unsent(s, &len);
    assert_true(len == 0 || unsent != NULL);
    tls_session_sent(s, len);
    tls_session_feed(s, "more", 4);
    assert_false(tls_session_has_unread(s));
    assert_int_equal(tls_session_read(s, plain, sizeof plain), 0);
    assert_int_equal(tls_session_write(s, "x", 1), 0);
    tls_session_end(s);
    tls_session_unsent(s, &len);
    assert_int_equal(len, 0);
    tls_session_free(s);
}

/* Contexts. */

static void no_context_comes_of_what_does_not_fit(void **state)
{
    const struct fixture *f = *state;
    const char *pem = buf_text(&f->fra.certificate), *key = buf_text(&f->fra.key);
    const struct tls_peer good = { "iad", buf_text(&f->iad.certificate) };
    const struct tls_peer empty = { "iad", "" }, nameless = { "", pem };
    const struct tls_peer broken = { "iad", "-----BEGIN CERTIFICATE-----\nMIIB\n"
                                            "-----END CERTIFICATE-----\n" };
    const struct {
        struct tls_options options;
        const char *why;
    } rows[] = {
        { { "", key, &good, 1 }, "our certificate isn't PEM" },
        { { key, key, &good, 1 }, "our certificate isn't PEM" },
        { { pem, pem, &good, 1 }, "our key isn't PEM" },
        { { pem, buf_text(&f->iad.key), &good, 1 }, "our key isn't our certificate's" },
        { { pem, key, &empty, 1 }, "a peer's certificate isn't PEM" },
        { { pem, key, &broken, 1 }, "a peer's certificate isn't PEM" },
        { { pem, key, &nameless, 1 }, "a peer's name isn't one" },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tls_context *context;
        const char *why = "";

        assert_int_equal(tls_context_new(&rows[i].options, &context, &why), ERR_INVALID);
        assert_string_equal(why, rows[i].why);
    }
}

static void without_peers_everybody_is_refused(void **state)
{
    const struct fixture *f = *state;
    struct tls_context *context = context_of(&f->fra, NULL, 0);

    assert_refused(context, &(struct tls_client_options){ .identity = &f->iad },
                   "shows a certificate that isn't pinned here", "alert unknown ca");
    tls_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pinned_peer_is_let_in_and_known_by_name),
        cmocka_unit_test(nobody_is_known_before_the_handshake_is_over),
        cmocka_unit_test(who_is_not_pinned_is_refused_and_told_why),
        cmocka_unit_test(a_pinned_certificate_must_be_in_order),
        cmocka_unit_test(http_is_agreed_on_when_it_is_offered),
        cmocka_unit_test(text_goes_both_ways),
        cmocka_unit_test(bytes_may_come_one_at_a_time),
        cmocka_unit_test(what_has_no_room_is_read_later),
        cmocka_unit_test(a_large_text_goes_in_records),
        cmocka_unit_test(the_end_is_said_and_heard),
        cmocka_unit_test(an_end_before_the_beginning_is_no_matter),
        cmocka_unit_test(new_keys_are_made_and_answers_stay_few),
        cmocka_unit_test(a_changed_byte_ends_it),
        cmocka_unit_test(garbage_is_refused_and_answered_briefly),
        cmocka_unit_test(a_failed_session_takes_and_gives_nothing),
        cmocka_unit_test(no_context_comes_of_what_does_not_fit),
        cmocka_unit_test(without_peers_everybody_is_refused),
    };
    return cmocka_run_group_tests(tests, make_fixture, free_fixture);
}
