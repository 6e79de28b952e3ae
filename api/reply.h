/* Reply: the answers to a request, as the API contract words them.
 *
 * Every function here that sends ends the request and frees it.
 *
 * Thread: the api's loop. */
#ifndef API_REPLY_H
#define API_REPLY_H

#include "api/request.h"
#include "core/embedded.h"

#define REPLY_LEN_MAX (64u << 20) /* bytes */

/* Write the body with `r->writer`, then send it. */
struct json_writer *reply_begin(struct request *r);
void reply_send(struct request *r, unsigned status);

/* {"data":[…],…}: reply_begin_page(), each item, reply_send_page(). `first` and `last` are what
 * iterators call these items, "" when there are none; `more` lies beyond in the direction
 * asked. */
struct json_writer *reply_begin_page(struct request *r);
void reply_send_page(struct request *r, const char *first, const char *last, bool more);
/* The same, of a list by id. */
void reply_send_span(struct request *r, enum id_kind kind, const struct page_span *span,
                     bool more);

void reply_object(struct request *r, unsigned status, struct object *object);
void reply_relay(struct request *r, unsigned status, struct buf *body); /* takes its bytes */
void reply_file(struct request *r, const char *type, const struct embedded_file *file);
void reply_written(struct request *r, unsigned status, bool has_body); /* what r->reply has */
void reply_empty(struct request *r);
void reply_error(struct request *r, unsigned status, const char *code, const char *detail);
void reply_faults(struct request *r, const struct faults *faults);
void reply_not_found(struct request *r);
void reply_forbidden(struct request *r);

/* What the store said, other than ERR_OK. */
void reply_err(struct request *r, enum err err);

/* An object as its resource. */
void reply_put_object(struct request *r, struct object *object);

#endif
