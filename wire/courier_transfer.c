#include "wire/courier_transfer.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "wire/shortage.h"
#include "wire/tls_pins.h"

#define CONNECT_TIMEOUT_MS 10000
#define LOW_SPEED_TIME_S   60 /* with less than a byte a second */
#define CURL_ROUNDING_MS   1  /* its clock is that much early when microseconds carry */
#define CA_CACHE_TIMEOUT_S 86400
#define CONNECTION_IDLE_S  90
#define REASON_HOST_MAX    100 /* bytes of a host name in a reason */

static curl_socket_t on_open_socket(void *ctx, curlsocktype purpose,
                                    struct curl_sockaddr *address);
static CURLcode on_ssl_context(CURL *easy, void *ssl_ctx, void *pins);
static size_t on_header(char *bytes, size_t size, size_t count, void *ctx);
static size_t on_body(char *bytes, size_t size, size_t count, void *ctx);

/* libcurl copies strings and refuses only when memory does. */
#define SET(option, value)                                                                     \
    do {                                                                                       \
        if (curl_easy_setopt(t->easy, option, value) != CURLE_OK)                              \
            abort();                                                                           \
    } while (0)

static void set_up_limits(struct transfer *t)
{
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NOPROXY, "*");
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_HTTP09_ALLOWED, 0L);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
    SET(CURLOPT_LOW_SPEED_TIME, (long)LOW_SPEED_TIME_S);
    SET(CURLOPT_MAXAGE_CONN, (long)CONNECTION_IDLE_S);
}

static void set_blob(struct transfer *t, CURLoption option, const char *pem)
{
    const struct curl_blob blob = { .data = (char *)pem, .len = strlen(pem) };

    SET(option, &blob);
}

/* The peer is checked by its pins alone, in OpenSSL's handshake. */
static void set_up_identity(struct transfer *t, const struct courier_identity *identity)
{
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
    SET(CURLOPT_SSL_VERIFYHOST, 0L);
    SET(CURLOPT_CAINFO, NULL);
    set_blob(t, CURLOPT_SSLCERT_BLOB, identity->certificate);
    set_blob(t, CURLOPT_SSLKEY_BLOB, identity->key);
    SET(CURLOPT_SSL_CTX_FUNCTION, on_ssl_context);
    SET(CURLOPT_SSL_CTX_DATA, (void *)identity->pins);
}

/* A CA directory, which Debian's libcurl has by default, would keep the parsed CA file from
 * being cached. */
static void set_up_tls(struct transfer *t)
{
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_CAPATH, NULL);
    SET(CURLOPT_CA_CACHE_TIMEOUT, (long)CA_CACHE_TIMEOUT_S);
    if (t->setup->ca_file)
        SET(CURLOPT_CAINFO, t->setup->ca_file);
    if (t->setup->identity)
        set_up_identity(t, t->setup->identity);
}

static void set_up_callbacks(struct transfer *t)
{
    SET(CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    SET(CURLOPT_OPENSOCKETDATA, t);
    SET(CURLOPT_CLOSESOCKETFUNCTION, sockets_on_close);
    SET(CURLOPT_CLOSESOCKETDATA, t->setup->sockets);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, t);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, t);
    SET(CURLOPT_ERRORBUFFER, t->error_text);
    SET(CURLOPT_PRIVATE, t);
}

static CURLcode on_ssl_context(CURL *easy, void *ssl_ctx, void *pins)
{
    (void)easy;
    tls_pins_guard(pins, ssl_ctx);
    return CURLE_OK;
}

struct transfer *transfer_new(const struct transfer_setup *setup, void *owner)
{
    struct transfer *t = xcalloc(1, sizeof *t);

    list_init(&t->link);
    t->setup = setup;
    t->owner = owner;
    t->easy = curl_easy_init();
    if (!t->easy)
        abort();
    set_up_limits(t);
    set_up_tls(t);
    set_up_callbacks(t);
    t->agent.data = (char *)setup->agent_line;
    return t;
}

