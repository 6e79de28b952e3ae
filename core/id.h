/* Id: the public name of an object, and the integer key of its row.
 *
 * Text: a prefix for the kind and 27 base62 characters, a KSUID as clients of the API
 * contract expect: "msg_2dQ…". The 20 bytes behind it are laid out as
 *
 *     0        4        5         6         8                      20
 *     seconds  ms / 4   ordinal   counter   random
 *
 * with seconds since 1 400 000 000 (May 2014), big-endian, and the ordinal of the region
 * that made it. Byte order is the order of creation. The first eight bytes are the row's
 * key: unique over regions, found from the id without an index. The random rest keeps ids
 * unguessable; it is stored and compared. */
#ifndef CORE_ID_H
#define CORE_ID_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

#define ID_BYTES    20
#define ID_TEXT_MAX 34 /* the longest prefix, 27 characters and a NUL */
#define ID_TICK_MS  4  /* the grain of the time in it */

struct id {
    uint8_t bytes[ID_BYTES];
};

enum id_kind {
    ID_ORGANIZATION, /* org_ */
    ID_APPLICATION,  /* app_ */
    ID_ENDPOINT,     /* ep_ */
    ID_MESSAGE,      /* msg_ */
    ID_ATTEMPT,      /* atmpt_ */
    ID_TASK,         /* qtask_ */
};

/* Makes ids. One for the whole process, shared by its threads. */
struct id_source {
    _Atomic uint64_t last; /* time and counter of the newest id */
    uint8_t ordinal;
};

/* `newest_key` is the highest key already in use, 0 if there is none: ids stay in order even
 * if the clock went back while the process was down. */
void id_source_init(struct id_source *source, uint8_t ordinal, int64_t newest_key);

/* A new id, above every one before it from this source whatever the clock does. */
struct id id_new(struct id_source *source, uint64_t wall_ms);

void id_format(enum id_kind kind, const struct id *id, char out[ID_TEXT_MAX]);

/* ERR_INVALID unless `text` is the prefix and 27 characters that fit 20 bytes. */
MUST_USE enum err id_parse(enum id_kind kind, const char *text, struct id *out);

int64_t id_key(const struct id *id);
uint8_t id_ordinal(const struct id *id);
uint64_t id_wall_ms(const struct id *id);

/* The instant to keep beside an id that was made at `wall_ms`: that one, or the id's own when it
 * runs ahead of a clock that stepped back. So a range of time stays a range of keys. */
uint64_t id_instant_ms(const struct id *id, uint64_t wall_ms);

/* The instant in a key, in its grain. */
uint64_t id_key_wall_ms(int64_t key);

/* The least key that an id made at this instant can have; bounds a range of keys by time. */
int64_t id_key_at(uint64_t wall_ms);

/* As memcmp(): the order of creation. */
int id_compare(const struct id *a, const struct id *b);
bool id_equal(const struct id *a, const struct id *b);

/* No id that was made is zero: it stands for none. */
bool id_is_zero(const struct id *id);

#endif
