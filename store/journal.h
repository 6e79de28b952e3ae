/* Journal: the change log of this region, and how far the others' were applied. Private to store/.
 *
 * Thread: the writer's. */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "core/object_code.h"
#include "store/private.h"

/* Before the loops run. ERR_CONFLICT: the directory is another ordinal's; the log says so. */
enum err journal_open(struct store *s);
void journal_close(struct store *s);

/* In the open transaction: an object that was put at its home, this region. */
enum err journal_add(struct store *s, const struct object *object);

/* The digest of a code without its secrets; of bytes that are no code, that of all of them. */
void journal_digest(const struct store *s, const struct bytes *code, uint8_t out[CHAIN_LEN]);

/* What chains an entry, with this digest of its code, to the one before. */
void journal_chain(const struct store *s, const uint8_t before[CHAIN_LEN],
                   const struct journal_entry *entry, const uint8_t digest[CHAIN_LEN],
                   uint8_t out[CHAIN_LEN]);

/* Whether it may be applied or adopted: our own journal is written by journal_add() alone. */
bool journal_is_others(const struct store *s, uint8_t origin);

/* In the open transaction: the object that an origin's code says, if that may write it and it is
 * the newest. `*out_why`: it can't be, and why; NULL otherwise. */
enum err journal_put(struct store *s, uint8_t origin, const struct bytes *code,
                     const char **out_why);

/* Fills in key, kind and version. */
void object_state_of(const struct object *object, struct object_state *state);

/* How far an origin's journal is applied once the open transaction is committed. */
void arrivals_add(struct store *s, const struct journal_position *position);
void arrivals_publish(struct store *s);
void arrivals_drop(struct store *s);

#endif
