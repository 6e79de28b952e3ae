/* Configuration: applications, endpoints and event types as rows. */
#include "store/sqlite.h"

#include "core/match.h"
#include "core/mem.h"
#include "core/operational.h"
#include "store/page.h"
#include "store/sqlite_row.h"

/* clang-format off */
/* The columns of the three tables behind their key, in the order of all statements. A new one is a
 * line here, one where it is bound and one where it is read. */
#define OBJECT_COLUMNS(X)                                                                      \
    X(OBJECT_TAIL,                tail)                                                        \
    X(OBJECT_ORGANIZATION,        organization)                                                \
    X(OBJECT_VERSION,             version)                                                     \
    X(OBJECT_DELETED,             deleted)                                                     \
    X(OBJECT_CREATED_AT_MS,       created_at_ms)                                               \
    X(OBJECT_UPDATED_AT_MS,       updated_at_ms)

#define APPLICATION_COLUMNS(X)                                                                 \
    X(APPLICATION_UID,            uid)                                                         \
    X(APPLICATION_NAME,           name)                                                        \
    X(APPLICATION_METADATA,       metadata)                                                    \
    X(APPLICATION_RATE,           throttle_rate)                                               \
    X(APPLICATION_JURISDICTION,   jurisdiction)                                                \
    X(APPLICATION_HOME,           home)                                                        \
    X(APPLICATION_HOME_EPOCH,     home_epoch)                                                  \
    X(APPLICATION_MODE,           mode)                                                        \
    X(APPLICATION_FAILOVER,       failover)                                                    \
    X(APPLICATION_REVOCATIONS,    revocations)

#define ENDPOINT_COLUMNS(X)                                                                    \
    X(ENDPOINT_APPLICATION,       application_key)                                             \
    X(ENDPOINT_APPLICATION_TAIL,  application_tail)                                            \
    X(ENDPOINT_UID,               uid)                                                         \
    X(ENDPOINT_URL,               url)                                                         \
    X(ENDPOINT_DESCRIPTION,       description)                                                 \
    X(ENDPOINT_METADATA,          metadata)                                                    \
    X(ENDPOINT_DISABLED,          disabled)                                                    \
    X(ENDPOINT_RATE,              throttle_rate)                                               \
    X(ENDPOINT_EVENT_TYPES,       event_types)                                                 \
    X(ENDPOINT_CHANNELS,          channels)                                                    \
    X(ENDPOINT_HEADERS,           headers)                                                     \
    X(ENDPOINT_SECRETS,           secrets)                                                     \
    X(ENDPOINT_DISPATCH_MODE,     dispatch_mode)                                               \
    X(ENDPOINT_DISPATCH_REGIONS,  dispatch_regions)                                            \
    X(ENDPOINT_TARGETS,           targets)                                                     \
    X(ENDPOINT_LATITUDE,          latitude)                                                    \
    X(ENDPOINT_LONGITUDE,         longitude)                                                   \
    X(ENDPOINT_SEALED_BY,         sealed_by)

#define EVENT_TYPE_COLUMNS(X)                                                                  \
    X(EVENT_TYPE_NAME,            name)                                                        \
    X(EVENT_TYPE_DESCRIPTION,     description)                                                 \
    X(EVENT_TYPE_SCHEMAS,         schemas)                                                     \
    X(EVENT_TYPE_FEATURE_FLAGS,   feature_flag)                                                \
    X(EVENT_TYPE_ARCHIVED,        archived)                                                    \
    X(EVENT_TYPE_DEPRECATED,      deprecated)                                                  \
    X(EVENT_TYPE_GROUP_NAME,      group_name)
/* clang-format on */

#define CONSTANT(constant, name) constant,
#define NAME(constant, name)     ", " #name
#define PLACE(constant, name)    ", ?"
#define EXCLUDED(constant, name) ", excluded." #name

