#include "core/operational.h"

#include <assert.h>
#include <string.h>

#include "core/clock.h"
#include "core/count.h"

static const char *const NAMES[] = {
    [OPERATIONAL_ENDPOINT_CREATED] = "endpoint.created",
    [OPERATIONAL_ENDPOINT_DELETED] = "endpoint.deleted",
    [OPERATIONAL_ENDPOINT_DISABLED] = "endpoint.disabled",
    [OPERATIONAL_ENDPOINT_UPDATED] = "endpoint.updated",
    [OPERATIONAL_MESSAGE_EXHAUSTED] = "message.attempt.exhausted",
    [OPERATIONAL_MESSAGE_FAILING] = "message.attempt.failing",
    [OPERATIONAL_MESSAGE_RECOVERED] = "message.attempt.recovered",
};

static_assert(COUNT(NAMES) == OPERATIONAL_TYPES, "NAMES follows operational_type");

const char *operational_type_name(enum operational_type type)
{
    return NAMES[type];
}

bool operational_type_is_known(const char *name)
{
    for (size_t i = 0; i < COUNT(NAMES); i++)
        if (strcmp(NAMES[i], name) == 0)
            return true;
    return false;
}

bool operational_is(const struct application *application)
{
    return application->uid && strcmp(application->uid, OPERATIONAL_UID) == 0;
}

/* A name of ours needs no escape, but one that a peer has sent may be anything. */
static enum err write_quoted(struct buf *out, const char *text)
{
    enum err err = buf_append_text(out, "\"");

    for (const char *at = text; !err && *at; at++) {
        unsigned char c = (unsigned char)*at;
        if (c < 0x20 || c == '"' || c == '\\')
            err = buf_printf(out, "\\u%04x", c);
        else
            err = buf_append(out, at, 1);
    }
    return err ? err : buf_append_text(out, "\"");
}

static enum err write_name(struct buf *out, const char *member, const char *name)
{
    enum err err = buf_printf(out, ",\"%s\":", member);

    if (err)
        return err;
    return name ? write_quoted(out, name) : buf_append_text(out, "null");
}

static enum err write_id(struct buf *out, const char *member, enum id_kind kind,
                         const struct id *id)
{
    char text[ID_TEXT_MAX];

    id_format(kind, id, text);
    return buf_printf(out, "\"%s\":\"%s\"", member, text);
}

static enum err write_date(struct buf *out, const char *member, uint64_t wall_ms)
{
    char text[CLOCK_TEXT_MAX];

    clock_format(wall_ms, text);
    return buf_printf(out, ",\"%s\":\"%s\"", member, text);
}

static enum err write_endpoint(const struct operational_fact *fact, struct buf *out)
{
    enum err err = buf_append_text(out, ",");

    if (!err)
        err = write_id(out, "endpointId", ID_ENDPOINT, &fact->endpoint);
    if (!err)
        err = write_name(out, "endpointUid", fact->endpoint_uid);
    if (!err && fact->type == OPERATIONAL_ENDPOINT_DISABLED)
        err = write_date(out, "failSince", fact->fail_since_ms);
    return err;
}

static enum err write_last_attempt(const struct attempt_record *attempt, struct buf *out)
{
    enum err err = buf_append_text(out, ",\"lastAttempt\":{");

    if (!err)
        err = write_id(out, "id", ID_ATTEMPT, &attempt->id);
    if (!err)
        err = buf_printf(out, ",\"responseStatusCode\":%u", attempt->response_status);
    if (!err)
        err = write_date(out, "timestamp", attempt->started_at_ms);
    return err ? err : buf_append_text(out, "}");
}

static enum err write_message(const struct operational_fact *fact, struct buf *out)
{
    enum err err = buf_append_text(out, ",");

    if (!err)
        err = write_id(out, "msgId", ID_MESSAGE, &fact->attempt->message);
    if (!err)
        err = write_name(out, "msgEventId", fact->event_id);
    if (!err)
        err = buf_append_text(out, ",");
    if (!err)
        err = write_id(out, "endpointId", ID_ENDPOINT, &fact->endpoint);
    return err ? err : write_last_attempt(fact->attempt, out);
}

enum err operational_write(const struct operational_fact *fact, struct buf *out)
{
    const struct application *application = fact->application;
    enum err err = buf_printf(out, "{\"type\":\"%s\",\"data\":{", NAMES[fact->type]);

    if (!err)
        err = write_id(out, "appId", ID_APPLICATION, &application->base.id);
    if (!err)
        err = write_name(out, "appUid", application->uid);
    if (!err)
        err = fact->attempt ? write_message(fact, out) : write_endpoint(fact, out);
    return err ? err : buf_append_text(out, "}}");
}
