/* Configuration: applications, endpoints and event types as rows. */
#include "store/sqlite.h"

#include "core/mem.h"
#include "store/page.h"
#include "store/sqlite_row.h"

/* clang-format off */
/* The first columns of all three tables. */
#define OBJECT_COLUMNS                                                                         \
    "key, tail, organization, version, deleted, created_at_ms, updated_at_ms"
#define APPLICATION_COLUMNS OBJECT_COLUMNS ", uid, name, metadata, throttle_rate"
#define ENDPOINT_COLUMNS                                                                       \
    OBJECT_COLUMNS ", application_key, application_tail, uid, url, description, metadata,"     \
                   " disabled, throttle_rate, event_types, channels, headers, secrets"
#define EVENT_TYPE_COLUMNS                                                                     \
    OBJECT_COLUMNS ", name, description, schemas, feature_flag, archived, deprecated"
/* clang-format on */

/* Writing. */

/* clang-format off */
/* A row of the same key gives way to its next version. */
static const char SQL_PUT_APPLICATION[] =
    "INSERT INTO applications (" APPLICATION_COLUMNS ")"
    "     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
    "         ON CONFLICT (key) DO UPDATE"
    "        SET (" APPLICATION_COLUMNS ")"
    "          = (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";

static const char SQL_PUT_ENDPOINT[] =
    "INSERT INTO endpoints (" ENDPOINT_COLUMNS ")"
    "     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
    "             ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)"
    "         ON CONFLICT (key) DO UPDATE"
    "        SET (" ENDPOINT_COLUMNS ")"
    "          = (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
    "             ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)";

static const char SQL_PUT_EVENT_TYPE[] =
    "INSERT INTO event_types (" EVENT_TYPE_COLUMNS ")"
    "     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
    "         ON CONFLICT (key) DO UPDATE"
    "        SET (" EVENT_TYPE_COLUMNS ")"
    "          = (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
/* clang-format on */

static void bind_object(sqlite3_stmt *st, const struct object *object)
{
    bind_id(st, 1, &object->id);
    bind_whole_id(st, 3, &object->organization);
    bind_u64(st, 4, object->version);
    bind_u64(st, 5, object->deleted);
    bind_u64(st, 6, object->created_at_ms);
    bind_u64(st, 7, object->updated_at_ms);
}

static void bind_application(sqlite3_stmt *st, const struct application *a)
{
    bind_text(st, 8, a->uid);
    bind_text(st, 9, a->name);
    bind_text(st, 10, a->metadata);
    bind_u64(st, 11, a->throttle_rate);
}

static void bind_endpoint(sqlite3_stmt *st, const struct endpoint *e)
{
    bind_id(st, 8, &e->application);
    bind_text(st, 10, e->uid);
    bind_text(st, 11, e->url);
    bind_text(st, 12, e->description);
    bind_text(st, 13, e->metadata);
    bind_u64(st, 14, e->disabled);
    bind_u64(st, 15, e->throttle_rate);
    bind_list(st, 16, &e->event_types);
    bind_list(st, 17, &e->channels);
    bind_bytes(st, 18, e->sealed_headers.data, e->sealed_headers.len);
    bind_secrets(st, 19, e);
}

static void bind_event_type(sqlite3_stmt *st, const struct event_type *t)
{
    bind_text(st, 8, t->name);
    bind_text(st, 9, t->description);
    bind_text(st, 10, t->schemas);
    bind_text(st, 11, t->feature_flag);
    bind_u64(st, 12, t->archived);
    bind_u64(st, 13, t->deprecated);
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

/* Reading. */

static void read_object(sqlite3_stmt *st, struct object *object)
{
    object->id = column_id(st, 0);
    object->organization = column_whole_id(st, 2);
    object->version = column_u64(st, 3);
    object->deleted = column_bool(st, 4);
    object->created_at_ms = column_u64(st, 5);
    object->updated_at_ms = column_u64(st, 6);
}

static struct object *read_application(sqlite3_stmt *st)
{
    struct application *a = application_new();

    a->uid = column_text(st, 7);
    a->name = column_text(st, 8);
    a->metadata = column_text(st, 9);
    a->throttle_rate = column_u32(st, 10);
    return &a->base;
}

static struct object *read_endpoint(sqlite3_stmt *st)
{
    struct endpoint *e = endpoint_new();

    e->application = column_id(st, 7);
    e->uid = column_text(st, 9);
    e->url = column_text(st, 10);
    e->description = column_text(st, 11);
    e->metadata = column_text(st, 12);
    e->disabled = column_bool(st, 13);
    e->throttle_rate = column_u32(st, 14);
    e->event_types = column_list(st, 15);
    e->channels = column_list(st, 16);
    e->sealed_headers = column_bytes(st, 17);
    column_secrets(st, 18, e);
    return &e->base;
}

static struct object *read_event_type(sqlite3_stmt *st)
{
    struct event_type *t = event_type_new();

    t->name = column_text(st, 7);
    t->description = column_text(st, 8);
    t->schemas = column_text(st, 9);
    t->feature_flag = column_text(st, 10);
    t->archived = column_bool(st, 11);
    t->deprecated = column_bool(st, 12);
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
    "SELECT " APPLICATION_COLUMNS
    "  FROM applications"
    " WHERE deleted = 0"
    " ORDER BY key";

static const char SQL_LOAD_ENDPOINTS[] =
    "SELECT " ENDPOINT_COLUMNS
    "  FROM endpoints"
    " WHERE deleted = 0"
    " ORDER BY key";

static const char SQL_LOAD_EVENT_TYPES[] =
    "SELECT " EVENT_TYPE_COLUMNS
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
    return err;
}

/* Lists: the same statement in both directions. */

/* clang-format off */
#define SQL_LIST_APPLICATIONS(direction)                                                       \
    "SELECT " APPLICATION_COLUMNS                                                              \
    "  FROM applications"                                                                      \
    " WHERE organization = ?1 AND deleted = 0"                                                 \
    "   AND key > ?2 AND key < ?3"                                                             \
    " ORDER BY key " direction

#define SQL_LIST_ENDPOINTS(direction)                                                          \
    "SELECT " ENDPOINT_COLUMNS                                                                 \
    "  FROM endpoints"                                                                         \
    " WHERE application_key = ?1 AND deleted = 0"                                              \
    "   AND key > ?2 AND key < ?3"                                                             \
    " ORDER BY key " direction

/* Without a cursor, a bound that every name passes: no text sorts below '' or behind a blob. */
#define SQL_LIST_EVENT_TYPES(beyond, direction)                                                \
    "SELECT " EVENT_TYPE_COLUMNS                                                               \
    "  FROM event_types"                                                                       \
    " WHERE organization = ?1 AND deleted = 0"                                                 \
    "   AND archived <= ?2"                                                                    \
    "   AND name " beyond                                                                      \
    " ORDER BY name " direction
/* clang-format on */

enum err sqlite_config_prepare(struct backend *b)
{
    const struct prepared writing[] = {
        { &b->writer.put_application, SQL_PUT_APPLICATION },
        { &b->writer.put_endpoint, SQL_PUT_ENDPOINT },
        { &b->writer.put_event_type, SQL_PUT_EVENT_TYPE },
        { 0 },
    };
    const struct prepared reading[] = {
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
        if (op->count == op->page.limit) {
            op->more = true;
        } else {
            op->objects[op->count++] = read_row(st, op->kind);
            err = sqlite_next(c, st, &row);
        }
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
