#include "wire/tls.h"

#include <assert.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "core/buf.h"
#include "core/mem.h"
#include "core/require.h"

/* Bytes of a certificate message that a stranger may send: ours take 500. */
#define CERTIFICATES_MAX 8192

/* Bytes that may be unsent: one record, or what one feed can cause, and some room. */
#define UNSENT_MAX ((size_t)64 * 1024)

#define ALPN_HTTP "\x08http/1.1"

struct tls_context {
    SSL_CTX *ssl;
    BIO_METHOD *memory; /* how a session's BIO reaches the session */
    struct tls_pins *pins;
};

struct tls_session {
    const struct tls_context *context;
    SSL *ssl;
    enum tls_state state;
    struct buf fed; /* from the peer … */
    size_t used;    /* … up to here */
    bool has_unread;
    struct buf unsent; /* to the peer … */
    size_t sent;       /* … up to here */
    const char *peer;
    const char *why;
};

static int on_alpn(SSL *ssl, const uint8_t **out, uint8_t *out_len, const uint8_t *offered,
                   unsigned offered_len, void *ctx);
static int on_read(BIO *bio, char *bytes, int room);
static int on_write(BIO *bio, const char *bytes, int len);
static long on_control(BIO *bio, int command, long number, void *pointer);

/* The context. */

static int give_no_password(char *text, int room, int is_written, void *ctx)
{
    (void)text;
    (void)room;
    (void)is_written;
    (void)ctx;
    return -1;
}

static BIO *open_text(const char *text)
{
    BIO *bio = BIO_new_mem_buf(text, (int)strnlen(text, TLS_PEMS_MAX));

    require(bio != NULL);
    return bio;
}

static const char *take_identity(SSL_CTX *ssl, const struct tls_options *options)
{
    BIO *text = open_text(options->certificate), *key_text = open_text(options->key);
    X509 *certificate = PEM_read_bio_X509(text, NULL, give_no_password, NULL);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(key_text, NULL, give_no_password, NULL);
    const char *why = NULL;

    if (!certificate || SSL_CTX_use_certificate(ssl, certificate) != 1)
        why = "our certificate isn't PEM";
    else if (!key)
        why = "our key isn't PEM";
    else if (SSL_CTX_use_PrivateKey(ssl, key) != 1)
        why = "our key isn't our certificate's";
    EVP_PKEY_free(key);
    X509_free(certificate);
    BIO_free(key_text);
    BIO_free(text);
    ERR_clear_error();
    return why;
}

static void set_up(SSL_CTX *ssl)
{
    require(SSL_CTX_set_min_proto_version(ssl, TLS1_3_VERSION) == 1);
    require(SSL_CTX_set_max_proto_version(ssl, TLS1_3_VERSION) == 1);
    require(SSL_CTX_set1_groups_list(ssl, "X25519:P-256") == 1);
    require(SSL_CTX_set_num_tickets(ssl, 0) == 1);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET);
    SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_max_cert_list(ssl, CERTIFICATES_MAX);
    SSL_CTX_set_alpn_select_cb(ssl, on_alpn, NULL);
}

static BIO_METHOD *make_memory(void)
{
    BIO_METHOD *memory = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "TLS session");

    require(memory != NULL && BIO_meth_set_read(memory, on_read) == 1 &&
            BIO_meth_set_write(memory, on_write) == 1 &&
            BIO_meth_set_ctrl(memory, on_control) == 1);
    return memory;
}

enum err tls_context_new(const struct tls_options *options, struct tls_context **out,
                         const char **out_why)
{
    struct tls_context *context = xcalloc(1, sizeof *context);
    enum err err = ERR_INVALID;

    context->ssl = SSL_CTX_new(TLS_server_method());
    require(context->ssl != NULL);
    *out_why = take_identity(context->ssl, options);
    if (!*out_why)
        err = tls_pins_new(options->peers, options->peer_count, &context->pins, out_why);
    if (err) {
        tls_context_free(context);
        return err;
    }
    set_up(context->ssl);
    tls_pins_guard(context->pins, context->ssl);
    context->memory = make_memory();
    *out = context;
    return ERR_OK;
}

void tls_context_free(struct tls_context *context)
{
    if (!context)
        return;
    SSL_CTX_free(context->ssl);
    BIO_meth_free(context->memory);
    tls_pins_free(context->pins);
    free(context);
}

