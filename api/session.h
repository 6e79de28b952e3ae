/* Session: a client that is shown what it has seen before, in whatever region it asks.
 *
 * An answer brings a bookmark of what it shows or has written; the next request brings that along.
 * While this region's replicas don't reach it, the request is put off before its body is read, and
 * goes on with the news that it waits for: nobody asks again and again. In the same way waits who
 * asks for an application that another region has just made. After a time, 1 s unless it says
 * otherwise and 5 s at most, one is told what is missing, the other goes on without.
 *
 *   Posthaste-Bookmark       the newest one that the client was given
 *   Posthaste-Consistency    session, unless given; eventual: don't wait; home: ask the home
 *   Posthaste-Wait-Ms        0 … 5000
 *
 * In a region that is alone there is nothing of this.
 *
 * Thread: the api's loop. */
#ifndef API_SESSION_H
#define API_SESSION_H

#include "api/request.h"

void session_open(struct services *services, uv_loop_t *loop);
void session_take_keyring(struct services *services); /* sign by the services' new one */

/* Read these headers. False: answered with 422. */
MUST_USE bool session_read(struct request *r);

/* Once r->decision is made: whether the request was put off for news to come, or answered, for it
 * has waited in vain. */
MUST_USE bool session_holds(struct request *r);

/* This region's replicas reach so far. */
void session_reached(struct services *services, const struct bookmark_mark *mark);

/* The header of an answer that brings its bookmark. */
void session_sign(struct request *r, unsigned status);

/* It doesn't wait any more. */
void session_leave(struct request *r);

/* Let go on all that waits, for nobody waits for it. */
void session_hasten(struct services *services);

/* Once nothing waits. */
void session_close(struct services *services, uv_close_cb closed);

#endif
