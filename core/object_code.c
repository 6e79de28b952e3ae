#include "core/object_code.h"

#include <string.h>

#include "core/big_endian.h"
#include "core/count.h"
#include "core/mem.h"
#include "core/revocation.h"
#include "core/utf8.h"

#define HEAD_LEN    5 /* tag and length */
#define NUMBER_LEN  8
#define LIST_MAX    1024 /* items */
#define TAG_KIND    1
#define TAG_SECRETS OBJECT_CODE_SECRET
#define TAG_HEADERS (OBJECT_CODE_SECRET + 1)
#define EXPIRY_LEN  NUMBER_LEN /* before a sealed secret */
#define PLACE_LEN   8
#define SEALED_MAX  ((size_t)1 << 20)
#define UNLIMITED   OBJECT_CODE_MAX

enum type {
    TYPE_ID,
    TYPE_NUMBER, /* uint64_t */
    TYPE_SHORT,  /* uint32_t */
    TYPE_BYTE,   /* uint8_t */
    TYPE_FLAG,   /* bool */
    TYPE_CHOICE, /* an enum that counts up from 0 */
    TYPE_TEXT,   /* char *, NULL when absent */
    TYPE_NEEDED, /* the same, never absent */
    TYPE_LIST,   /* struct text_list; items hold no line feed */
    TYPE_PLACE,  /* struct location; 4 bytes each, latitude first */
    TYPE_BYTES,  /* struct bytes */
    TYPE_SECRETS,
};

struct field {
    uint8_t tag;
    enum type type;
    size_t offset;
    size_t most; /* of a text or an item: bytes; of a number: its highest value; 0 = any */
};

/* A tag is for ever: one that is no longer written isn't given to another field. */
#define BASE(type, member) offsetof(struct type, base) + offsetof(struct object, member)
#define BASE_FIELDS(type)                                                                      \
    { 2, TYPE_ID, BASE(type, id), 0 }, { 3, TYPE_ID, BASE(type, organization), 0 },            \
        { 4, TYPE_NUMBER, BASE(type, version), 0 }, { 5, TYPE_FLAG, BASE(type, deleted), 0 },  \
        { 6, TYPE_NUMBER, BASE(type, created_at_ms), 0 },                                      \
    {                                                                                          \
        7, TYPE_NUMBER, BASE(type, updated_at_ms), 0                                           \
    }
#define AT(type, member) offsetof(struct type, member)

static const struct field APPLICATION[] = {
    BASE_FIELDS(application),
    { 16, TYPE_TEXT, AT(application, uid), NAME_LEN_MAX },
    { 17, TYPE_NEEDED, AT(application, name), UNLIMITED },
    { 18, TYPE_TEXT, AT(application, metadata), UNLIMITED },
    { 19, TYPE_SHORT, AT(application, throttle_rate), UINT32_MAX },
    { 20, TYPE_TEXT, AT(application, residency.jurisdiction), NAME_LEN_MAX },
    { 21, TYPE_BYTE, AT(application, residency.home), UINT8_MAX },
    { 22, TYPE_NUMBER, AT(application, residency.home_epoch), 0 },
    { 23, TYPE_CHOICE, AT(application, residency.mode), RESIDENCY_TRANSIT },
    { 24, TYPE_CHOICE, AT(application, residency.failover), FAILOVER_JURISDICTION },
    { 25, TYPE_LIST, AT(application, revocations), REVOCATION_TEXT_MAX },
};

