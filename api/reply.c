#include "api/reply.h"

#include "api/ingest.h"
#include "api/once.h"
#include "api/session.h"
#include "core/log.h"
#include "wire/noun_out.h"

#define RETRY_BUSY "1" /* seconds */
#define RETRY_FULL "5"

static void log_answer(const struct request *r, unsigned status)
{
    const struct route *route = r->match.route;

    log_event(LOG_DEBUG, "request", LOG_STR("method", route ? route->method : "-"),
              LOG_STR("path", route ? route->path : "-"), LOG_NUM("status", status),
              LOG_NUM("ms", clock_now().mono_ms - r->now.mono_ms));
}

/* Any page may ask, since it must bring a token; see api.c for the preflight. */
static void finish(struct request *r, unsigned status, struct buf *body)
{
    if (once_holds(r, status, body))
        return;
    if (exchange_header(r->exchange, "origin"))
        exchange_add_header(r->exchange, "Access-Control-Allow-Origin", "*");
    ingest_sign(r);
    session_sign(r, status);
    log_answer(r, status);
    exchange_reply(r->exchange, status, body);
    request_free(r);
}

struct json_writer *reply_begin(struct request *r)
{
    buf_clear(&r->reply);
    json_write_begin(&r->writer, &r->reply);
    return &r->writer;
}

void reply_send(struct request *r, unsigned status)
{
    if (json_write_end(&r->writer)) {
        reply_error(r, 400, "response_too_large",
                    "The answer is too large: ask for fewer, or with_content=false.");
        return;
    }
    finish(r, status, &r->reply);
}

struct json_writer *reply_begin_page(struct request *r)
{
    struct json_writer *w = reply_begin(r);

    json_open_object(w);
    json_name(w, "data");
    json_open_array(w);
    return w;
}

void reply_send_page(struct request *r, const char *first, const char *last, bool more)
{
    struct json_writer *w = &r->writer;
    char previous[NAME_LEN_MAX + 2];

    json_close_array(w);
    json_add_text(w, "iterator", last[0] ? last : NULL);
    if (first[0]) {
        snprintf(previous, sizeof previous, "-%s", first);
        json_add_text(w, "prevIterator", previous);
    }
    json_add_bool(w, "done", !more);
    json_close_object(w);
    reply_send(r, 200);
}

void reply_send_span(struct request *r, enum id_kind kind, const struct page_span *span,
                     bool more)
{
    char first[ID_TEXT_MAX] = "", last[ID_TEXT_MAX] = "";

    if (!id_is_zero(&span->first))
        id_format(kind, &span->first, first);
    if (!id_is_zero(&span->last))
        id_format(kind, &span->last, last);
    reply_send_page(r, first, last, more);
}

void reply_put_object(struct request *r, struct object *object)
{
    switch (object->kind) {
    case OBJECT_APPLICATION:
        json_put_application(&r->writer, as_application(object), r->services->topology);
        break;
    case OBJECT_ENDPOINT:
        json_put_endpoint(&r->writer, as_endpoint(object), r->services->topology);
        break;
    case OBJECT_EVENT_TYPE:
        json_put_event_type(&r->writer, as_event_type(object), r->query.with_content);
        break;
    }
}

void reply_object(struct request *r, unsigned status, struct object *object)
{
    reply_begin(r);
    reply_put_object(r, object);
    reply_send(r, status);
}

void reply_relay(struct request *r, unsigned status, struct buf *body)
{
    finish(r, status, body);
}

void reply_file(struct request *r, const char *type, const struct embedded_file *file)
{
    buf_clear(&r->reply);
    if (buf_append(&r->reply, file->begin, (size_t)(file->end - file->begin))) {
        reply_err(r, ERR_LIMIT);
        return;
    }
    exchange_set_type(r->exchange, type);
    finish(r, 200, &r->reply);
}

void reply_written(struct request *r, unsigned status, bool has_body)
{
    finish(r, status, has_body ? &r->reply : NULL);
}

void reply_empty(struct request *r)
{
    finish(r, 204, NULL);
}

void reply_error(struct request *r, unsigned status, const char *code, const char *detail)
{
    buf_clear(&r->reply);
    enum err err = json_error_body(code, detail, &r->reply);
    finish(r, status, err ? NULL : &r->reply);
}

void reply_faults(struct request *r, const struct faults *faults)
{
    buf_clear(&r->reply);
    enum err err = faults_write(faults, &r->reply);
    finish(r, 422, err ? NULL : &r->reply);
}

void reply_not_found(struct request *r)
{
    reply_error(r, 404, "not_found", "Entity not found");
}

void reply_forbidden(struct request *r)
{
    reply_error(r, 403, "insufficient access", "Insufficient access for the given operation.");
}

static void reply_unavailable(struct request *r, enum err err, const char *code,
                              const char *retry_after)
{
    log_event(LOG_ERROR, "request_failed", LOG_STR("path", r->match.route->path),
              LOG_STR("reason", err_text(err)), LOG_NUM("status", 503));
    exchange_add_header(r->exchange, "Retry-After", retry_after);
    reply_error(r, 503, code, err_text(err));
}

void reply_err(struct request *r, enum err err)
{
    switch ((int)err) {
    case ERR_NOT_FOUND:
        reply_not_found(r);
        break;
    case ERR_CONFLICT:
    case ERR_STALE:
        reply_error(r, 409, "conflict", "A conflict has occurred");
        break;
    case ERR_BUSY:
        reply_unavailable(r, err, "server_busy", RETRY_BUSY);
        break;
    case ERR_FULL:
        reply_unavailable(r, err, "disk_full", RETRY_FULL);
        break;
    case ERR_CANCELED:
        reply_unavailable(r, err, "server_stopping", RETRY_BUSY);
        break;
    default:
        log_event(LOG_ERROR, "request_failed", LOG_STR("path", r->match.route->path),
                  LOG_STR("reason", err_text(err)), LOG_NUM("status", 500));
        reply_error(r, 500, "server_error", err_text(err));
    }
}
