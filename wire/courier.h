/* Courier: HTTP requests that go out, on a loop.
 *
 * libcurl's multi interface driven by uv_poll. Connections are kept and reused. A name is
 * resolved by our own resolver, each address is judged by the egress policy, and the connection
 * is pinned to one that passed; the policy judges the bytes of the address once more when the
 * socket is opened. http and https only, no redirects, no proxies, cookies, netrc or
 * decompression, whatever the environment says. A response is counted and cut.
 *
 * Thread: the loop's. Connections are never shared between couriers. */
#ifndef WIRE_COURIER_H
#define WIRE_COURIER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "core/buf.h"
#include "core/err.h"
#include "wire/egress.h"
#include "wire/round_trip.h"

struct courier;

struct tls_pins;

/* Who we are to a peer, and by which certificates we know it: https by TLS 1.3, and nothing of the
 * system's authorities or of host names. All is borrowed while the courier lives. */
struct courier_identity {
    const char *certificate, *key; /* ours, PEM */
    const struct tls_pins *pins;   /* see tls_pins.h */
};

struct courier_options {
    uv_loop_t *loop;
    const struct egress *egress;             /* borrowed while the courier lives */
    const char *user_agent;                  /* at most 100 bytes */
    const char *ca_file;                     /* NULL = the system's */
    const struct courier_identity *identity; /* NULL = none: the web's authorities */
    const char *name_servers;                /* "127.0.0.1:5353,…"; NULL = the system's */
    unsigned idle_connections;               /* kept open, most */
};

MUST_USE enum err courier_open(struct courier **out, const struct courier_options *options);

/* Cancels what is under way; `closed` runs after the last `done`. */
void courier_close(struct courier *c, void (*closed)(void *ctx), void *ctx);

/* Where to. */

#define URL_LEN_MAX 2048 /* bytes of a URL we accept */

/* Parse a URL as a receiver's and write its normal form ("http://h" → "http://h/").
 * ERR_INVALID: `*out_why` says what is wrong, a fixed text: another scheme than http and https,
 * user info, control, white-space or non-ASCII characters, a backslash, no host, port 0, too
 * long. */
MUST_USE enum err courier_url(const char *url, struct buf *out, const char **out_why);

/* A URL and the header lines that are the same in every request to it, prepared once. */
struct target;

/* `url` in normal form; `headers`: "Name: value" lines, copied. ERR_INVALID: a line isn't a
 * header, or it names one that is ours (host, content-length, transfer-encoding, connection,
 * user-agent). */
MUST_USE enum err target_new(const char *method, const char *url,
                             const struct text_list *headers, struct target **out);
struct target *target_ref(struct target *target);
void target_unref(struct target *target); /* one thread: the courier's */

/* A request. */

#define CALL_HEADERS_MAX 4
#define CALL_REASON_MAX  160

/* How long steps took; 0 = not known, or there was no such step. */
struct call_times {
    uint32_t connect_us;    /* TCP; 0 on a kept connection */
    uint32_t tls_us;        /* 0 on a kept connection */
    uint32_t first_byte_us; /* from then on, or from the start, to the answer's first byte */
    struct round_trip rtt;  /* of the connection, by the end of the answer's header */
};

struct call {
    /* in */
    struct target *target; /* the courier keeps a reference while it is under way */
    /* "Name: value" lines of this request alone; borrowed, NULL = none */
    const char *headers[CALL_HEADERS_MAX];
    const void *body;     /* borrowed until `done`; NULL = none */
    size_t body_len;      /* bytes */
    uint32_t timeout_ms;  /* for everything, resolving included */
    size_t response_kept; /* bytes to keep of the answer's body */
    size_t response_max;  /* bytes to read before hanging up */
    bool is_timed;        /* fill in `times`: costs a system call */
    /* Optional: each line of the answer's header, status lines and a 100 Continue's among them,
     * without its end; borrowed for the call. */
    void (*heard)(struct call *call, const char *line, size_t len);
    void (*done)(struct call *call);

    /* out */
    /* ERR_OK: an answer came, whatever its status. ERR_DENIED: egress, nothing was sent;
     * ERR_TIMEOUT; ERR_CANCELED; ERR_UNAVAILABLE: no connection, or it broke; ERR_LIMIT: too long
     * a header; ERR_BUSY: this process has no socket to spare; ERR_INVALID: a line of `headers`
     * isn't one; or the courier has an identity, and the target isn't https. */
    enum err err;
    bool is_distrust; /* with ERR_UNAVAILABLE: within TLS one side refused the other */
    char reason[CALL_REASON_MAX]; /* when not ERR_OK: a sentence for the subscriber */
    unsigned status;
    struct buf response;    /* up to response_kept bytes; buf_fini() it */
    uint32_t retry_after_s; /* from Retry-After, seconds or date; 0 = none */
    uint32_t duration_ms;
    struct call_times times; /* all 0 unless is_timed */

    /* private to wire/ */
    void *transfer;
};

/* `done` runs exactly once, never inside this call. */
void courier_send(struct courier *c, struct call *call);

/* Hasten `done`, with ERR_CANCELED. */
void courier_cancel(struct courier *c, struct call *call);

/* Requests under way. */
size_t courier_active(const struct courier *c);

#endif
