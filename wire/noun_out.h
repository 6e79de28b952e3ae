/* Noun out: objects as the API shows them. See docs/api.md for the shapes. */
#ifndef WIRE_NOUN_OUT_H
#define WIRE_NOUN_OUT_H

#include "core/model.h"
#include "core/region_health.h"
#include "core/topology.h"
#include "wire/json.h"

/* An id as text. */
void json_put_id(struct json_writer *w, enum id_kind kind, const struct id *id);

/* A member that is an id, a list of texts (null when it is empty), and how a delivery stands. */
void json_add_id(struct json_writer *w, const char *name, enum id_kind kind,
                 const struct id *id);
void json_add_list(struct json_writer *w, const char *name, const struct text_list *list);
void json_add_outcome(struct json_writer *w, const struct delivery_outcome *outcome);

/* Each writes one JSON object. Unless this region is alone an application shows its residency, and an
 * endpoint how deliveries get to it. */
void json_put_application(struct json_writer *w, const struct application *application,
                          const struct topology *topology);
void json_put_endpoint(struct json_writer *w, const struct endpoint *endpoint,
                       const struct topology *topology);

/* An endpoint, without its metadata, that a message was tried at. */
void json_put_destination(struct json_writer *w, const struct endpoint *endpoint,
                          const struct delivery_outcome *outcome,
                          const struct topology *topology);
void json_put_event_type(struct json_writer *w, const struct event_type *type,
                         bool with_content);

/* The same without what only one that is stored has: how an import would make it. */
void json_put_planned_event_type(struct json_writer *w, const struct event_type *type);

/* How a message's payload is shown; once it is gone, as {"expired":true}. */
enum payload_view {
    PAYLOAD_LEFT_OUT, /* {} */
    PAYLOAD_SHOWN,    /* looked through first: it may be a raw one, and no JSON object */
    PAYLOAD_TRUSTED,  /* as it is: the caller knows it to be an object, and saves the look */
};
void json_put_message(struct json_writer *w, const struct message *message,
                      enum payload_view view);

/* The same of one that was tried at some endpoint. */
void json_put_tried_message(struct json_writer *w, const struct message *message,
                            const struct delivery_outcome *outcome, enum payload_view view);

/* Without content the response is "{}". One that was made where there are several regions shows
 * which one made it, and how long the steps on its way took. `message`, unless it is NULL, comes along
 * as "msg". */
void json_put_attempt(struct json_writer *w, const struct attempt_record *attempt,
                      const struct message *message, const struct topology *topology,
                      bool with_content);

/* `draining`: by its operator's word. */
void json_put_region(struct json_writer *w, const struct region *region,
                     const struct region_condition *condition, bool draining);

/* {"headers":{…},"sensitive":[…]} from the stored object, NULL if there is none: the values of
 * headers that carry credentials are left out, and their names listed. */
void json_put_endpoint_headers(struct json_writer *w, const struct json *headers);

/* {"code":…,"detail":…} */
MUST_USE enum err json_error_body(const char *code, const char *detail, struct buf *out);

#endif
