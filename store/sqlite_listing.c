/* Listing: which messages are an application's, and which attempts an endpoint's, by their keys.
 *
 *   keys ──────── listed ────────┤ to ├──── not yet ──── newest
 *
 * A row isn't listed when it is written but with those that came next, sorted by their owners: of a
 * hundred tenants that take turns, each would have a page of its own changed for it. Until then readers
 * find it among the rows themselves, see SQL_NOT_LISTED; so there may not be many. A row that comes when
 * those after it are listed, as an attempt does that took long, is listed at once. What is in a list that
 * should come yet, since somebody wrote into the file by hand, is left there. */
#include "store/sqlite.h"

/* Rows that aren't listed: what a page of a reader's looks through besides, a millisecond or two. */
#define ROWS_MAX  2048
#define BYTES_MAX (4u << 20) /* of content */
#define SPAN_MS   250        /* so that they are few where few come */

/* clang-format off */
#define SQL_OF(table, owner)                                                                   \
    {                                                                                          \
        .add = "INSERT OR IGNORE INTO " table "_listed (" owner ", key)"                       \
               "     VALUES (?1, ?2)",                                                         \
        .add_rest = "INSERT OR IGNORE INTO " table "_listed (" owner ", key)"                  \
                    "     SELECT " owner ", key"                                               \
                    "       FROM " table                                                       \
                    "      WHERE key > ?1 AND key <= ?2"                                       \
                    "      ORDER BY " owner ", key",                                           \
        .newest = "SELECT ifnull(max(key), 0) FROM " table,                                    \
        .to = "SELECT " table "_listed_to FROM totals",                                        \
    }
static const struct {
    const char *add, *add_rest, *newest, *to;
} SQL[LISTS] = {
    [LIST_MESSAGES] = SQL_OF("messages", "application_key"),
    [LIST_ATTEMPTS] = SQL_OF("attempts", "endpoint_key"),
};
/* clang-format on */

enum err sqlite_listing_prepare(struct backend *b)
{
    const struct connection *c = &b->writer.files[BACKEND_REGIONAL];
    enum err err = ERR_OK;

    for (size_t i = 0; !err && i < LISTS; i++) {
        struct listing *list = &b->writer.listings[i];
        const struct prepared statements[] = {
            { &list->add, SQL[i].add },
            { &list->add_rest, SQL[i].add_rest },
            { 0 },
        };
        err = sqlite_prepare(c, statements);
        if (!err)
            err = sqlite_number(c, SQL[i].newest, &list->newest);
        if (!err)
            err = sqlite_number(c, SQL[i].to, &list->to);
        list->kept_to = list->to;
        list->rows = ROWS_MAX; /* nobody has counted them */
    }
    return err;
}

enum err sqlite_listing_add(struct backend *b, enum listed which, const struct id *owner,
                            const struct id *id, size_t bytes)
{
    struct listing *list = &b->writer.listings[which];
    int64_t key = id_key(id);

    if (key <= list->to) {
        sqlite3_bind_int64(list->add, 1, id_key(owner));
        sqlite3_bind_int64(list->add, 2, key);
        return sqlite_run(&b->writer.files[BACKEND_REGIONAL], list->add);
    }
    list->rows++;
    list->bytes += bytes;
    if (key > list->newest)
        list->newest = key;
    return ERR_OK;
}

static enum err list_rest(struct backend *b, struct listing *list)
{
    if (list->newest <= list->to)
        return ERR_OK;
    sqlite3_bind_int64(list->add_rest, 1, list->to);
    sqlite3_bind_int64(list->add_rest, 2, list->newest);
    enum err err = sqlite_run(&b->writer.files[BACKEND_REGIONAL], list->add_rest);
    if (err)
        return err;
    list->to = list->newest;
    list->rows = list->bytes = 0;
    return ERR_OK;
}

static bool is_due(const struct listing *list)
{
    return list->rows >= ROWS_MAX || list->bytes >= BYTES_MAX ||
           id_key_wall_ms(list->newest) >= id_key_wall_ms(list->to) + SPAN_MS;
}

enum err sqlite_listing_catch_up(struct backend *b, bool all)
{
    enum err err = ERR_OK;

    for (size_t i = 0; !err && i < LISTS; i++)
        if (all || is_due(&b->writer.listings[i]))
            err = list_rest(b, &b->writer.listings[i]);
    return err;
}

bool sqlite_listing_grew(const struct backend *b)
{
    bool grew = false;

    for (size_t i = 0; i < LISTS; i++)
        grew = grew || b->writer.listings[i].to > b->writer.listings[i].kept_to;
    return grew;
}

void sqlite_listing_keep(struct backend *b)
{
    for (size_t i = 0; i < LISTS; i++)
        b->writer.listings[i].kept_to = b->writer.listings[i].to;
}

void sqlite_listing_drop(struct backend *b)
{
    for (size_t i = 0; i < LISTS; i++) {
        struct listing *list = &b->writer.listings[i];
        list->to = list->kept_to;
        list->rows = ROWS_MAX; /* as at the start */
    }
}
