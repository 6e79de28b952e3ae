/* Survey: one pass over all lanes that have something pending, page by page.
 *
 * At the start it finds the backlog; later, what a lost hint would have said.
 *
 * Thread: dispatch. */
#ifndef DISPATCHER_SURVEY_H
#define DISPATCHER_SURVEY_H

#include "core/inbox.h"
#include "store/store.h"

struct survey {
    bool running;
    struct store *store;
    struct store_lanes page;
    void (*found)(struct survey *s, const struct lane_due *lane);
    void (*finished)(struct survey *s, enum err err); /* not ERR_OK: it saw only a part */
};

/* Zero the struct and set the callbacks first; not while it is running. */
void survey_start(struct survey *s, struct store *store, struct inbox *inbox);

#endif