enum object_column { OBJECT_KEY, OBJECT_COLUMNS(CONSTANT) OBJECT_LAST = OBJECT_UPDATED_AT_MS };
enum application_column { APPLICATION_BEFORE = OBJECT_LAST, APPLICATION_COLUMNS(CONSTANT) };
enum endpoint_column { ENDPOINT_BEFORE = OBJECT_LAST, ENDPOINT_COLUMNS(CONSTANT) };
enum event_type_column { EVENT_TYPE_BEFORE = OBJECT_LAST, EVENT_TYPE_COLUMNS(CONSTANT) };

/* Where a column's value is bound: parameters count from 1. */
#define AT(column) ((int)(column) + 1)

/* clang-format off */
#define COLUMNS(own)                                                                           \
    "key" OBJECT_COLUMNS(NAME) own(NAME)

/* A row of the same key gives way to its next version. */
#define SQL_PUT(table, own)                                                                    \
    "INSERT INTO " table " (" COLUMNS(own) ")"                                                 \
    "     VALUES (?" OBJECT_COLUMNS(PLACE) own(PLACE) ")"                                      \
    "         ON CONFLICT (key) DO UPDATE"                                                     \
    "        SET (" COLUMNS(own) ")"                                                           \
    "          = (excluded.key" OBJECT_COLUMNS(EXCLUDED) own(EXCLUDED) ")"

#define SQL_BURY(table)                                                                        \
    "UPDATE " table                                                                            \
    "   SET (deleted, version) = (1, version + 1)"                                             \
    " WHERE key = ?1 AND deleted = 0"

#define SQL_BURY_ENDPOINT                                                                      \
    "UPDATE endpoints"                                                                         \
    "   SET (deleted, version, headers, secrets, sealed_by)"                                   \
    "     = (1, version + 1, NULL, NULL, NULL)"                                                \
    " WHERE key = ?1 AND deleted = 0"
/* clang-format on */

/* Writing. */

static void bind_object(sqlite3_stmt *st, const struct object *object)
{
    bind_id(st, AT(OBJECT_KEY), &object->id);
    bind_whole_id(st, AT(OBJECT_ORGANIZATION), &object->organization);
    bind_u64(st, AT(OBJECT_VERSION), object->version);
    bind_u64(st, AT(OBJECT_DELETED), object->deleted);
    bind_u64(st, AT(OBJECT_CREATED_AT_MS), object->created_at_ms);
    bind_u64(st, AT(OBJECT_UPDATED_AT_MS), object->updated_at_ms);
}

static void bind_application(sqlite3_stmt *st, const struct application *a)
{
    bind_text(st, AT(APPLICATION_UID), a->uid);
    bind_text(st, AT(APPLICATION_NAME), a->name);
    bind_text(st, AT(APPLICATION_METADATA), a->metadata);
    bind_u64(st, AT(APPLICATION_RATE), a->throttle_rate);
    bind_text(st, AT(APPLICATION_JURISDICTION), a->residency.jurisdiction);
    bind_u64(st, AT(APPLICATION_HOME), a->residency.home);
    bind_u64(st, AT(APPLICATION_HOME_EPOCH), a->residency.home_epoch);
    bind_u64(st, AT(APPLICATION_MODE), a->residency.mode);
    bind_u64(st, AT(APPLICATION_FAILOVER), a->residency.failover);
    bind_list(st, AT(APPLICATION_REVOCATIONS), &a->revocations);
}

