/* Row: columns to values and back. The only place that knows how a row spells a value.
 *
 * An id takes two columns, its key and its tail; a location latitude and longitude. Optional texts and lists are NULL when absent.
 * Bound texts and bytes are borrowed until the statement is bound again. */
#ifndef STORE_SQLITE_ROW_H
#define STORE_SQLITE_ROW_H

#include <sqlite3.h>

#include "core/model.h"

void bind_u64(sqlite3_stmt *statement, int at, uint64_t value);
void bind_text(sqlite3_stmt *statement, int at, const char *text);
void bind_bytes(sqlite3_stmt *statement, int at, const void *bytes, size_t len);
void bind_id(sqlite3_stmt *statement, int at, const struct id *id); /* at, at + 1 */
void bind_whole_id(sqlite3_stmt *statement, int at, const struct id *id);
void bind_list(sqlite3_stmt *statement, int at, const struct text_list *list);
void bind_secrets(sqlite3_stmt *statement, int at, const struct endpoint *endpoint);
void bind_sealed_by(sqlite3_stmt *statement, int at, int64_t by); /* NULL = SEALED_NOTHING */
void bind_location(sqlite3_stmt *statement, int at, const struct location *l); /* at, at + 1 */

uint64_t column_u64(sqlite3_stmt *statement, int at);
uint32_t column_u32(sqlite3_stmt *statement, int at);
bool column_bool(sqlite3_stmt *statement, int at);
char *column_text(sqlite3_stmt *statement, int at);
struct bytes column_bytes(sqlite3_stmt *statement, int at);

/* Up to `len` bytes of a column whose length the schema fixes. */
void column_array(sqlite3_stmt *statement, int at, uint8_t *to, size_t len);
struct id column_id(sqlite3_stmt *statement, int at);                    /* at, at + 1 */
bool column_id_is(sqlite3_stmt *statement, int at, const struct id *id); /* at, at + 1 */
struct id column_whole_id(sqlite3_stmt *statement, int at);
struct text_list column_list(sqlite3_stmt *statement, int at);
void column_secrets(sqlite3_stmt *statement, int at, struct endpoint *endpoint);
struct location column_location(sqlite3_stmt *statement, int at); /* at, at + 1 */

/* Whether a list in a column has an item, without making the list. */
bool column_list_has(sqlite3_stmt *statement, int at, const char *item);
bool column_is_in(sqlite3_stmt *statement, int at, const struct text_list *list);

/* A message as both sides read it, its payload last. */
#define MESSAGE_HEAD                                                                           \
    "m.key, m.tail, m.application_key, m.application_tail, m.event_type, m.event_id,"          \
    " m.channels, m.created_at_ms, m.expires_at_ms"
#define MESSAGE_COLUMNS MESSAGE_HEAD ", m.payload"
enum message_column {
    MESSAGE_ID = 0,          /* and tail */
    MESSAGE_APPLICATION = 2, /* and tail */
    MESSAGE_EVENT_TYPE = 4,
    MESSAGE_EVENT_ID,
    MESSAGE_CHANNELS,
    MESSAGE_CREATED_AT_MS,
    MESSAGE_EXPIRES_AT_MS,
    MESSAGE_PAYLOAD,
    MESSAGE_END
};
struct message *column_message(sqlite3_stmt *statement, bool with_content);

/* The same with its tags behind, which few have and only people look at. */
#define TAGS_OF_MESSAGE "(SELECT t.tags FROM message_tags AS t WHERE t.key = m.key)"
#define TAGGED_COLUMNS  MESSAGE_COLUMNS ", " TAGS_OF_MESSAGE
enum tagged_column { MESSAGE_TAGS = MESSAGE_END, TAGGED_END };
struct message *column_tagged_message(sqlite3_stmt *statement, bool with_content);

/* For who may want no payload: SQLite reads every column of a row, so this one isn't there. */
#define BARE_COLUMNS MESSAGE_HEAD ", NULL, " TAGS_OF_MESSAGE

#endif
