/* Objects: what applications, endpoints and event types have in common: lists and edits.
 *
 * An edit reads the newest state from the catalog, makes the next one and puts it into the
 * store. When another edit came first it is made again from that one's result, a bounded number
 * of times.
 *
 * Thread: the api's loop. */
#ifndef API_OBJECTS_H
#define API_OBJECTS_H

#include "api/request.h"

/* Answer with the page asked for. */
void objects_list(struct request *r, enum object_kind kind);

/* Run `next` and store what it made, then answer with `status`: 204 has no body, others show
 * the object. `next` hands the next state to edit_new() or edit_old() and fills it in, or
 * answers the request and returns false. It may run more than once, so it keeps nothing. */
void objects_edit(struct request *r, bool (*next)(struct request *r), unsigned status);

/* `object` is this edit's, its own reference included: one without a past, which is answered
 * with 201, or a copy of the current one. */
void edit_new(struct request *r, struct object *object);
void edit_old(struct request *r, struct object *copy);

/* Store the object of this edit; `req` is what request_waits() or once_write() returned. */
void edit_store(struct request *r, struct store_req req);

#endif
