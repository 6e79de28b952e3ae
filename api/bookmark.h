/* Bookmark: how much of each region's journal a client has seen, as a token that it carries from one
 * answer to the next request, in whatever region.
 *
 *     version (1) | for each origin, ascending: ordinal (1), incarnation (4), seq (8) | MAC (16)
 *
 * as base64url, numbers big-endian. The incarnation is the first bytes of the one whose journal it
 * is: positions in another one mean nothing. The MAC is HMAC-SHA256, cut, under a key derived from
 * the one for tokens, which the regions share: nobody can make a region wait for what never comes.
 *
 * Thread: a signer belongs to one; the rest is pure. */
#ifndef API_BOOKMARK_H
#define API_BOOKMARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base64.h"
#include "core/topology.h"
#include "signer/keyring.h"

#define BOOKMARK_INCARNATION_LEN 4
#define BOOKMARK_MAC_LEN         16
#define BOOKMARK_MARK_LEN        (1 + BOOKMARK_INCARNATION_LEN + 8)
#define BOOKMARK_BYTES_MAX       (1 + REGIONS_MAX * BOOKMARK_MARK_LEN + BOOKMARK_MAC_LEN)
#define BOOKMARK_TEXT_MAX        (BASE64URL_LEN(BOOKMARK_BYTES_MAX) + 1)

struct bookmark_mark {
    uint8_t origin; /* a region's ordinal */
    uint8_t incarnation[BOOKMARK_INCARNATION_LEN];
    uint64_t seq; /* the last entry that was seen */
};

/* By origin, each once. Zeroed: nothing was seen. */
struct bookmark {
    size_t count;
    struct bookmark_mark marks[REGIONS_MAX];
};

/* NULL: nothing of it. */
const struct bookmark_mark *bookmark_find(const struct bookmark *bookmark, uint8_t origin);

/* Add a mark: the later of two of one incarnation, and in place of one of another incarnation. More
 * origins than there can be regions do nothing. */
void bookmark_add(struct bookmark *bookmark, const struct bookmark_mark *mark);
void bookmark_add_all(struct bookmark *bookmark, const struct bookmark *from);

/* The first mark of `wanted` that `here` doesn't reach; NULL: all are. */
const struct bookmark_mark *bookmark_missing(const struct bookmark *wanted,
                                             const struct bookmark *here);

struct bookmark_signer;

struct bookmark_signer *bookmark_signer_new(const struct keyring *keyring);
void bookmark_signer_free(struct bookmark_signer *signer); /* NULL does nothing */

void bookmark_write(struct bookmark_signer *signer, const struct bookmark *bookmark,
                    char out[BOOKMARK_TEXT_MAX]);

/* ERR_INVALID: not the text of a bookmark; ERR_DENIED: not one that we signed. */
MUST_USE enum err bookmark_read(struct bookmark_signer *signer, const char *text,
                                struct bookmark *out);

#endif