static const struct field ENDPOINT[] = {
    BASE_FIELDS(endpoint),
    { 16, TYPE_ID, AT(endpoint, application), 0 },
    { 17, TYPE_TEXT, AT(endpoint, uid), NAME_LEN_MAX },
    { 18, TYPE_NEEDED, AT(endpoint, url), UNLIMITED },
    { 19, TYPE_NEEDED, AT(endpoint, description), UNLIMITED },
    { 20, TYPE_TEXT, AT(endpoint, metadata), UNLIMITED },
    { 21, TYPE_FLAG, AT(endpoint, disabled), 0 },
    { 22, TYPE_SHORT, AT(endpoint, throttle_rate), UINT32_MAX },
    { 23, TYPE_LIST, AT(endpoint, event_types), NAME_LEN_MAX },
    { 24, TYPE_LIST, AT(endpoint, channels), CHANNEL_LEN_MAX },
    { 25, TYPE_CHOICE, AT(endpoint, dispatch.mode), DISPATCH_PIN },
    { 26, TYPE_LIST, AT(endpoint, dispatch.regions), NAME_LEN_MAX },
    { 27, TYPE_LIST, AT(endpoint, dispatch.targets), UNLIMITED },
    { 28, TYPE_PLACE, AT(endpoint, dispatch.location), 0 },
    { TAG_SECRETS, TYPE_SECRETS, 0, SEALED_MAX },
    { TAG_HEADERS, TYPE_BYTES, AT(endpoint, sealed_headers), SEALED_MAX },
};

static const struct field EVENT_TYPE[] = {
    BASE_FIELDS(event_type),
    { 16, TYPE_NEEDED, AT(event_type, name), NAME_LEN_MAX },
    { 17, TYPE_NEEDED, AT(event_type, description), UNLIMITED },
    { 18, TYPE_TEXT, AT(event_type, schemas), UNLIMITED },
    { 19, TYPE_LIST, AT(event_type, feature_flags), NAME_LEN_MAX },
    { 20, TYPE_FLAG, AT(event_type, archived), 0 },
    { 21, TYPE_FLAG, AT(event_type, deprecated), 0 },
    { 22, TYPE_TEXT, AT(event_type, group_name), NAME_LEN_MAX },
};

/* As they are written: a kind's number is for ever too. */
static const struct layout {
    const struct field *fields;
    size_t count;
} LAYOUTS[] = {
    [OBJECT_APPLICATION] = { APPLICATION, COUNT(APPLICATION) },
    [OBJECT_ENDPOINT] = { ENDPOINT, COUNT(ENDPOINT) },
    [OBJECT_EVENT_TYPE] = { EVENT_TYPE, COUNT(EVENT_TYPE) },
};

/* The struct that an object is the head of. */
static uint8_t *whole(struct object *object)
{
    switch (object->kind) {
    case OBJECT_APPLICATION:
        return (uint8_t *)as_application(object);
    case OBJECT_ENDPOINT:
        return (uint8_t *)as_endpoint(object);
    case OBJECT_EVENT_TYPE:
        return (uint8_t *)as_event_type(object);
    }
    abort();
}

/* Encoding. */

static enum err write_field(struct buf *out, uint8_t tag, const void *value, size_t len)
{
    uint8_t head[HEAD_LEN] = { tag };

    if (len > UINT32_MAX)
        return ERR_LIMIT;
    big_endian_put(head + 1, len, HEAD_LEN - 1);
    enum err err = buf_append(out, head, HEAD_LEN);
    return err ? err : buf_append(out, value, len);
}

static enum err write_number(struct buf *out, uint8_t tag, uint64_t value)
{
    uint8_t bytes[NUMBER_LEN];

    if (value == 0)
        return ERR_OK;
    big_endian_put(bytes, value, NUMBER_LEN);
    return write_field(out, tag, bytes, NUMBER_LEN);
}

static enum err write_text(struct buf *out, uint8_t tag, const char *text)
{
    return text ? write_field(out, tag, text, strlen(text)) : ERR_OK;
}

static enum err write_needed(struct buf *out, uint8_t tag, const char *text)
{
    return write_text(out, tag, text ? text : "");
}

static enum err write_list(struct buf *out, uint8_t tag, const struct text_list *list)
{
    enum err err = ERR_OK;

