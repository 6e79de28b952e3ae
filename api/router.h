/* Router: from a method and a path to the entry that answers.
 *
 * A path such as "/api/v1/app/{app}/msg" is a list of segments, each literal or a part in
 * braces that takes whatever stands there. A literal beats a part, unless nothing answers behind it. A trailing slash is
 * tolerated. Parts arrive percent-decoded; one that isn't decodable, holds a NUL, is empty or
 * longer than any name of ours matches nothing, for nothing has such a name. What answers GET
 * answers HEAD too (RFC 9110, section 9.1); the server leaves the body out.
 *
 * Pure: routes are compiled once into a tree of segments, and matching allocates nothing. */
#ifndef API_ROUTER_H
#define API_ROUTER_H

#include <stddef.h>

#include "core/err.h"
#include "core/model.h"

struct request;

enum access {
    ACCESS_ANYONE,       /* no token */
    ACCESS_ORGANIZATION, /* the organization's token only */
    ACCESS_APPLICATION,  /* the application's own tokens too */
    /* of these, those with the capability; see signer/token.h */
    ACCESS_VIEW_SECRET,
    ACCESS_MANAGE_SECRET,
    ACCESS_MANAGE_ENDPOINT,
    ACCESS_CREATE_ATTEMPTS,
};

/* Which region answers; see ingest.h. */
enum ingest {
    INGEST_HERE,      /* the one that is asked: each has it, or speaks for itself */
    INGEST_DIRECTORY, /* the one that owns what is the organization's */
    INGEST_REPLICA,   /* of the path's application: the one that is asked has a replica */
    INGEST_OWNER,     /* of the path's application: its home alone */
    INGEST_INTAKE,    /* of the path's application: where its messages are taken in */
    INGEST_MESSAGE,   /* of the path's application: where the path's message was taken in */
    INGEST_MANAGER,   /* the home of the management application, or who would make it */
    INGEST_MANAGER_REPLICA, /* the one that is asked has a replica of it, if there is one */
    INGEST_TOKEN,           /* of the token's application: its home alone */
    INGEST_REGION,          /* the one that the path names */
    INGEST_TASK,            /* the one that runs the path's background task */
};

struct route {
    const char *method;
    const char *path;
    enum access access;
    enum ingest ingest;
    unsigned query; /* the parameters it takes: QUERY_… of query.h */
    void (*handle)(struct request *r);
};

#define ROUTE_PARTS_MAX 3
#define ROUTE_ALLOW_MAX 64

struct route_match {
    const struct route *route;
    char allow[ROUTE_ALLOW_MAX]; /* on ERR_DENIED: "GET, HEAD, POST", the methods there are */
    size_t part_count;
    char parts[ROUTE_PARTS_MAX][NAME_LEN_MAX + 1];
};

struct router;

/* `routes` are borrowed while the router lives. */
struct router *router_new(const struct route *routes, size_t count);
void router_free(struct router *router); /* NULL does nothing */

/* ERR_NOT_FOUND: no such path; ERR_DENIED: not with this method. `*out` isn't initialised
 * beyond what it says; `allow` is written on ERR_DENIED. */
MUST_USE enum err router_match(const struct router *router, const char *method,
                               const char *path, struct route_match *out);

#endif