void transfer_free(struct transfer *t)
{
    if (!t)
        return;
    curl_easy_cleanup(t->easy);
    target_unref(t->target);
    free(t);
}

static void set_target(struct transfer *t, struct target *target)
{
    if (t->target == target)
        return;
    target_ref(target);
    target_unref(t->target);
    t->target = target;
    SET(CURLOPT_URL, target->url); /* for its messages; it goes by the parts */
    SET(CURLOPT_CURLU, target->parts);
    SET(CURLOPT_CUSTOMREQUEST, target->method);
    SET(CURLOPT_CONNECT_TO, target->is_literal ? NULL : &target->pin);
}

/* The call's lines in embedded nodes, then the target's. The user agent is one of them, for
 * libcurl formats its own option's twice. */
static void set_headers(struct transfer *t)
{
    struct curl_slist *list = &t->agent;

    t->agent.next = t->target->headers;
    for (size_t i = CALL_HEADERS_MAX; i-- > 0;) {
        if (!t->call->headers[i])
            continue;
        t->lines[i] = (struct curl_slist){ .data = (char *)t->call->headers[i], .next = list };
        list = &t->lines[i];
    }
    SET(CURLOPT_HTTPHEADER, list);
}

static void set_body(struct transfer *t)
{
    const struct call *call = t->call;

    if (t->target->sends_body || call->body) {
        SET(CURLOPT_POSTFIELDS, call->body ? call->body : "");
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_len);
    } else {
        SET(CURLOPT_HTTPGET, 1L);
    }
}

enum err transfer_begin(struct transfer *t, struct call *call)
{
    t->call = call;
    call->transfer = t;
    call->err = ERR_OK;
    call->reason[0] = 0;
    call->status = 0;
    call->retry_after_s = 0;
    call->duration_ms = 0;
    call->response = BUF_INIT(call->response_kept);
    t->started_ns = uv_hrtime();
    t->header_bytes = 0;
    t->body_bytes = 0;
    t->header_is_whole = false;
    t->was_denied = false;
    t->socket_error = 0;
    t->fd = CURL_SOCKET_BAD;
    t->pretransfer_us = 0;
    t->error_text[0] = 0;
    set_target(t, call->target);
    for (size_t i = 0; i < CALL_HEADERS_MAX; i++) {
        if (call->headers[i] && !header_line_is_good(call->headers[i])) {
            transfer_settle(t, ERR_INVALID, "a header line is malformed");
            return ERR_INVALID;
        }
    }
    return ERR_OK;
}

static uint32_t elapsed_ms(const struct transfer *t)
{
    return (uint32_t)((uv_hrtime() - t->started_ns) / 1000000);
}

static void settle_timeout(struct transfer *t)
{
    uint32_t ms = t->call->timeout_ms;

    if (ms % 1000 == 0)
        transfer_settle(t, ERR_TIMEOUT, "timed out after %u s", ms / 1000);
    else
        transfer_settle(t, ERR_TIMEOUT, "timed out after %u ms", ms);
}

bool transfer_prepare(struct transfer *t)
{
    uint32_t spent_ms = elapsed_ms(t);

    if (spent_ms >= t->call->timeout_ms) {
        settle_timeout(t);
        return false;
    }
    set_headers(t);
    set_body(t);
    SET(CURLOPT_TIMEOUT_MS, (long)(t->call->timeout_ms - spent_ms));
    return true;
}

static curl_off_t pretransfer_us(const struct transfer *t)
{
    curl_off_t us = 0;

    curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &us);
    return us;
}

/* Each connection that is ready for a request adds to this time: a kept one that turned out to
 * be dead, and then the new one that was opened in its place. */
static bool has_connected(const struct transfer *t)
{
    return pretransfer_us(t) > t->pretransfer_us;
}

static curl_socket_t on_open_socket(void *ctx, curlsocktype purpose,
                                    struct curl_sockaddr *address)
{
    struct transfer *t = ctx;