    for (size_t i = 0; !err && i < list->count; i++)
        err = write_text(out, tag, list->items[i]);
    return err;
}

static enum err write_secret(struct buf *out, uint8_t tag, const struct sealed_secret *secret)
{
    uint8_t head[HEAD_LEN + EXPIRY_LEN] = { tag };

    big_endian_put(head + 1, EXPIRY_LEN + secret->sealed.len, HEAD_LEN - 1);
    big_endian_put(head + HEAD_LEN, secret->expires_at_ms, EXPIRY_LEN);
    enum err err = buf_append(out, head, sizeof head);
    return err ? err : buf_append(out, secret->sealed.data, secret->sealed.len);
}

static enum err write_secrets(struct buf *out, uint8_t tag, const struct endpoint *endpoint)
{
    enum err err = ERR_OK;

    for (size_t i = 0; !err && i < endpoint->secret_count; i++)
        err = write_secret(out, tag, &endpoint->secrets[i]);
    return err;
}

static enum err write_bytes(struct buf *out, uint8_t tag, const struct bytes *bytes)
{
    return bytes->len > 0 ? write_field(out, tag, bytes->data, bytes->len) : ERR_OK;
}

/* From the south pole, and from 180 degrees west. */
static enum err write_place(struct buf *out, uint8_t tag, const struct location *location)
{
    const size_t half = PLACE_LEN / 2;
    uint8_t bytes[PLACE_LEN];

    if (!location->known)
        return ERR_OK;
    big_endian_put(bytes, (uint64_t)((int64_t)location->latitude + LOCATION_LATITUDE_MAX),
                   half);
    big_endian_put(bytes + half,
                   (uint64_t)((int64_t)location->longitude + LOCATION_LONGITUDE_MAX), half);
    return write_field(out, tag, bytes, PLACE_LEN);
}

static enum err write_id(struct buf *out, uint8_t tag, const struct id *id)
{
    return id_is_zero(id) ? ERR_OK : write_field(out, tag, id->bytes, ID_BYTES);
}

static enum err encode_field(const struct field *field, const uint8_t *from, struct buf *out)
{
    const void *at = from + field->offset;

    switch (field->type) {
    case TYPE_ID:
        return write_id(out, field->tag, at);
    case TYPE_NUMBER:
        return write_number(out, field->tag, *(const uint64_t *)at);
    case TYPE_SHORT:
        return write_number(out, field->tag, *(const uint32_t *)at);
    case TYPE_BYTE:
        return write_number(out, field->tag, *(const uint8_t *)at);
    case TYPE_FLAG:
        return write_number(out, field->tag, *(const bool *)at);
    case TYPE_CHOICE:
        return write_number(out, field->tag, *(const unsigned *)at);
    case TYPE_TEXT:
        return write_text(out, field->tag, *(char *const *)at);
    case TYPE_NEEDED:
        return write_needed(out, field->tag, *(char *const *)at);
    case TYPE_LIST:
        return write_list(out, field->tag, at);
    case TYPE_PLACE:
        return write_place(out, field->tag, at);
    case TYPE_BYTES:
        return write_bytes(out, field->tag, at);
    case TYPE_SECRETS:
        return write_secrets(out, field->tag, (const struct endpoint *)(const void *)from);
    }
    abort();
}

enum err object_encode(const struct object *object, struct buf *out)
{
    const struct layout *layout = &LAYOUTS[object->kind];
    const uint8_t *from = whole((struct object *)object);
    enum err err = write_number(out, TAG_KIND, (uint64_t)object->kind + 1);

    for (size_t i = 0; !err && i < layout->count; i++)
        err = encode_field(&layout->fields[i], from, out);
    return err;
}

/* Decoding. */

/* A field of a code. */
struct piece {
    uint8_t tag;
    const uint8_t *value;
    size_t len;
};