static void bind_endpoint(sqlite3_stmt *st, const struct endpoint *e)
{
    bind_id(st, AT(ENDPOINT_APPLICATION), &e->application);
    bind_text(st, AT(ENDPOINT_UID), e->uid);
    bind_text(st, AT(ENDPOINT_URL), e->url);
    bind_text(st, AT(ENDPOINT_DESCRIPTION), e->description);
    bind_text(st, AT(ENDPOINT_METADATA), e->metadata);
    bind_u64(st, AT(ENDPOINT_DISABLED), e->disabled);
    bind_u64(st, AT(ENDPOINT_RATE), e->throttle_rate);
    bind_list(st, AT(ENDPOINT_EVENT_TYPES), &e->event_types);
    bind_list(st, AT(ENDPOINT_CHANNELS), &e->channels);
    bind_bytes(st, AT(ENDPOINT_HEADERS), e->sealed_headers.data, e->sealed_headers.len);
    bind_secrets(st, AT(ENDPOINT_SECRETS), e);
    bind_u64(st, AT(ENDPOINT_DISPATCH_MODE), e->dispatch.mode);
    bind_list(st, AT(ENDPOINT_DISPATCH_REGIONS), &e->dispatch.regions);
    bind_list(st, AT(ENDPOINT_TARGETS), &e->dispatch.targets);
    bind_location(st, AT(ENDPOINT_LATITUDE), &e->dispatch.location);
    bind_sealed_by(st, AT(ENDPOINT_SEALED_BY), sealed_mark(e));
}

static void bind_event_type(sqlite3_stmt *st, const struct event_type *t)
{
    bind_text(st, AT(EVENT_TYPE_NAME), t->name);
    bind_text(st, AT(EVENT_TYPE_DESCRIPTION), t->description);
    bind_text(st, AT(EVENT_TYPE_SCHEMAS), t->schemas);
    bind_list(st, AT(EVENT_TYPE_FEATURE_FLAGS), &t->feature_flags);
    bind_u64(st, AT(EVENT_TYPE_ARCHIVED), t->archived);
    bind_u64(st, AT(EVENT_TYPE_DEPRECATED), t->deprecated);
    bind_text(st, AT(EVENT_TYPE_GROUP_NAME), t->group_name);
}

enum err sqlite_put(struct backend *b, struct object *object)
{
    sqlite3_stmt *st = NULL;

    switch (object->kind) {
    case OBJECT_APPLICATION:
        st = b->writer.put_application;
        bind_application(st, as_application(object));
        break;
    case OBJECT_ENDPOINT:
        st = b->writer.put_endpoint;
        bind_endpoint(st, as_endpoint(object));
        break;
    case OBJECT_EVENT_TYPE:
        st = b->writer.put_event_type;
        bind_event_type(st, as_event_type(object));
        break;
    }
    bind_object(st, object);
    return sqlite_run(&b->writer.files[BACKEND_GLOBAL], st);
}

sqlite3_stmt *sqlite_bind_endpoint(struct backend *b, struct endpoint *endpoint)
{
    bind_endpoint(b->writer.put_endpoint, endpoint);
    bind_object(b->writer.put_endpoint, &endpoint->base);
    return b->writer.put_endpoint;
}

enum err sqlite_bury(struct backend *b, enum object_kind kind, int64_t key)
{
    sqlite3_stmt *const statements[] = {
        [OBJECT_APPLICATION] = b->writer.bury_application,
        [OBJECT_ENDPOINT] = b->writer.bury_endpoint,
        [OBJECT_EVENT_TYPE] = b->writer.bury_event_type,
    };

    sqlite3_bind_int64(statements[kind], 1, key);
    return sqlite_run(&b->writer.files[BACKEND_GLOBAL], statements[kind]);
}

/* Reading. */

static void read_object(sqlite3_stmt *st, struct object *object)
{
    object->id = column_id(st, OBJECT_KEY);
    object->organization = column_whole_id(st, OBJECT_ORGANIZATION);
    object->version = column_u64(st, OBJECT_VERSION);
    object->deleted = column_bool(st, OBJECT_DELETED);
    object->created_at_ms = column_u64(st, OBJECT_CREATED_AT_MS);
    object->updated_at_ms = column_u64(st, OBJECT_UPDATED_AT_MS);
}

static struct object *read_application(sqlite3_stmt *st)
{
    struct application *a = application_new();

