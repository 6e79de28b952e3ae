/* Routes: what the API answers, and the functions that do.
 *
 * A new route is one entry in routes.c and one function. When a function runs, the route was
 * found, the query string read, and the token let in; it looks up the rest, in the contract's
 * order: application, body, other objects. */
#ifndef API_ROUTES_H
#define API_ROUTES_H

#include "api/request.h"
#include "wire/noun_out.h"

extern const struct route routes[];
extern const size_t route_count;

void health_get(struct request *r);
void health_ping(struct request *r);
void status_get(struct request *r);

void pages_openapi(struct request *r);
void pages_index(struct request *r);
void pages_file(struct request *r);

void regions_list(struct request *r);
void regions_get(struct request *r);
void regions_drain(struct request *r);
void regions_undrain(struct request *r);

/* By the path; NULL: answered with 404. One that is alone has no name. */
const struct region *regions_find(struct request *r);

/* A region isn't one organization's; who runs it has the one that it starts with. False: answered
 * with 403. */
bool regions_is_operator(struct request *r);

void replication_list(struct request *r);
void replication_conflicts(struct request *r);
void replication_digest(struct request *r);
void replication_reseed(struct request *r);

void master_keys_list(struct request *r);
void master_keys_reload(struct request *r);

void routes_explain(struct request *r);

void applications_list(struct request *r);
void applications_create(struct request *r);
void applications_get(struct request *r);
void applications_replace(struct request *r);
void applications_patch(struct request *r);
void applications_delete(struct request *r);

void event_types_list(struct request *r);
void event_types_create(struct request *r);
void event_types_get(struct request *r);
void event_types_replace(struct request *r);
void event_types_patch(struct request *r);
void event_types_delete(struct request *r);
void event_types_import(struct request *r);
void event_types_drop_import(struct event_type_import *import); /* free what it points to */

void endpoints_list(struct request *r);
void endpoints_create(struct request *r);
void endpoints_get(struct request *r);
void endpoints_replace(struct request *r);
void endpoints_patch(struct request *r);
void endpoints_delete(struct request *r);

void endpoint_stats_get(struct request *r);

void endpoint_secrets_get(struct request *r);
void endpoint_secrets_rotate(struct request *r);
void endpoint_headers_get(struct request *r);
void endpoint_headers_replace(struct request *r);
void endpoint_headers_patch(struct request *r);

void operational_list(struct request *r);
void operational_create(struct request *r);
void operational_replace(struct request *r);

void messages_list(struct request *r);
void messages_create(struct request *r);
void messages_get(struct request *r);
void messages_precheck(struct request *r);

/* Store r->message, for the one endpoint or with NULL for all that want it, and answer. */
void messages_append(struct request *r, const struct id *only);

/* Answer with the message that an earlier request with this one's key has made; takes the
 * reference. */
void messages_repeat(struct request *r, struct message *message);

/* How the query wants payloads shown. */
enum payload_view messages_view(const struct request *r);

/* Read the message that the path's second part names by id or event id. */
void messages_look_up(struct request *r, bool with_content, store_done *done);

/* For the one that is then called: the id alone, and the message is let go; false: answered. */
bool messages_take_id(struct request *r, const struct store_req *req, struct id *out);

void attempts_list_by_message(struct request *r);
void attempts_list_by_endpoint(struct request *r);
void attempts_get(struct request *r);

void messages_expunge(struct request *r);
void messages_expunge_all(struct request *r);
void messages_expunge_some(struct request *r);
void attempts_expunge(struct request *r);

void deliveries_resend(struct request *r);
void destinations_list(struct request *r);
void tried_list(struct request *r);

void examples_send(struct request *r);

void endpoints_recover(struct request *r);
void endpoints_replay_missing(struct request *r);
void endpoints_bulk_replay(struct request *r);

void usage_count_destinations(struct request *r);
void usage_list_event_types(struct request *r);
void usage_drop(struct usage *usage); /* free what it points to */

void background_list(struct request *r);
void background_get(struct request *r);

void portal_open(struct request *r);
void portal_expire_all(struct request *r);
void portal_log_out(struct request *r);

#endif
