/* Requests that are their backend's verb and nothing more. */
#include "store/private.h"

/* The public function, the verb and the adaptor of one request. */
#define REQUEST(name, where)                                                                   \
    static enum err run_##name(struct store *s, struct store_req *req)                         \
    {                                                                                          \
        return s->ops->name(s->backend, container_of(req, struct store_##name, req));          \
    }                                                                                          \
    void store_##name(struct store *s, struct store_##name *op)                                \
    {                                                                                          \
        static const struct store_verb VERB = { .side = where, .run = run_##name };            \
        store_submit(s, &op->req, &VERB);                                                      \
    }

REQUEST(end_lane, VERB_WRITES_REGIONAL)
REQUEST(expunge_message, VERB_WRITES_REGIONAL)
REQUEST(expunge_attempt, VERB_WRITES_REGIONAL)
REQUEST(keep_route, VERB_WRITES_REGIONAL)

REQUEST(list_objects, VERB_READS)
REQUEST(get_message, VERB_READS)
REQUEST(list_messages, VERB_READS)
REQUEST(get_attempt, VERB_READS)
REQUEST(list_attempts, VERB_READS)
REQUEST(list_destinations, VERB_READS)
REQUEST(list_tried, VERB_READS)
REQUEST(count_attempts, VERB_READS)
REQUEST(get_route, VERB_READS)
REQUEST(get_background, VERB_READS)
REQUEST(list_background, VERB_READS)

REQUEST(due, VERB_READS_FIRST)
REQUEST(lanes, VERB_READS_FIRST)
