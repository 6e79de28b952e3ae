#include "region/forward_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/count.h"
#include "core/mem.h"
#include "wire/json.h"

/* What a call can say (courier.h), by name. */
static const struct {
    enum err err;
    const char *name;
} ERRS[] = {
    { ERR_OK, "ok" },
    { ERR_DENIED, "denied" },
    { ERR_TIMEOUT, "timeout" },
    { ERR_CANCELED, "canceled" },
    { ERR_UNAVAILABLE, "unavailable" },
    { ERR_LIMIT, "limit" },
    { ERR_BUSY, "busy" },
    { ERR_INVALID, "invalid" },
};

static const char *err_name(enum err err)
{
    for (size_t i = 0; i < COUNT(ERRS); i++)
        if (ERRS[i].err == err)
            return ERRS[i].name;
    return "unavailable";
}

static bool err_find(const char *name, enum err *out)
{
    for (size_t i = 0; name && i < COUNT(ERRS); i++)
        if (strcmp(ERRS[i].name, name) == 0) {
            *out = ERRS[i].err;
            return true;
        }
    return false;
}

/* Writing. */

static void put_id(struct json_writer *w, const char *name, enum id_kind kind,
                   const struct id *id)
{
    char text[ID_TEXT_MAX];

    id_format(kind, id, text);
    json_add_text(w, name, text);
}

/* Whose attempt it is. */
static void put_ids(struct json_writer *w, const struct id *attempt, const struct id *message,
                    const struct id *endpoint, const struct id *application)
{
    put_id(w, "attempt", ID_ATTEMPT, attempt);
    put_id(w, "message", ID_MESSAGE, message);
    put_id(w, "endpoint", ID_ENDPOINT, endpoint);
    put_id(w, "application", ID_APPLICATION, application);
}

/* Ends the meta and frees it. */
static enum err put_frame(struct json_writer *w, struct buf *meta, const struct bytes *body,
                          struct buf *out)
{
    enum err err = json_write_end(w);

    if (!err)
        err = frame_put(out, &(struct frame){ .meta = meta->bytes,
                                              .meta_len = meta->len,
                                              .body = body ? body->data : NULL,
                                              .body_len = body ? body->len : 0 });
    buf_fini(meta);
    return err;
}

enum err batch_put(struct buf *out, const struct batch_words *words)
{
    struct buf meta = BUF_INIT(FRAME_META_MAX);
    struct json_writer w;

    json_write_begin(&w, &meta);
    json_open_object(&w);
    json_add_text(&w, "incarnation", words->incarnation);
    json_add_unsigned(&w, "floor", words->floor);
    json_add_unsigned(&w, "last", words->last);
    json_close_object(&w);
    return put_frame(&w, &meta, NULL, out);
}

enum err request_put(struct buf *out, const struct request_words *words,
                     const struct bytes *body)
{
    struct buf meta = BUF_INIT(FRAME_META_MAX);
    struct json_writer w;

    json_write_begin(&w, &meta);
    json_open_object(&w);
    json_add_unsigned(&w, "seq", words->seq);
    put_ids(&w, &words->attempt, &words->message, &words->endpoint, &words->application);
    json_add_unsigned(&w, "number", words->number);
    json_add_unsigned(&w, "timeoutMs", words->timeout_ms);
    json_add_text(&w, "url", words->url);
    json_name(&w, "headers");
    json_open_array(&w);
    for (size_t i = 0; i < words->headers.count; i++)
        json_put_text(&w, words->headers.items[i]);
    json_close_array(&w);
    json_close_object(&w);
    return put_frame(&w, &meta, body, out);
}

static void put_times(struct json_writer *w, const struct call_times *times)
{
    json_add_unsigned(w, "connectUs", times->connect_us);
    json_add_unsigned(w, "tlsUs", times->tls_us);
    json_add_unsigned(w, "firstByteUs", times->first_byte_us);
    json_add_unsigned(w, "rttUs", times->rtt.smoothed_us);
    json_add_unsigned(w, "rttLeastUs", times->rtt.least_us);
}

