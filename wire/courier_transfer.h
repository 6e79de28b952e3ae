/* Transfer: an easy handle that carries one call after another: private to the courier.
 *
 * The handle is set up once; for each call only what differs is set.
 *
 * Thread: the courier's. */
#ifndef WIRE_COURIER_TRANSFER_H
#define WIRE_COURIER_TRANSFER_H

#include <curl/curl.h>

#include "core/list.h"
#include "wire/courier_sockets.h"
#include "wire/courier_target.h"

#define HEADER_BYTES_MAX   16384 /* of an answer, all its lines */
#define CONNECT_TIMEOUT_MS 10000

enum transfer_state {
    TRANSFER_IDLE, /* in the pool */
    TRANSFER_RESOLVING,
    TRANSFER_SENDING, /* libcurl has it */
    TRANSFER_SETTLED, /* `done` is due */
};

/* What every transfer of one courier has in common. */
struct transfer_setup {
    const struct egress *egress;
    struct sockets *sockets;
    const char *agent_line; /* "User-Agent: …" */
    const char *ca_file;
    const struct courier_identity *identity; /* NULL = none */
};

struct transfer {
    struct list link; /* in the courier's list for its state */
    enum transfer_state state;
    const struct transfer_setup *setup;
    void *owner; /* the courier */
    CURL *easy;
    struct target *target; /* a reference: what `easy` is set to, also while idle */
    struct call *call;     /* NULL while idle */
    struct lookup lookup;
    /* The header: the call's lines, the user agent, the target's lines. */
    struct curl_slist lines[CALL_HEADERS_MAX], agent;
    uint64_t started_ns;
    size_t header_bytes;
    size_t body_bytes;
    bool header_is_whole; /* of the latest answer; a 100 Continue is one, too */
    bool was_denied;      /* by egress, when the socket was opened: to `denied` */
    union address denied;
    int socket_error;          /* errno, if the process had no socket to give */
    curl_socket_t fd;          /* the last opened for this call; CURL_SOCKET_BAD: none */
    curl_off_t pretransfer_us; /* libcurl's, when it was opened: see transfer_has_connected() */
    char error_text[CURL_ERROR_SIZE];
};

/* `setup` and `owner` are borrowed while it lives. */
struct transfer *transfer_new(const struct transfer_setup *setup, void *owner);
void transfer_free(struct transfer *t);

/* Take `call` on. ERR_INVALID: as the call's, and it is settled. */
MUST_USE enum err transfer_begin(struct transfer *t, struct call *call);

/* Set the handle for the call; false: its time is over, and it is settled. The target is pinned
 * if its host isn't an address. */
bool transfer_prepare(struct transfer *t);

uint32_t transfer_elapsed_ms(const struct transfer *t);

/* It got a connection that was ready for its request. */
bool transfer_has_connected(const struct transfer *t);

/* Record how it ended: courier_settle.c. */
void transfer_settle(struct transfer *t, enum err err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void transfer_settle_timeout(struct transfer *t);
void transfer_settle_result(struct transfer *t, CURLcode result);
void transfer_settle_lookup(struct transfer *t);
void transfer_settle_denied(struct transfer *t, const union address *address);

/* True if no connection came about: another address might do better. */
bool transfer_found_nobody(const struct transfer *t);

/* libcurl doesn't have it any more: see to the socket that it opened. */
void transfer_leave(struct transfer *t);

/* Back into the pool; the call is the caller's again. */
struct call *transfer_release(struct transfer *t);

#endif