    if (purpose != CURLSOCKTYPE_IPCXN || !egress_allows(t->setup->egress, &address->addr)) {
        t->was_denied = true;
        t->denied = (union address){ 0 };
        memcpy(&t->denied, &address->addr,
               address->addrlen < sizeof t->denied ? address->addrlen : sizeof t->denied);
        return CURL_SOCKET_BAD;
    }
    t->pretransfer_us = pretransfer_us(t);
    t->fd = sockets_open(t->setup->sockets, address, t);
    if (t->fd == CURL_SOCKET_BAD)
        t->socket_error = errno;
    return t->fd;
}

static size_t line_len(const char *line, size_t len)
{
    while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n'))
        len--;
    return len;
}

/* Line by line, those of a 100 Continue included. */
static size_t on_header(char *bytes, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    size_t len = size * count;

    if (len > 5 && memcmp(bytes, "HTTP/", 5) == 0)
        t->header_is_whole = false;
    else if (len > 0 && (bytes[0] == '\r' || bytes[0] == '\n'))
        t->header_is_whole = true;
    t->header_bytes += len;
    if (t->header_bytes > HEADER_BYTES_MAX)
        return 0;
    if (t->call->heard)
        t->call->heard(t->call, bytes, line_len(bytes, len));
    return len;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    struct call *call = t->call;
    size_t len = size * count;
    size_t room = call->response_kept - call->response.len;

    t->body_bytes += len;
    if (buf_append(&call->response, bytes, len < room ? len : room) != ERR_OK)
        return 0;
    return t->body_bytes <= call->response_max ? len : 0;
}

void transfer_settle(struct transfer *t, enum err err, const char *format, ...)
{
    struct call *call = t->call;
    va_list args;

    t->state = TRANSFER_SETTLED;
    call->err = err;
    call->duration_ms = elapsed_ms(t);
    va_start(args, format);
    vsnprintf(call->reason, sizeof call->reason, format, args);
    va_end(args);
}

/* libcurl is content with a header that ends where the connection does. */
static void settle_answer(struct transfer *t)
{
    long status = 0;
    curl_off_t retry_after_s = 0;

    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    if (!t->header_is_whole || status < 200) {
        transfer_settle(t, ERR_UNAVAILABLE, "the connection was closed within the answer");
        return;
    }
    transfer_settle(t, ERR_OK, "%s", "");
    t->call->status = (unsigned)status;
    if (status < 300)
        return;
    curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    if (retry_after_s > 0)
        t->call->retry_after_s =
            retry_after_s < UINT32_MAX ? (uint32_t)retry_after_s : UINT32_MAX;
}

/* libcurl's own words on TLS end with what matters: "…: self-signed certificate". */
static const char *last_words(const struct transfer *t)
{
    const char *words = t->error_text;

    for (const char *p; (p = strstr(words, ": "));)
        words = p + 2;
    return words;
}

static void settle_distrust(struct transfer *t)
{
    long result = 0;
    const char *why = NULL;

    if (t->setup->identity && !curl_easy_getinfo(t->easy, CURLINFO_SSL_VERIFYRESULT, &result))
        why = tls_pins_why(result);
    if (why)
        transfer_settle(t, ERR_UNAVAILABLE, "the peer %s", why);
    else
        transfer_settle(t, ERR_UNAVAILABLE, "certificate not trusted: %s", last_words(t));
}

static void settle_overdue(struct transfer *t)
{
    if (elapsed_ms(t) + CURL_ROUNDING_MS >= t->call->timeout_ms)
        settle_timeout(t);
    else if (!has_connected(t))
        transfer_settle(t, ERR_TIMEOUT, "no connection within %d s", CONNECT_TIMEOUT_MS / 1000);
    else
        transfer_settle(t, ERR_TIMEOUT, "the connection fell silent");
}

static void settle_no_connection(struct transfer *t)
{
    long number = t->socket_error;

    if (t->was_denied) {
        transfer_settle_denied(t, &t->denied);
        return;
    }
    if (!number)
        curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &number);
    transfer_settle(t, is_shortage(t->socket_error) ? ERR_BUSY : ERR_UNAVAILABLE, "%s",
                    number ? strerrordesc_np((int)number) : "no connection");
    t->call->reason[0] = (char)tolower((unsigned char)t->call->reason[0]);
}

