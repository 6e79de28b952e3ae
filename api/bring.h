/* Bring: an application that comes along with the first request for it, as the body's "application".
 *
 *   bring_read ─► bring_make ─► [ingest_new: elsewhere] ─► on_made ─► then
 *
 * Thread: the api's loop. */
#ifndef API_BRING_H
#define API_BRING_H

#include "api/request.h"

/* The body's "application" into r->body; false: there is none. */
MUST_USE bool bring_take(struct request *r);

/* What `body` says of the path's application, as what bring_make() will make; faults are at
 * "body/application". */
void bring_read(struct request *r, const struct json *body, struct faults *faults);

/* Make it, and go on with `then` when r->application is there; else the request is carried or
 * answered. Another request may have been faster: what that one made will do. `has_payload`: it came
 * with a message. */
void bring_make(struct request *r, bool has_payload, void (*then)(struct request *r));

#endif
