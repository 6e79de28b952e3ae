/* Request: one HTTP request in progress, from its header to its answer.
 *
 *   on_headers ─► route, query, token ─► on_request ─► handler ─► [store ─► …] ─► reply ─► gone
 *
 * It owns all that its answer needs. A handler either answers at once or submits one request to
 * the store, `op`, whose `done` goes on; it may do so several times, one after the other. The
 * functions of reply.h end the request: nothing of it may be touched afterwards.
 *
 * Thread: the api's loop. */
#ifndef API_REQUEST_H
#define API_REQUEST_H

#include "api/bookmark.h"
#include "api/elsewhere.h"
#include "api/explainer.h"
#include "api/misdirected.h"
#include "api/query.h"
#include "api/router.h"
#include "core/clock.h"
#include "core/health_board.h"
#include "core/residency.h"
#include "signer/digest.h"
#include "signer/keyring.h"
#include "signer/token.h"
#include "store/background.h"
#include "store/deliveries.h"
#include "store/expunge.h"
#include "store/once.h"
#include "store/store.h"
#include "wire/json.h"
#include "wire/noun_in.h"
#include "wire/server.h"

/* What the requests of one api share; the api's. */
struct services {
    struct store *store;
    const struct keyring *keyring;
    struct id_source *ids;
    struct catalog *catalog;
    const struct topology *topology;
    struct health_follower health;
    struct elsewhere *elsewhere; /* NULL: there is no way to other regions */
    struct explainer *explainer;
    struct rekeyer *rekeyer;
    bool peers;             /* all requests were carried here by one */
    const char *portal_url; /* NULL: not said */
    struct list carried;    /* requests under way to another */
    struct misdirected misdirected;
    struct bookmark_signer *signer;
    struct bookmark here;  /* how far the replicas reach */
    struct list waiting;   /* requests, for news of others; see session.h */
    size_t waiting_count;  /* of them */
    uv_timer_t waited;     /* fires at wake_mono_ms, while one waits */
    uint64_t wake_mono_ms; /* when the first of them has waited long enough */
    struct digest *digest;
    struct inbox inbox; /* where the store answers */
    uint64_t started_mono_ms;
    uint64_t probed_mono_ms; /* when a health check asked the store; 0 = it has answered */
    size_t requests;         /* that aren't answered yet */
    void (*ended)(struct services *services); /* after each */
};

enum consistency { CONSISTENCY_SESSION, CONSISTENCY_EVENTUAL, CONSISTENCY_HOME };

/* What a client wants to see; see session.h. */
struct session {
    struct bookmark *seen; /* owned; NULL = no bookmark */
    enum consistency consistency;
    uint64_t until_mono_ms; /* it waits no longer */
    struct list waiting;    /* of services->waiting */
};

/* What a key is known by, and the answer that it gets; see once.h. */
struct once {
    bool has_key;    /* a POST's */
    bool is_settled; /* the answer needn't be held any more */
    uint8_t hash[IDEMPOTENCY_HASH_LEN];
    struct store_once kept;
    store_done *done; /* the handler's */
    unsigned status;  /* of the answer that stands ready */
    bool has_body;    /* in `reply` */
};

/* The edit of a configuration object; see objects.h. */
struct edit {
    struct object *object; /* its next state; a reference */
    bool (*next)(struct request *r);
    void (*then)(struct request *r); /* see bring.h */
    bool is_new;
    unsigned status; /* of the answer, when all went well and it isn't new */
    unsigned tries;
};

/* Event types that a document describes, and what they make of those that are there; see
 * event_type_import.c. */
struct event_type_import {
    struct openapi_in in;
    size_t modified, count; /* the first of them come from the document; others are archived */
    struct event_type **types; /* the next states; a reference each */
    unsigned tries;
};

/* Attempts to an endpoint as they are counted, some at a time; see endpoint_stats.c. */
struct endpoint_stats {
    uint64_t counts[ATTEMPT_STATUSES];
    unsigned steps;
};

struct request {
    struct services *services;
    struct exchange *exchange;
    struct now now; /* when its header was complete */
    struct route_match match;
    struct token token;
    struct query query;
    struct residency_decision decision; /* where there are several regions */
    const struct region *home;          /* of what it is about; NULL = not known */
    bool awaits_application;            /* it is another region's and may be about to arrive */
    bool relayed;                       /* the answer is another region's */
    struct session session;
    struct once once;
    struct list carried;             /* of services->carried */
    struct application *application; /* of the path; a reference */
    struct json *body;               /* once request_read_body() took it */
    struct buf reply;
    struct json_writer writer; /* into `reply` */

    struct edit edit;
    struct event_type_import import;
    struct message_in message;
    struct id receiver; /* the only one of it, if it is an example */
    struct endpoint_stats stats;
    struct bulk_expunge {
        struct text_list ids;
        size_t at; /* the one whose turn it is */
    } bulk_expunge;
    struct background_task background; /* to be begun */
    struct token *new_token;           /* to be handed out; owned */
    struct usage {
        struct text_list ids, unresolved; /* as asked for, and those of them that aren't here */
        struct application **applications; /* a reference each */
        size_t count;
    } usage; /* what a task that counts is to be about; see usage.c */
    union {
        struct store_put put;
        struct store_put_event_types put_event_types;
        struct store_drain drain;
        struct store_list_objects list_objects;
        struct store_append append;
        struct store_get_message get_message;
        struct store_list_messages list_messages;
        struct store_list_attempts list_attempts;
        struct store_list_destinations list_destinations;
        struct store_list_tried list_tried;
        struct store_count_attempts count_attempts;
        struct store_get_attempt get_attempt;
        struct store_expunge_message expunge_message;
        struct store_expunge_attempt expunge_attempt;
        struct store_resend resend;
        struct store_start_background start_background;
        struct store_get_background get_background;
        struct store_list_background list_background;
        struct store_recall recall;
        struct errand errand;
    } op;
};

struct request *request_new(struct services *services, struct exchange *exchange);
void request_free(struct request *r);

/* The request that waits for `req`, the first member of its `op`. */
struct request *request_of(struct store_req *req);

/* How `op` comes back. */
struct store_req request_waits(struct request *r, store_done *done);

/* The application that the path's first part names by id or uid, as far as the token may see
 * it; NULL if there is none. Of a route to operational endpoints the organization's management
 * application, which no path and no body names. Borrowed from the catalog. */
struct application *request_look_up_application(const struct request *r);

/* The one that the token is for; NULL: it is the organization's, or its application is gone. */
struct application *request_application_of_token(const struct request *r);

/* Likewise, of this name. */
struct application *request_application_named(const struct request *r, const char *name);

/* The same as `r->application`. find: when there is none, answered with 404. */
MUST_USE bool request_take_application(struct request *r);
MUST_USE bool request_find_application(struct request *r);

/* Of r->application, by id or uid. Borrowed from the catalog; NULL if there is none. */
struct endpoint *request_look_up_endpoint(const struct request *r, const char *name);

/* The same of the path. find: NULL: answered with 404. */
struct endpoint *request_look_up_path_endpoint(const struct request *r);
struct endpoint *request_find_endpoint(struct request *r);

/* The body as an object, into r->body; false: answered with 422. An empty body is one unless
 * `needed`, and leaves r->body NULL. */
MUST_USE bool request_read_body(struct request *r, bool needed);

#endif
