#include "store/sqlite_row.h"

#include <string.h>

#include "core/big_endian.h"
#include "core/mem.h"
#include "store/backend.h"

#define KEY_LEN  8
#define TAIL_LEN (ID_BYTES - KEY_LEN)

/* Before each sealed secret in the column: when it expires, and its length. */
#define SECRET_EXPIRY_LEN 8
#define SECRET_HEAD_LEN   (SECRET_EXPIRY_LEN + 4)

void bind_u64(sqlite3_stmt *statement, int at, uint64_t value)
{
    sqlite3_bind_int64(statement, at, (int64_t)value);
}

void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

void bind_bytes(sqlite3_stmt *statement, int at, const void *bytes, size_t len)
{
    if (len == 0)
        sqlite3_bind_zeroblob(statement, at, 0);
    else
        sqlite3_bind_blob64(statement, at, bytes, len, SQLITE_STATIC);
}

void bind_id(sqlite3_stmt *statement, int at, const struct id *id)
{
    sqlite3_bind_int64(statement, at, id_key(id));
    bind_bytes(statement, at + 1, id->bytes + KEY_LEN, TAIL_LEN);
}

void bind_whole_id(sqlite3_stmt *statement, int at, const struct id *id)
{
    bind_bytes(statement, at, id->bytes, ID_BYTES);
}

void bind_list(sqlite3_stmt *statement, int at, const struct text_list *list)
{
    size_t len = 0;

    if (list->count == 0) {
        sqlite3_bind_null(statement, at);
        return;
    }
    for (size_t i = 0; i < list->count; i++)
        len += strlen(list->items[i]) + 1;

    char *joined = xcalloc(len, 1), *end = joined;
    for (size_t i = 0; i < list->count; i++) {
        size_t item_len = strlen(list->items[i]);
        memcpy(end, list->items[i], item_len);
        end[item_len] = '\n';
        end += item_len + 1;
    }
    sqlite3_bind_text64(statement, at, joined, len - 1, free, SQLITE_UTF8);
}

void bind_secrets(sqlite3_stmt *statement, int at, const struct endpoint *endpoint)
{
    size_t len = 0;

    for (size_t i = 0; i < endpoint->secret_count; i++)
        len += SECRET_HEAD_LEN + endpoint->secrets[i].sealed.len;

    uint8_t *packed = xcalloc(len, 1), *end = packed;
    for (size_t i = 0; i < endpoint->secret_count; i++) {
        const struct sealed_secret *secret = &endpoint->secrets[i];
        big_endian_put(end, secret->expires_at_ms, SECRET_EXPIRY_LEN);
        big_endian_put(end + SECRET_EXPIRY_LEN, secret->sealed.len,
                       SECRET_HEAD_LEN - SECRET_EXPIRY_LEN);
        if (secret->sealed.len > 0)
            memcpy(end + SECRET_HEAD_LEN, secret->sealed.data, secret->sealed.len);
        end += SECRET_HEAD_LEN + secret->sealed.len;
    }
    sqlite3_bind_blob64(statement, at, packed, len, free);
}

void bind_sealed_by(sqlite3_stmt *statement, int at, int64_t by)
{
    if (by == SEALED_NOTHING)
        sqlite3_bind_null(statement, at);
    else
        sqlite3_bind_int64(statement, at, by);
}

void bind_location(sqlite3_stmt *statement, int at, const struct location *l)
{
    if (l->known) {
        sqlite3_bind_int64(statement, at, l->latitude);
        sqlite3_bind_int64(statement, at + 1, l->longitude);
    } else {
        sqlite3_bind_null(statement, at);
        sqlite3_bind_null(statement, at + 1);
    }
}

uint64_t column_u64(sqlite3_stmt *statement, int at)
{
    return (uint64_t)sqlite3_column_int64(statement, at);
}

uint32_t column_u32(sqlite3_stmt *statement, int at)
{
    return (uint32_t)sqlite3_column_int64(statement, at);
}

bool column_bool(sqlite3_stmt *statement, int at)
{
    return sqlite3_column_int(statement, at) != 0;
}

char *column_text(sqlite3_stmt *statement, int at)
{
    const unsigned char *text = sqlite3_column_text(statement, at);

    return text ? xmemdup(text, (size_t)sqlite3_column_bytes(statement, at)) : NULL;
}

struct bytes column_bytes(sqlite3_stmt *statement, int at)
{
    const void *data = sqlite3_column_blob(statement, at);