    a->uid = column_text(st, APPLICATION_UID);
    a->name = column_text(st, APPLICATION_NAME);
    a->metadata = column_text(st, APPLICATION_METADATA);
    a->throttle_rate = column_u32(st, APPLICATION_RATE);
    a->residency.jurisdiction = column_text(st, APPLICATION_JURISDICTION);
    a->residency.home = (uint8_t)column_u32(st, APPLICATION_HOME);
    a->residency.home_epoch = column_u64(st, APPLICATION_HOME_EPOCH);
    a->residency.mode = (enum residency_mode)column_u32(st, APPLICATION_MODE);
    a->residency.failover = (enum residency_failover)column_u32(st, APPLICATION_FAILOVER);
    a->revocations = column_list(st, APPLICATION_REVOCATIONS);
    return &a->base;
}

static struct object *read_endpoint(sqlite3_stmt *st)
{
    struct endpoint *e = endpoint_new();

    e->application = column_id(st, ENDPOINT_APPLICATION);
    e->uid = column_text(st, ENDPOINT_UID);
    e->url = column_text(st, ENDPOINT_URL);
    e->description = column_text(st, ENDPOINT_DESCRIPTION);
    e->metadata = column_text(st, ENDPOINT_METADATA);
    e->disabled = column_bool(st, ENDPOINT_DISABLED);
    e->throttle_rate = column_u32(st, ENDPOINT_RATE);
    e->event_types = column_list(st, ENDPOINT_EVENT_TYPES);
    e->channels = column_list(st, ENDPOINT_CHANNELS);
    e->sealed_headers = column_bytes(st, ENDPOINT_HEADERS);
    column_secrets(st, ENDPOINT_SECRETS, e);
    e->dispatch.mode = (enum dispatch_mode)column_u32(st, ENDPOINT_DISPATCH_MODE);
    e->dispatch.regions = column_list(st, ENDPOINT_DISPATCH_REGIONS);
    e->dispatch.targets = column_list(st, ENDPOINT_TARGETS);
    e->dispatch.location = column_location(st, ENDPOINT_LATITUDE);
    return &e->base;
}

static struct object *read_event_type(sqlite3_stmt *st)
{
    struct event_type *t = event_type_new();

    t->name = column_text(st, EVENT_TYPE_NAME);
    t->description = column_text(st, EVENT_TYPE_DESCRIPTION);
    t->schemas = column_text(st, EVENT_TYPE_SCHEMAS);
    t->feature_flags = column_list(st, EVENT_TYPE_FEATURE_FLAGS);
    t->archived = column_bool(st, EVENT_TYPE_ARCHIVED);
    t->deprecated = column_bool(st, EVENT_TYPE_DEPRECATED);
    t->group_name = column_text(st, EVENT_TYPE_GROUP_NAME);
    return &t->base;
}

static struct object *read_row(sqlite3_stmt *st, enum object_kind kind)
{
    struct object *object = NULL;

    switch (kind) {
    case OBJECT_APPLICATION:
        object = read_application(st);
        break;
    case OBJECT_ENDPOINT:
        object = read_endpoint(st);
        break;
    case OBJECT_EVENT_TYPE:
        object = read_event_type(st);
        break;
    }
    read_object(st, object);
    return object;
}

/* clang-format off */
static const char SQL_LOAD_APPLICATIONS[] =
    "SELECT " COLUMNS(APPLICATION_COLUMNS)
    "  FROM applications"
    " WHERE deleted = 0"
    " ORDER BY key";

static const char SQL_LOAD_ENDPOINTS[] =
    "SELECT " COLUMNS(ENDPOINT_COLUMNS)
    "  FROM endpoints"
    " WHERE deleted = 0"
    " ORDER BY key";

static const char SQL_LOAD_EVENT_TYPES[] =
    "SELECT " COLUMNS(EVENT_TYPE_COLUMNS)
    "  FROM event_types"
    " WHERE deleted = 0"
    " ORDER BY key";
/* clang-format on */