static int on_alpn(SSL *ssl, const uint8_t **out, uint8_t *out_len, const uint8_t *offered,
                   unsigned offered_len, void *ctx)
{
    static const uint8_t ours[] = ALPN_HTTP;
    uint8_t *chosen;

    (void)ssl;
    (void)ctx;
    if (SSL_select_next_proto(&chosen, out_len, ours, sizeof ours - 1, offered, offered_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* The session. */

struct tls_session *tls_session_new(const struct tls_context *context)
{
    struct tls_session *s = xcalloc(1, sizeof *s);
    BIO *bio = BIO_new(context->memory);

    s->context = context;
    s->ssl = SSL_new(context->ssl);
    require(s->ssl != NULL && bio != NULL);
    s->fed = BUF_INIT(TLS_FEED_MAX);
    s->unsent = BUF_INIT(UNSENT_MAX);
    BIO_set_data(bio, s);
    BIO_set_init(bio, 1);
    SSL_set_bio(s->ssl, bio, bio);
    SSL_set_accept_state(s->ssl);
    return s;
}

void tls_session_free(struct tls_session *s)
{
    if (!s)
        return;
    SSL_free(s->ssl);
    buf_fini(&s->fed);
    buf_fini(&s->unsent);
    free(s);
}

enum tls_state tls_session_state(const struct tls_session *s)
{
    return s->state;
}

const char *tls_session_peer(const struct tls_session *s)
{
    return s->peer;
}

const char *tls_session_why(const struct tls_session *s)
{
    return s->why;
}

bool tls_session_has_unread(const struct tls_session *s)
{
    return s->has_unread;
}

/* OpenSSL's ends of the buffers. */

static int on_read(BIO *bio, char *bytes, int room)
{
    struct tls_session *s = BIO_get_data(bio);
    size_t len = s->fed.len - s->used;

    BIO_clear_retry_flags(bio);
    if (len == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    if (len > (size_t)room)
        len = (size_t)room;
    memcpy(bytes, s->fed.bytes + s->used, len);
    s->used += len;
    return (int)len;
}

/* What has no room ends the session. */
static int on_write(BIO *bio, const char *bytes, int len)
{
    struct tls_session *s = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    return buf_append(&s->unsent, bytes, (size_t)len) == ERR_OK ? len : -1;
}

static long on_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

/* from_openssl: the one place where its errors are read. */
static const char *from_openssl(const struct tls_session *s, unsigned long error)
{
    const char *why = tls_pins_why(SSL_get_verify_result(s->ssl));

    if (why)
        return why;
    switch (ERR_GET_REASON(error)) {
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        return "shows no certificate";
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
        return "speaks HTTP without TLS";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_WRONG_SSL_VERSION:
        return "doesn't speak TLS 1.3";
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_UNKNOWN_PROTOCOL:
        return "doesn't speak TLS";
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
        return "offers no algorithm that we take";
    case SSL_R_NO_APPLICATION_PROTOCOL:
        return "doesn't offer HTTP/1.1";
    case SSL_R_BAD_SIGNATURE:
        return "doesn't have the key of its certificate";
    case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC:
        return "sent bytes that were changed on the way";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
        return "doesn't accept our certificate";
    default:
        return "broke the rules of TLS";
    }
}

static void fail(struct tls_session *s)
{
    s->why = from_openssl(s, ERR_peek_error());
    s->state = TLS_FAILED;
    s->has_unread = false;
    ERR_clear_error();
}

static void open_up(struct tls_session *s)
{
    s->state = TLS_OPEN;
    s->peer = tls_pins_name(s->context->pins, SSL_get0_peer_certificate(s->ssl));
    assert(s->peer);
}

void tls_session_feed(struct tls_session *s, const void *bytes, size_t len)
{
    assert(!s->has_unread && len <= TLS_FEED_MAX);
    if (s->state == TLS_FAILED || len == 0)
        return;

    s->used = 0;
    require(buf_append(&s->fed, bytes, len) == ERR_OK);
    s->has_unread = true;
}

size_t tls_session_read(struct tls_session *s, void *bytes, size_t room)
{
    size_t len = 0;

    if (!s->has_unread || room == 0)
        return 0;

    ERR_clear_error();
    int good = SSL_read_ex(s->ssl, bytes, room, &len);
    if (s->state == TLS_SHAKING && SSL_is_init_finished(s->ssl))
        open_up(s);
    if (good)
        return len;

    s->has_unread = false;
    buf_fini(&s->fed); /* most sessions are idle */
    switch (SSL_get_error(s->ssl, 0)) {
    case SSL_ERROR_WANT_READ:
        break;
    case SSL_ERROR_ZERO_RETURN:
        s->state = TLS_ENDED;
        break;
    default:
        fail(s);
        break;
    }
    return 0;
}

size_t tls_session_write(struct tls_session *s, const void *bytes, size_t len)
{
    size_t written = 0;

    assert(s->unsent.len == 0);
    if (len == 0 || (s->state != TLS_OPEN && s->state != TLS_ENDED))
        return 0;
    ERR_clear_error();
    if (SSL_write_ex(s->ssl, bytes, len < TLS_WRITE_MAX ? len : TLS_WRITE_MAX, &written) != 1)
        fail(s);
    return written;
}

void tls_session_end(struct tls_session *s)
{
    if (s->state != TLS_OPEN && s->state != TLS_ENDED)
        return;
    ERR_clear_error();
    if (SSL_shutdown(s->ssl) < 0)
        fail(s);
}

const void *tls_session_unsent(const struct tls_session *s, size_t *out_len)
{
    *out_len = s->unsent.len - s->sent;
    return s->unsent.bytes ? s->unsent.bytes + s->sent : NULL;
}

void tls_session_sent(struct tls_session *s, size_t len)
{
    s->sent += len;
    assert(s->sent <= s->unsent.len);
    if (s->sent == s->unsent.len) {
        buf_fini(&s->unsent);
        s->sent = 0;
    }
}
