/* Match: whether an endpoint wants a message, and who sees an event type. Pure.
 *
 * An endpoint without event types takes all of them. An endpoint without channels takes all
 * messages; one with channels takes those that share one, so a message without channels
 * doesn't reach it. A disabled endpoint wants what it always wanted: its deliveries wait. */
#ifndef CORE_MATCH_H
#define CORE_MATCH_H

#include "core/model.h"

bool match_wants(const struct endpoint *endpoint, const char *event_type,
                 const struct text_list *channels);

/* Whether somebody with these feature flags, a line feed around each ("\na\nb\n"), sees the event
 * type: it has none, or one of them. */
bool match_shows(const struct event_type *type, const char *flags);

#endif
