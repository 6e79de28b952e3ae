/* Ingest: which region answers a request, and how it gets there.
 *
 * By the route, the path's application and core/residency.h, before the body is read:
 *
 *   ingest_decide ─► here: on_request ─► the route's function
 *        │     └───► carried: on_request ─► carry_request ─► … ─► the other region's answer
 *        └─► answered: 307, 421, 503 or 508
 *
 * Where a new application lives is in its body: ingest_new() is asked when that has been read. In a
 * region that is alone everything is here.
 *
 * Thread: the api's loop. */
#ifndef API_INGEST_H
#define API_INGEST_H

#include "api/request.h"

/* Make r->decision of a request whose route, query and token are known. */
void ingest_decide(struct request *r);

/* Answer it if r->decision is neither to serve nor to carry it. True: answered. */
bool ingest_turns_away(struct request *r);

/* What the body says of its residency into `next`; without a `current` one, what is usual. */
void ingest_read(const struct request *r, const struct json *body,
                 const struct application *current, struct application *next,
                 struct faults *faults);

/* Whether a new application is made here; false: carried or answered. `has_payload`: it came with
 * a message, which its mode concerns. */
MUST_USE bool ingest_new(struct request *r, const struct application *next, bool has_payload);

/* Whether a request whose body says what it is about is answered here: at the home of the
 * application, or where the `message` was taken in if that isn't NULL; false: carried or answered. */
MUST_USE bool ingest_known(struct request *r, const struct application *application,
                           const struct id *message);

/* The headers of an answer that say who gave it and why. */
void ingest_sign(struct request *r);

/* 503: for now nobody may answer, and r->decision says why. */
void ingest_hold(struct request *r);

#endif