static enum err load_kind(const struct connection *c, const char *sql, enum object_kind kind,
                          struct catalog *into)
{
    sqlite3_stmt *st = NULL;
    const struct prepared statements[] = { { &st, sql }, { 0 } };
    bool row = false;
    enum err err = sqlite_prepare(c, statements);

    if (!err)
        err = sqlite_next(c, st, &row);
    while (!err && row) {
        struct object *object = read_row(st, kind);
        catalog_put(into, object);
        object_unref(object);
        err = sqlite_next(c, st, &row);
    }
    sqlite3_finalize(st);
    return err;
}

enum err sqlite_load(struct backend *b, struct catalog *into)
{
    const struct connection *c = &b->writer.files[BACKEND_GLOBAL];
    enum err err = load_kind(c, SQL_LOAD_APPLICATIONS, OBJECT_APPLICATION, into);

    if (!err)
        err = load_kind(c, SQL_LOAD_ENDPOINTS, OBJECT_ENDPOINT, into);
    if (!err)
        err = load_kind(c, SQL_LOAD_EVENT_TYPES, OBJECT_EVENT_TYPE, into);
    if (!err)
        err = sqlite_load_draining(b, into);
    return err;
}

/* One by its key. */

/* clang-format off */
#define SQL_GET(table, own)                                                                    \
    "SELECT " COLUMNS(own)                                                                     \
    "  FROM " table                                                                            \
    " WHERE key = ?1"
/* clang-format on */

enum err sqlite_get_object(struct backend *b, enum object_kind kind, int64_t key,
                           struct object **out)
{
    sqlite3_stmt *const statements[] = {
        [OBJECT_APPLICATION] = b->reader.application,
        [OBJECT_ENDPOINT] = b->reader.endpoint,
        [OBJECT_EVENT_TYPE] = b->reader.event_type,
    };
    sqlite3_stmt *st = statements[kind];
    bool row;

    sqlite3_bind_int64(st, 1, key);
    enum err err = sqlite_next(&b->reader.files[BACKEND_GLOBAL], st, &row);
    *out = !err && row ? read_row(st, kind) : NULL;
    sqlite3_reset(st);
    return err;
}

/* Lists: the same statement in both directions. */

/* clang-format off */
#define SQL_LIST_APPLICATIONS(direction)                                                       \
    "SELECT " COLUMNS(APPLICATION_COLUMNS)                                                     \
    "  FROM applications"                                                                      \
    " WHERE organization = ?1 AND deleted = 0 AND uid IS NOT '" OPERATIONAL_UID "'"            \
    "   AND key > ?2 AND key < ?3"                                                             \
    " ORDER BY key " direction

#define SQL_LIST_ENDPOINTS(direction)                                                          \
    "SELECT " COLUMNS(ENDPOINT_COLUMNS)                                                        \
    "  FROM endpoints"                                                                         \
    " WHERE application_key = ?1 AND deleted = 0"                                              \
    "   AND key > ?2 AND key < ?3"                                                             \
    " ORDER BY key " direction

/* Without a cursor, a bound that every name passes: no text sorts below '' or behind a blob. */
#define SQL_LIST_EVENT_TYPES(beyond, direction)                                                \
    "SELECT " COLUMNS(EVENT_TYPE_COLUMNS)                                                      \
    "  FROM event_types"                                                                       \
    " WHERE organization = ?1 AND deleted = 0"                                                 \
    "   AND archived <= ?2"                                                                    \
    "   AND name " beyond                                                                      \
    " ORDER BY name " direction
/* clang-format on */

