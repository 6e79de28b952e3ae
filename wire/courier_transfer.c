#include "wire/courier_transfer.h"

#include <errno.h>
#include <string.h>

#include "core/mem.h"
#include "wire/tls_pins.h"

#define LOW_SPEED_TIME_S   60 /* with less than a byte a second */
#define CA_CACHE_TIMEOUT_S 86400
#define CONNECTION_IDLE_S  90
#define HTTPS              "https://"

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

/* The peer is checked by its pins alone, in OpenSSL's handshake: each time, so no session is
 * resumed. */
static void set_up_identity(struct transfer *t, const struct courier_identity *identity)
{
    SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
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
    call->times = (struct call_times){ 0 };
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
    if (t->setup->identity && strncmp(call->target->url, HTTPS, sizeof HTTPS - 1) != 0) {
        transfer_settle(t, ERR_INVALID, "a peer is spoken to by https alone");
        return ERR_INVALID;
    }
    for (size_t i = 0; i < CALL_HEADERS_MAX; i++) {
        if (call->headers[i] && !header_line_is_good(call->headers[i])) {
            transfer_settle(t, ERR_INVALID, "a header line is malformed");
            return ERR_INVALID;
        }
    }
    return ERR_OK;
}

uint32_t transfer_elapsed_ms(const struct transfer *t)
{
    return (uint32_t)((uv_hrtime() - t->started_ns) / 1000000);
}

bool transfer_prepare(struct transfer *t)
{
    uint32_t spent_ms = transfer_elapsed_ms(t);

    if (spent_ms >= t->call->timeout_ms) {
        transfer_settle_timeout(t);
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
bool transfer_has_connected(const struct transfer *t)
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
    if (t->header_is_whole && t->call->is_timed && t->fd != CURL_SOCKET_BAD)
        t->call->times.rtt = round_trip_of(t->fd); /* it may be closed with the answer */
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

bool transfer_found_nobody(const struct transfer *t)
{
    return (t->call->err == ERR_UNAVAILABLE || t->call->err == ERR_TIMEOUT) &&
           !transfer_has_connected(t);
}

void transfer_leave(struct transfer *t)
{
    if (t->fd != CURL_SOCKET_BAD && !transfer_has_connected(t))
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
