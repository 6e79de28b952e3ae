/* Background: what begins a background task, shared by the files whose routes do.
 *
 * Thread: the api's loop. */
#ifndef API_BACKGROUND_H
#define API_BACKGROUND_H

#include "api/request.h"

/* Begin r->background, whose kind and what it is about are set, and answer with 202. */
void background_begin(struct request *r);

#endif