enum err sqlite_config_prepare(struct backend *b)
{
    const struct prepared writing[] = {
        { &b->writer.put_application, SQL_PUT("applications", APPLICATION_COLUMNS) },
        { &b->writer.put_endpoint, SQL_PUT("endpoints", ENDPOINT_COLUMNS) },
        { &b->writer.put_event_type, SQL_PUT("event_types", EVENT_TYPE_COLUMNS) },
        { &b->writer.bury_application, SQL_BURY("applications") },
        { &b->writer.bury_endpoint, SQL_BURY_ENDPOINT },
        { &b->writer.bury_event_type, SQL_BURY("event_types") },
        { 0 },
    };
    const struct prepared reading[] = {
        { &b->reader.application, SQL_GET("applications", APPLICATION_COLUMNS) },
        { &b->reader.endpoint, SQL_GET("endpoints", ENDPOINT_COLUMNS) },
        { &b->reader.event_type, SQL_GET("event_types", EVENT_TYPE_COLUMNS) },
        { &b->reader.applications.up, SQL_LIST_APPLICATIONS("ASC") },
        { &b->reader.applications.down, SQL_LIST_APPLICATIONS("DESC") },
        { &b->reader.endpoints.up, SQL_LIST_ENDPOINTS("ASC") },
        { &b->reader.endpoints.down, SQL_LIST_ENDPOINTS("DESC") },
        { &b->reader.event_types.up, SQL_LIST_EVENT_TYPES("> ifnull(?3, '')", "ASC") },
        { &b->reader.event_types.down, SQL_LIST_EVENT_TYPES("< ifnull(?3, x'')", "DESC") },
        { 0 },
    };
    enum err err = sqlite_prepare(&b->writer.files[BACKEND_GLOBAL], writing);

    return err ? err : sqlite_prepare(&b->reader.files[BACKEND_GLOBAL], reading);
}

static sqlite3_stmt *bind_list_objects(struct backend *b, const struct store_list_objects *op,
                                       const struct walk *walk)
{
    const struct ordered *list = NULL;
    sqlite3_stmt *st;

    switch (op->kind) {
    case OBJECT_APPLICATION:
        list = &b->reader.applications;
        break;
    case OBJECT_ENDPOINT:
        list = &b->reader.endpoints;
        break;
    case OBJECT_EVENT_TYPE:
        list = &b->reader.event_types;
        break;
    }
    st = walk->ascending ? list->up : list->down;
    if (op->kind == OBJECT_EVENT_TYPE) {
        bind_whole_id(st, 1, &op->organization);
        bind_u64(st, 2, op->with_archived);
        bind_text(st, 3, op->page.name_cursor);
        return st;
    }
    if (op->kind == OBJECT_APPLICATION)
        bind_whole_id(st, 1, &op->organization);
    else
        sqlite3_bind_int64(st, 1, id_key(&op->application));
    sqlite3_bind_int64(st, 2, walk->above);
    sqlite3_bind_int64(st, 3, walk->below);
    return st;
}

static bool is_shown(const struct store_list_objects *op, struct object *object)
{
    return op->kind != OBJECT_EVENT_TYPE || !op->feature_flags ||
           match_shows(as_event_type(object), op->feature_flags);
}

enum err sqlite_list_objects(struct backend *b, struct store_list_objects *op)
{
    const struct connection *c = &b->reader.files[BACKEND_GLOBAL];
    struct walk walk = walk_page(&op->page);
    sqlite3_stmt *st = bind_list_objects(b, op, &walk);
    bool row;
    enum err err = sqlite_next(c, st, &row);

    op->count = 0;
    op->more = false;
    op->objects = xcalloc(op->page.limit, sizeof(struct object *));
    while (!err && row && !op->more) {
        struct object *object = read_row(st, op->kind);
        bool shown = is_shown(op, object);
        op->more = shown && op->count == op->page.limit;
        if (shown && !op->more)
            op->objects[op->count++] = object;
        else
            object_unref(object);
        if (!op->more)
            err = sqlite_next(c, st, &row);
    }
    sqlite3_reset(st);
    if (err) {
        for (size_t i = 0; i < op->count; i++)
            object_unref(op->objects[i]);
        free(op->objects);
        return err;
    }
    if (walk.reversed)
        page_reverse(op->objects, op->count, sizeof(struct object *));
    return ERR_OK;
}