/* The next field of what is left; false when that is none. */
static bool take_piece(const uint8_t **at, size_t *left, struct piece *out)
{
    if (*left < HEAD_LEN)
        return false;
    out->tag = **at;
    out->len = (size_t)big_endian_get(*at + 1, HEAD_LEN - 1);
    if (out->len > *left - HEAD_LEN)
        return false;
    out->value = *at + HEAD_LEN;
    *at += HEAD_LEN + out->len;
    *left -= HEAD_LEN + out->len;
    return true;
}

static bool read_number(const struct piece *piece, size_t most, uint64_t *out)
{
    if (piece->len != NUMBER_LEN)
        return false;
    *out = big_endian_get(piece->value, NUMBER_LEN);
    return *out != 0 && (most == 0 || *out <= most);
}

static bool is_text(const struct piece *piece, size_t most)
{
    return piece->len <= most && !memchr(piece->value, '\0', piece->len) &&
           utf8_valid_prefix(piece->value, piece->len) == piece->len;
}

static bool read_item(const struct piece *piece, size_t most, struct text_list *list)
{
    if (!is_text(piece, most) || memchr(piece->value, '\n', piece->len) ||
        list->count == LIST_MAX)
        return false;
    text_list_add(list, (const char *)piece->value, piece->len);
    return true;
}

static bool read_place(const struct piece *piece, struct location *out)
{
    const size_t half = PLACE_LEN / 2;

    if (piece->len != PLACE_LEN)
        return false;
    uint64_t latitude = big_endian_get(piece->value, half);
    uint64_t longitude = big_endian_get(piece->value + half, half);
    *out = (struct location){
        .known = true,
        .latitude = (int32_t)((int64_t)latitude - LOCATION_LATITUDE_MAX),
        .longitude = (int32_t)((int64_t)longitude - LOCATION_LONGITUDE_MAX),
    };
    return latitude <= 2 * (uint64_t)LOCATION_LATITUDE_MAX &&
           longitude <= 2 * (uint64_t)LOCATION_LONGITUDE_MAX;
}

static bool read_secret(const struct piece *piece, struct endpoint *endpoint)
{
    if (piece->len < EXPIRY_LEN || endpoint->secret_count == SECRETS_MAX)
        return false;
    endpoint->secrets[endpoint->secret_count++] = (struct sealed_secret){
        .expires_at_ms = big_endian_get(piece->value, EXPIRY_LEN),
        .sealed = bytes_copy(piece->value + EXPIRY_LEN, piece->len - EXPIRY_LEN),
    };
    return true;
}

static bool decode_field(const struct field *field, const struct piece *piece, uint8_t *to)
{
    void *at = to + field->offset;
    uint64_t number = 0;

    switch (field->type) {
    case TYPE_ID:
        if (piece->len != ID_BYTES)
            return false;
        memcpy(at, piece->value, ID_BYTES);
        return !id_is_zero(at);
    case TYPE_NUMBER:
        return read_number(piece, 0, at);
    case TYPE_SHORT:
        if (!read_number(piece, field->most, &number))
            return false;
        *(uint32_t *)at = (uint32_t)number;
        return true;
    case TYPE_BYTE:
        if (!read_number(piece, field->most, &number))
            return false;
        *(uint8_t *)at = (uint8_t)number;
        return true;
    case TYPE_FLAG:
        *(bool *)at = true;
        return read_number(piece, 1, &number);
    case TYPE_CHOICE:
        if (!read_number(piece, field->most, &number))
            return false;
        *(unsigned *)at = (unsigned)number;
        return true;
    case TYPE_TEXT:
    case TYPE_NEEDED:
        if (!is_text(piece, field->most))
            return false;
        *(char **)at = xmemdup(piece->value, piece->len);
        return true;
    case TYPE_LIST:
        return read_item(piece, field->most, at);
    case TYPE_PLACE:
        return read_place(piece, at);
    case TYPE_BYTES:
        *(struct bytes *)at = bytes_copy(piece->value, piece->len);
        return piece->len > 0 && piece->len <= field->most;
    case TYPE_SECRETS:
        return piece->len <= field->most && read_secret(piece, (struct endpoint *)(void *)to);
    }
    abort();
}

