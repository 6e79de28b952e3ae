/* Bytes from a stranger to a TLS session. After a first byte of 0 they are all there is;
 * otherwise an honest client speaks, and what it says is cut into pieces and changed: for each
 * piece a byte says how long it is, one where and one how it is changed.
 *
 * Holds: nobody is let in by garbage; who is, is the client; text is read as it was written or
 * not at all; what waits to be sent is bounded. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/tls_client.h"

#define TEXT       "POST /link/v1/ping HTTP/1.1\r\nHost: fra\r\n\r\n"
#define UNSENT_MAX (64 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct made_certificate fra, iad;
static struct tls_context *context;

static void make_context(void)
{
    const char *why;

    fra = make_region_certificate("fra");
    iad = make_region_certificate("iad");
    const struct tls_peer peer = { "iad", buf_text(&iad.certificate) };
    const struct tls_options options = { buf_text(&fra.certificate), buf_text(&fra.key), &peer,
                                         1 };
    if (tls_context_new(&options, &context, &why) != ERR_OK)
        abort();
}

/* What becomes readable is the next of the text. */
static void read_all(struct tls_session *s, size_t *at)
{
    char plain[16];
    size_t len;

    while ((len = tls_session_read(s, plain, sizeof plain)) > 0) {
        assert(*at + len <= strlen(TEXT) && memcmp(&TEXT[*at], plain, len) == 0);
        *at += len;
    }
    assert(!tls_session_has_unread(s));
}

static void check(const struct tls_session *s)
{
    size_t len;

    tls_session_unsent(s, &len);
    assert(len <= UNSENT_MAX);
    assert((tls_session_state(s) == TLS_FAILED) == (tls_session_why(s) != NULL));
    assert(!tls_session_peer(s) || strcmp(tls_session_peer(s), "iad") == 0);
}

static void hear_garbage(struct tls_session *s, const uint8_t *data, size_t size)
{
    size_t piece = size > 0 ? data[0] + 1U : 1, at = 0;

    for (size_t from = 0; from < size; from += piece) {
        tls_session_feed(s, data + from, size - from < piece ? size - from : piece);
        read_all(s, &at);
        check(s);
        assert(tls_session_state(s) == TLS_SHAKING || tls_session_state(s) == TLS_FAILED);
    }
}

/* Returns whether anything was moved. */
static bool hear(struct tls_session *s, struct tls_client *client, const uint8_t **data,
                 size_t *size, size_t *at)
{
    uint8_t bytes[TLS_FEED_MAX];
    bool is_changed = *size >= 3;
    size_t len =
        tls_client_take(client, bytes, is_changed ? (*data)[0] * 4U + 1 : sizeof bytes);

    if (is_changed && len > 0) {
        bytes[(*data)[1] % len] ^= (*data)[2];
        *data += 3;
        *size -= 3;
    }
    tls_session_feed(s, bytes, len);
    read_all(s, at);
    check(s);

    size_t answer_len;
    const void *answer = tls_session_unsent(s, &answer_len);
    if (answer_len > 0)
        tls_client_give(client, answer, answer_len);
    tls_session_sent(s, answer_len);
    return len > 0 || answer_len > 0;
}

static void hear_client(struct tls_session *s, const uint8_t *data, size_t size)
{
    struct tls_client *client =
        tls_client_new(&(struct tls_client_options){ .identity = &iad });
    bool has_spoken = false;
    size_t at = 0;

    do {
        tls_client_turn(client);
        if (tls_client_is_open(client) && !has_spoken) {
            tls_client_write(client, TEXT, strlen(TEXT));
            has_spoken = true;
        }
    } while (hear(s, client, &data, &size, &at));
    tls_client_free(client);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > TLS_FEED_MAX)
        return 0;
    if (!context)
        make_context();
    struct tls_session *s = tls_session_new(context);
    if (data[0] == 0)
        hear_garbage(s, data + 1, size - 1);
    else
        hear_client(s, data + 1, size - 1);
    tls_session_free(s);
    return 0;
}
