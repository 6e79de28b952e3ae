/* How a call ended, in our words. */
#include "wire/courier_transfer.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "wire/shortage.h"
#include "wire/tls_pins.h"

#define CURL_ROUNDING_MS 1   /* its clock is that much early when microseconds carry */
#define REASON_HOST_MAX  100 /* bytes of a host name in a reason */

void transfer_settle(struct transfer *t, enum err err, const char *format, ...)
{
    struct call *call = t->call;
    va_list args;

    t->state = TRANSFER_SETTLED;
    call->err = err;
    call->duration_ms = transfer_elapsed_ms(t);
    va_start(args, format);
    vsnprintf(call->reason, sizeof call->reason, format, args);
    va_end(args);
}

void transfer_settle_timeout(struct transfer *t)
{
    uint32_t ms = t->call->timeout_ms;

    if (ms % 1000 == 0)
        transfer_settle(t, ERR_TIMEOUT, "timed out after %u s", ms / 1000);
    else
        transfer_settle(t, ERR_TIMEOUT, "timed out after %u ms", ms);
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

/* libcurl's words on an alert of the peer's: "…: tlsv13 alert certificate required, errno 0". */
static bool settle_alert(struct transfer *t)
{
    const char *alert = strstr(t->error_text, " alert ");

    if (!alert)
        return false;
    alert += strlen(" alert ");
    t->call->is_distrust = true;
    transfer_settle(t, ERR_UNAVAILABLE, "refused within TLS: %.*s", (int)strcspn(alert, ","),
                    alert);
    return true;
}

static void settle_distrust(struct transfer *t)
{
    long result = 0;
    const char *why = NULL;

    t->call->is_distrust = true;
    if (t->setup->identity && !curl_easy_getinfo(t->easy, CURLINFO_SSL_VERIFYRESULT, &result))
        why = tls_pins_why(result);
    if (why)
        transfer_settle(t, ERR_UNAVAILABLE, "the peer %s", why);
    else
        transfer_settle(t, ERR_UNAVAILABLE, "certificate not trusted: %s", last_words(t));
}

static void settle_overdue(struct transfer *t)
{
    if (transfer_elapsed_ms(t) + CURL_ROUNDING_MS >= t->call->timeout_ms)
        transfer_settle_timeout(t);
    else if (!transfer_has_connected(t))
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

static curl_off_t read_us(const struct transfer *t, CURLINFO what)
{
    curl_off_t us = 0;

    curl_easy_getinfo(t->easy, what, &us);
    return us;
}

/* From one instant of a call to a later one; 0 when that wasn't reached. */
static uint32_t between(curl_off_t from_us, curl_off_t to_us)
{
    return to_us > from_us && to_us - from_us <= UINT32_MAX ? (uint32_t)(to_us - from_us) : 0;
}

/* Of a kept connection: libcurl tells which it was once it is kept again. */
static void read_round_trip(const struct transfer *t, struct call_times *out)
{
    curl_socket_t fd = CURL_SOCKET_BAD;

    if (curl_easy_getinfo(t->easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK &&
        fd != CURL_SOCKET_BAD)
        out->rtt = round_trip_of(fd);
}

static void read_times(const struct transfer *t, struct call_times *out)
{
    curl_off_t connected_us = read_us(t, CURLINFO_CONNECT_TIME_T);
    long connections = 0;

    curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &connections);
    if (connections > 0) {
        out->connect_us = between(read_us(t, CURLINFO_NAMELOOKUP_TIME_T), connected_us);
        out->tls_us = between(connected_us, read_us(t, CURLINFO_APPCONNECT_TIME_T));
    }
    out->first_byte_us = between(read_us(t, CURLINFO_PRETRANSFER_TIME_T),
                                 read_us(t, CURLINFO_STARTTRANSFER_TIME_T));
    if (t->fd == CURL_SOCKET_BAD)
        read_round_trip(t, out);
}

/* from_curl: the one place where libcurl's codes are read. */
void transfer_settle_result(struct transfer *t, CURLcode result)
{
    if (t->call->is_timed)
        read_times(t, &t->call->times);
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
    case CURLE_SSL_CERTPROBLEM:
        transfer_settle(t, ERR_UNAVAILABLE, "our certificate or its key can't be used");
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
        if (!settle_alert(t))
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
        transfer_settle_timeout(t);
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