enum err outcome_put(struct buf *out, const struct outcome_words *words,
                     const struct bytes *response)
{
    struct buf meta = BUF_INIT(FRAME_META_MAX);
    struct json_writer w;

    json_write_begin(&w, &meta);
    json_open_object(&w);
    json_add_text(&w, "home", words->home);
    json_add_unsigned(&w, "seq", words->seq);
    put_ids(&w, &words->attempt, &words->message, &words->endpoint, &words->application);
    json_add_unsigned(&w, "number", words->number);
    json_add_text(&w, "url", words->url);
    json_add_unsigned(&w, "startedAtMs", words->started_at_ms);
    json_add_text(&w, "result", err_name(words->err));
    json_add_text(&w, "reason", words->reason);
    json_add_unsigned(&w, "status", words->status);
    json_add_unsigned(&w, "retryAfterS", words->retry_after_s);
    json_add_unsigned(&w, "durationMs", words->duration_ms);
    put_times(&w, &words->times);
    json_close_object(&w);
    return put_frame(&w, &meta, response, out);
}

enum err accept_write(const struct accept_words *words, struct buf *out)
{
    struct json_writer w;

    json_write_begin(&w, out);
    json_open_object(&w);
    json_add_text(&w, "incarnation", words->incarnation);
    json_add_unsigned(&w, "rows", words->rows);
    json_add_unsigned(&w, "bytes", words->bytes);
    json_name(&w, "refused");
    json_open_array(&w);
    for (size_t i = 0; i < words->refused_count; i++) {
        json_open_object(&w);
        json_add_unsigned(&w, "seq", words->refused[i].seq);
        json_add_text(&w, "why", words->refused[i].why);
        json_close_object(&w);
    }
    json_close_array(&w);
    json_close_object(&w);
    return json_write_end(&w);
}

/* Reading. */

static bool read_number(const struct json *j, const char *name, uint64_t *out)
{
    int64_t value;

    if (!json_int64(json_member(j, name), &value) || value < 0)
        return false;
    *out = (uint64_t)value;
    return true;
}

static bool read_u32(const struct json *j, const char *name, uint32_t *out)
{
    uint64_t value;

    if (!read_number(j, name, &value) || value > UINT32_MAX)
        return false;
    *out = (uint32_t)value;
    return true;
}

static bool read_id(const struct json *j, const char *name, enum id_kind kind, struct id *out)
{
    const char *text = json_text(json_member(j, name));

    return text && id_parse(kind, text, out) == ERR_OK;
}

static bool read_ids(const struct json *j, struct id *attempt, struct id *message,
                     struct id *endpoint, struct id *application)
{
    return read_id(j, "attempt", ID_ATTEMPT, attempt) &&
           read_id(j, "message", ID_MESSAGE, message) &&
           read_id(j, "endpoint", ID_ENDPOINT, endpoint) &&
           read_id(j, "application", ID_APPLICATION, application);
}

/* Hexadecimal digits alone: it is put into a query. */
static bool read_incarnation(const struct json *j, const char *name,
                             char out[INCARNATION_TEXT_MAX])
{
    const char *text = json_text(json_member(j, name));
    size_t len = text ? strlen(text) : 0;

    if (len == 0 || len >= INCARNATION_TEXT_MAX || strspn(text, "0123456789abcdef") != len)
        return false;
    memcpy(out, text, len + 1);
    return true;
}

static bool read_url(const struct json *j, char **out)
{
    const char *text = json_text(json_member(j, "url"));

    if (!text || strlen(text) > URL_LEN_MAX)
        return false;
    *out = xstrdup(text);
    return true;
}

static bool read_headers(const struct json *j, struct text_list *out)
{
    for (size_t i = 0; i < json_count(j); i++) {
        const char *line = json_text(json_at(j, i));
        if (!line)
            return false;
        text_list_add(out, line, strlen(line));
    }
    return true;
}

static enum err parse(const void *text, size_t len, struct json **out)
{
    struct scan_fault fault;

    return json_parse(text, len, out, &fault) == ERR_OK ? ERR_OK : ERR_INVALID;
}

enum err batch_read(const struct frame *frame, struct batch_words *out)
{
    struct json *root;
    enum err err = parse(frame->meta, frame->meta_len, &root);

    if (err)
        return err;
    *out = (struct batch_words){ .floor = 0 };
    if (!read_incarnation(root, "incarnation", out->incarnation) ||
        !read_number(root, "floor", &out->floor) || !read_number(root, "last", &out->last))
        err = ERR_INVALID;
    json_free(root);
    return err;
}