    return bytes_copy(data, (size_t)sqlite3_column_bytes(statement, at));
}

void column_array(sqlite3_stmt *statement, int at, uint8_t *to, size_t len)
{
    const void *data = sqlite3_column_blob(statement, at);
    size_t stored = (size_t)sqlite3_column_bytes(statement, at);

    if (data)
        memcpy(to, data, stored < len ? stored : len);
}

struct id column_id(sqlite3_stmt *statement, int at)
{
    struct id id = { { 0 } };

    big_endian_put(id.bytes, column_u64(statement, at), KEY_LEN);
    column_array(statement, at + 1, id.bytes + KEY_LEN, TAIL_LEN);
    return id;
}

bool column_id_is(sqlite3_stmt *statement, int at, const struct id *id)
{
    struct id stored = column_id(statement, at);

    return id_equal(&stored, id);
}

struct id column_whole_id(sqlite3_stmt *statement, int at)
{
    struct id id = { { 0 } };

    column_array(statement, at, id.bytes, ID_BYTES);
    return id;
}

struct text_list column_list(sqlite3_stmt *statement, int at)
{
    const char *text = (const char *)sqlite3_column_text(statement, at);
    struct text_list list = { 0 };

    while (text) {
        size_t len = strcspn(text, "\n");
        text_list_add(&list, text, len);
        text = text[len] ? text + len + 1 : NULL;
    }
    return list;
}

void column_secrets(sqlite3_stmt *statement, int at, struct endpoint *endpoint)
{
    const uint8_t *packed = sqlite3_column_blob(statement, at);
    size_t len = (size_t)sqlite3_column_bytes(statement, at);

    while (len >= SECRET_HEAD_LEN && endpoint->secret_count < SECRETS_MAX) {
        struct sealed_secret *secret = &endpoint->secrets[endpoint->secret_count];
        size_t sealed_len = (size_t)big_endian_get(packed + SECRET_EXPIRY_LEN,
                                                   SECRET_HEAD_LEN - SECRET_EXPIRY_LEN);
        if (sealed_len > len - SECRET_HEAD_LEN)
            return;
        secret->expires_at_ms = big_endian_get(packed, SECRET_EXPIRY_LEN);
        secret->sealed = bytes_copy(packed + SECRET_HEAD_LEN, sealed_len);
        endpoint->secret_count++;
        packed += SECRET_HEAD_LEN + sealed_len;
        len -= SECRET_HEAD_LEN + sealed_len;
    }
}

struct location column_location(sqlite3_stmt *statement, int at)
{
    return (struct location){
        .known = sqlite3_column_type(statement, at) != SQLITE_NULL,
        .latitude = sqlite3_column_int(statement, at),
        .longitude = sqlite3_column_int(statement, at + 1),
    };
}

bool column_list_has(sqlite3_stmt *statement, int at, const char *item)
{
    const char *text = (const char *)sqlite3_column_text(statement, at);
    size_t item_len = strlen(item);

    while (text) {
        size_t len = strcspn(text, "\n");
        if (len == item_len && memcmp(text, item, len) == 0)
            return true;
        text = text[len] ? text + len + 1 : NULL;
    }
    return false;
}

bool column_is_in(sqlite3_stmt *statement, int at, const struct text_list *list)
{
    const char *text = (const char *)sqlite3_column_text(statement, at);

    return text && text_list_has(list, text);
}

struct message *column_message(sqlite3_stmt *statement, bool with_content)
{
    struct message *m = message_new();

    m->id = column_id(statement, MESSAGE_ID);
    m->application = column_id(statement, MESSAGE_APPLICATION);
    m->event_type = column_text(statement, MESSAGE_EVENT_TYPE);
    m->event_id = column_text(statement, MESSAGE_EVENT_ID);
    m->channels = column_list(statement, MESSAGE_CHANNELS);
    m->created_at_ms = column_u64(statement, MESSAGE_CREATED_AT_MS);
    m->expires_at_ms = column_u64(statement, MESSAGE_EXPIRES_AT_MS);
    if (with_content)
        m->payload = column_bytes(statement, MESSAGE_PAYLOAD);
    return m;
}

struct message *column_tagged_message(sqlite3_stmt *statement, bool with_content)
{
    struct message *m = column_message(statement, with_content);

    m->tags = column_list(statement, MESSAGE_TAGS);
    return m;
}