static const struct field *find_field(const struct layout *layout, uint8_t tag)
{
    for (size_t i = 0; i < layout->count; i++)
        if (layout->fields[i].tag == tag)
            return &layout->fields[i];
    return NULL;
}

static bool repeats(const struct field *field)
{
    return field && (field->type == TYPE_LIST || field->type == TYPE_SECRETS);
}

static bool has_all_it_needs(const struct layout *layout, struct object *object)
{
    uint8_t *from = whole(object);

    for (size_t i = 0; i < layout->count; i++)
        if (layout->fields[i].type == TYPE_NEEDED &&
            !*(char **)(void *)(from + layout->fields[i].offset))
            return false;
    return !id_is_zero(&object->id) && object->version > 0 &&
           (object->kind != OBJECT_ENDPOINT || !id_is_zero(&as_endpoint(object)->application));
}

static struct object *new_object(enum object_kind kind)
{
    switch (kind) {
    case OBJECT_APPLICATION:
        return &application_new()->base;
    case OBJECT_ENDPOINT:
        return &endpoint_new()->base;
    case OBJECT_EVENT_TYPE:
        return &event_type_new()->base;
    }
    abort();
}

static enum err decode_fields(const uint8_t *at, size_t left, struct object *object)
{
    const struct layout *layout = &LAYOUTS[object->kind];
    uint8_t *to = whole(object), last = TAG_KIND;
    struct piece piece;

    while (left > 0) {
        if (!take_piece(&at, &left, &piece) || piece.tag < last)
            return ERR_INVALID;
        const struct field *field = find_field(layout, piece.tag);
        if (field && piece.tag == last && !repeats(field))
            return ERR_INVALID;
        if (field && !decode_field(field, &piece, to))
            return ERR_INVALID;
        last = piece.tag;
    }
    return last != TAG_KIND && has_all_it_needs(layout, object) ? ERR_OK : ERR_INVALID;
}

enum err object_decode(const void *code, size_t len, struct object **out)
{
    const uint8_t *at = code;
    struct piece piece;
    uint64_t kind;

    if (len > OBJECT_CODE_MAX || !take_piece(&at, &len, &piece) || piece.tag != TAG_KIND ||
        !read_number(&piece, 0, &kind))
        return ERR_INVALID;
    if (kind > COUNT(LAYOUTS))
        return ERR_VERSION;

    struct object *object = new_object((enum object_kind)(kind - 1));
    enum err err = decode_fields(at, len, object);
    if (err)
        object_unref(object);
    else
        *out = object;
    return err;
}

size_t object_code_public(const void *code, size_t len)
{
    const uint8_t *at = code;
    size_t left = len, public_len = 0;
    struct piece piece;
    uint8_t last = 0;

    while (left > 0) {
        if (!take_piece(&at, &left, &piece) || piece.tag < last)
            return len;
        last = piece.tag;
        if (last < OBJECT_CODE_SECRET)
            public_len = len - left;
    }
    return public_len;
}

enum err object_code_replace(const struct bytes *code, const struct object *object,
                             struct bytes *out)
{
    struct buf whole = BUF_INIT(OBJECT_CODE_MAX), joined = BUF_INIT(OBJECT_CODE_MAX);
    enum err err = object_encode(object, &whole);

    if (!err)
        err = buf_append(&joined, code->data, object_code_public(code->data, code->len));
    if (!err) {
        size_t bare = object_code_public(whole.bytes, whole.len);
        err = buf_append(&joined, whole.bytes + bare, whole.len - bare);
    }
    if (err)
        buf_fini(&joined);
    else
        *out = (struct bytes){ .data = joined.bytes, .len = joined.len };
    buf_fini(&whole);
    return err;
}
