/* Carry: a request's way to another region and the answer's way back; see elsewhere.h.
 *
 * Thread: the api's loop. */
#ifndef API_CARRY_H
#define API_CARRY_H

#include "api/request.h"

/* What says that a request has been carried already. */
#define CARRY_HOPS "Posthaste-Hops"

/* Why a region answered: the words of the one that was asked first. */
#define CARRY_REASON "Posthaste-Route-Reason"

/* Send it, with its body, to where r->decision says, and pass the answer on. Ends the request,
 * now or later. */
void carry_request(struct request *r);

/* End the errands under way, for the server has given up waiting for them. */
void carry_hasten(struct services *services);

#endif