/* One of our callbacks stopped it. */
static void settle_cut(struct transfer *t)
{
    if (t->header_bytes > HEADER_BYTES_MAX)
        transfer_settle(t, ERR_LIMIT, "the answer's header is too long");
    else
        settle_answer(t);
}

/* from_curl: the one place where libcurl's codes are read. */
void transfer_settle_result(struct transfer *t, CURLcode result)
{
    switch ((int)result) { /* of its hundred codes those that occur here */
    case CURLE_OK:
        settle_answer(t);
        break;
    case CURLE_WRITE_ERROR:
        settle_cut(t);
        break;
    case CURLE_OPERATION_TIMEDOUT:
        settle_overdue(t);
        break;
    case CURLE_COULDNT_CONNECT:
        settle_no_connection(t);
        break;
    case CURLE_PEER_FAILED_VERIFICATION:
        settle_distrust(t);
        break;
    case CURLE_SSL_CONNECT_ERROR:
        transfer_settle(t, ERR_UNAVAILABLE, "no TLS connection: %s", last_words(t));
        break;
    case CURLE_SSL_CACERT_BADFILE:
        transfer_settle(t, ERR_UNAVAILABLE, "the file of trusted certificates can't be read");
        break;
    case CURLE_GOT_NOTHING:
        transfer_settle(t, ERR_UNAVAILABLE, "the connection was closed without an answer");
        break;
    case CURLE_PARTIAL_FILE:
        transfer_settle(t, ERR_UNAVAILABLE, "the connection was closed within the answer");
        break;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
        transfer_settle(t, ERR_UNAVAILABLE, "the connection broke");
        break;
    case CURLE_OUT_OF_MEMORY: /* what libcurl says of an endless header line */
        transfer_settle(t, ERR_LIMIT, "the answer's header is too long");
        break;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
        transfer_settle(t, ERR_UNAVAILABLE, "the answer isn't HTTP");
        break;
    default:
        transfer_settle(t, ERR_UNAVAILABLE, "the request failed: %s",
                        curl_easy_strerror(result));
    }
}

void transfer_settle_lookup(struct transfer *t)
{
    const char *host = t->target->host;

    if (t->lookup.err == ERR_CANCELED)
        transfer_settle(t, ERR_CANCELED, "canceled");
    else if (t->lookup.err == ERR_TIMEOUT && t->call->timeout_ms < LOOKUP_MAX_MS)
        settle_timeout(t);
    else if (t->lookup.err == ERR_NOT_FOUND)
        transfer_settle(t, ERR_UNAVAILABLE, "name not found: %.*s", REASON_HOST_MAX, host);
    else if (t->lookup.err == ERR_BUSY)
        transfer_settle(t, ERR_UNAVAILABLE, "too many names are being looked up");
    else
        transfer_settle(t, ERR_UNAVAILABLE, "no answer from the name servers for %.*s",
                        REASON_HOST_MAX, host);
}

void transfer_settle_denied(struct transfer *t, const union address *address)
{
    char text[ADDRESS_TEXT_MAX];

    address_format(address, text);
    transfer_settle(t, ERR_DENIED, "%s is not a public address", text);
}

bool transfer_found_nobody(const struct transfer *t)
{
    return (t->call->err == ERR_UNAVAILABLE || t->call->err == ERR_TIMEOUT) &&
           !has_connected(t);
}

void transfer_leave(struct transfer *t)
{
    if (t->fd != CURL_SOCKET_BAD && !has_connected(t))
        sockets_forget(t->setup->sockets, t->fd, t);
}

struct call *transfer_release(struct transfer *t)
{
    struct call *call = t->call;

    call->transfer = NULL;
    t->call = NULL;
    t->state = TRANSFER_IDLE;
    return call;
}