static bool read_request(const struct json *j, struct request_words *out)
{
    return read_number(j, "seq", &out->seq) && out->seq > 0 &&
           read_ids(j, &out->attempt, &out->message, &out->endpoint, &out->application) &&
           read_u32(j, "number", &out->number) && out->number > 0 &&
           read_u32(j, "timeoutMs", &out->timeout_ms) && out->timeout_ms > 0 &&
           out->timeout_ms <= FORWARD_TIMEOUT_MS_MAX && read_url(j, &out->url) &&
           read_headers(json_member(j, "headers"), &out->headers);
}

enum err request_read(const struct frame *frame, struct request_words *out)
{
    struct json *root;
    enum err err = parse(frame->meta, frame->meta_len, &root);

    if (err)
        return err;
    *out = (struct request_words){ .seq = 0 };
    if (!read_request(root, out)) {
        request_words_fini(out);
        err = ERR_INVALID;
    }
    json_free(root);
    return err;
}

void request_words_fini(struct request_words *words)
{
    free(words->url);
    words->url = NULL;
    text_list_fini(&words->headers);
}

static bool read_times(const struct json *j, struct call_times *out)
{
    return read_u32(j, "connectUs", &out->connect_us) && read_u32(j, "tlsUs", &out->tls_us) &&
           read_u32(j, "firstByteUs", &out->first_byte_us) &&
           read_u32(j, "rttUs", &out->rtt.smoothed_us) &&
           read_u32(j, "rttLeastUs", &out->rtt.least_us);
}

static bool read_result(const struct json *j, struct outcome_words *out)
{
    const char *reason = json_text(json_member(j, "reason"));

    if (!err_find(json_text(json_member(j, "result")), &out->err) ||
        !read_u32(j, "status", &out->status) || !reason)
        return false;
    snprintf(out->reason, sizeof out->reason, "%s", reason);
    return out->err != ERR_OK || (out->status >= 100 && out->status <= 999);
}

static bool read_outcome(const struct json *j, struct outcome_words *out)
{
    return read_incarnation(j, "home", out->home) && read_number(j, "seq", &out->seq) &&
           read_ids(j, &out->attempt, &out->message, &out->endpoint, &out->application) &&
           read_u32(j, "number", &out->number) &&
           read_number(j, "startedAtMs", &out->started_at_ms) && read_result(j, out) &&
           read_u32(j, "retryAfterS", &out->retry_after_s) &&
           read_u32(j, "durationMs", &out->duration_ms) && read_times(j, &out->times) &&
           read_url(j, &out->url);
}

enum err outcome_read(const struct frame *frame, struct outcome_words *out)
{
    struct json *root;
    enum err err = parse(frame->meta, frame->meta_len, &root);

    if (err)
        return err;
    *out = (struct outcome_words){ .seq = 0 };
    if (frame->body_len > RESPONSE_KEPT_MAX || !read_outcome(root, out))
        err = ERR_INVALID;
    json_free(root);
    return err;
}

void outcome_words_fini(struct outcome_words *words)
{
    free(words->url);
    words->url = NULL;
}

static bool read_refused(const struct json *j, struct accept_words *out)
{
    size_t count = json_count(j);

    if (count > FORWARD_REFUSED_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct json *item = json_at(j, i);
        const char *why = json_text(json_member(item, "why"));
        if (!why || !read_number(item, "seq", &out->refused[i].seq))
            return false;
        snprintf(out->refused[i].why, sizeof out->refused[i].why, "%s", why);
    }
    out->refused_count = count;
    return true;
}

enum err accept_read(const void *text, size_t len, struct accept_words *out)
{
    struct json *root;
    enum err err = len > ACCEPT_LEN_MAX ? ERR_INVALID : parse(text, len, &root);

    if (err)
        return err;
    *out = (struct accept_words){ .rows = 0 };
    if (!read_incarnation(root, "incarnation", out->incarnation) ||
        !read_number(root, "rows", &out->rows) || !read_number(root, "bytes", &out->bytes) ||
        !read_refused(json_member(root, "refused"), out))
        err = ERR_INVALID;
    json_free(root);
    return err;
}
