/* Path: what is known of the ways from regions to receivers, from the deliveries and probes that
 * took them.
 *
 * A way is from a region to a host, not to an endpoint: what many endpoints of one host learn, each
 * of them knows. For each there are
 *
 *   a round trip   EWMA, a fifth of each new one; that of deliveries goes before that of probes
 *   a first byte   the median of the newest 64 deliveries within an hour, from the request to the
 *                  answer's first byte
 *   reuse          how many timed requests found a connection open; half is forgotten every 1024
 *   a circuit      open after 3 transport failures in a row, until all has gone well for 5 minutes
 *
 *   CLOSED ── 3 failures in a row ──► OPEN ── good for 5 min ──► CLOSED
 *
 * A failure of ten minutes ago says nothing of now, unless the circuit is open: it stays in the
 * row, but isn't shown. What is a day old isn't known any more. An answer is a success of the way
 * whatever its status: a 500 is the endpoint talking.
 *
 * Bounded: beyond `limit` ways the one that was used longest ago is forgotten.
 *
 * Pure but for memory; all arithmetic in whole microseconds. Thread: one. */
#ifndef REGION_PATH_H
#define REGION_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/clock.h"

#define PATHS_MAX         4096 /* a limit that will do; about 3 MiB */
#define PATH_SAMPLES      64
#define PATH_FAILURES_MAX 3
#define PATH_FAILED_MS    (10 * 60 * 1000) /* so long a failure says something of now */
#define PATH_GOOD_MS      (5 * 60 * 1000)  /* until an open circuit is closed */
#define PATH_SAMPLE_MS    (60 * 60 * 1000)
#define PATH_AGE_MS       (24 * 60 * 60 * 1000)
#define PATH_PROBE_MS     (60 * 60 * 1000) /* between probes of a way that nothing is known of */
#define PATH_REPROBE_MS   (60 * 1000)      /* and of one whose circuit is open */

/* Where a number is from, the less known first. */
enum path_source {
    PATH_UNKNOWN,
    PATH_BOUND,    /* no more than this: by way of a region that knows */
    PATH_GEO,      /* by the distance */
    PATH_PROBE,    /* measured by a connection without a request */
    PATH_DELIVERY, /* measured by requests */
    PATH_SUPPOSED, /* what if */
    PATH_SOURCES,  /* how many there are */
};

const char *path_source_name(enum path_source source); /* "delivery" */

/* A way at one instant. */
struct path_view {
    enum path_source source;   /* of the round trip: UNKNOWN, PROBE, DELIVERY or SUPPOSED */
    uint32_t rtt_us;           /* 0 when unknown */
    uint32_t age_s;            /* of its newest sample */
    uint32_t first_byte_us;    /* the median; 0 when first_byte_count is */
    uint32_t first_byte_count; /* of samples that it is of */
    uint32_t requests;         /* that `reused` is of */
    uint32_t reused;           /* of them: on a connection that was there */
    uint32_t failures;         /* in a row, the last of them just now */
    bool open;                 /* its circuit */
};

struct path;
struct paths;

struct paths *paths_new(size_t limit);
void paths_free(struct paths *paths); /* NULL does nothing */
size_t paths_count(const struct paths *paths);

/* How many bytes of a URL in normal form name its host: "https://h:8443". */
size_t path_host_len(const char *url);

/* The way from the region of this ordinal to the host of `url`. find: NULL when nothing is known;
 * take: there is one afterwards. Valid until the next take. */
struct path *paths_find(struct paths *paths, uint8_t ordinal, const char *url);
struct path *paths_take(struct paths *paths, uint8_t ordinal, const char *url);

/* What came of a request. 0: not known. */
struct path_sample {
    uint32_t rtt_us;
    uint32_t first_byte_us; /* 0: it wasn't timed */
    bool reused;            /* unless it wasn't timed: it found a connection open */
};

/* An answer came, whatever its status. */
void path_delivered(struct path *path, const struct path_sample *sample, struct now now);

/* A connection came about, and that was all that was asked. */
void path_probed(struct path *path, uint32_t rtt_us, struct now now);

/* Whether a probe would be good for something: nothing was measured for a day, or the circuit is open
 * and may be closed; the last was asked for long enough ago. And that one is asked for now. */
bool path_wants_probe(const struct path *path, struct now now);
void path_asked(struct path *path, struct now now);

/* No connection, no TLS, or no answer in time. */
void path_failed(struct path *path, struct now now);

/* Whether a request's error counts as path_failed(); what this process or the egress policy
 * refused says nothing about the way. */
bool path_is_failure(enum err err);

struct path_view path_view(const struct path *path, struct now now); /* NULL: nothing known */

#endif
