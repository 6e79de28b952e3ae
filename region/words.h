/* Words: what regions say to each other over the link, as JSON.
 *
 *   GET  /link/v1/hello                    who is there, and which versions it speaks
 *   POST /link/v1/ping                     how it is; four instants make a round trip and an offset
 *   GET  /link/v1/changes?after=N&wait=S   entries of its journal behind N; with none, once there are
 *        &chain=C                          some or S seconds are over. 410: pruned, adopt a snapshot.
 *                                          C is N's chain in hex, if who asks has it: where that is
 *                                          another here, or N is beyond the end, 409: forked
 *   GET  /link/v1/snapshot?after=KEY       a page of its objects
 *   GET  /link/v1/digest                   the sums of its objects, and at which position
 *
 * In answers chains, incarnations, codes and sums are base64. What comes from a peer may be anything: whatever
 * isn't what it should be is ERR_INVALID. What isn't known is passed over.
 *
 * Pure. */
#ifndef REGION_WORDS_H
#define REGION_WORDS_H

#include "core/buf.h"
#include "core/topology.h"
#include "store/replicate.h"

#define LINK_VERSION    1
#define WORDS_COUNT_MAX 1000              /* entries or objects of an answer */
#define WORDS_BYTES_MAX ((size_t)1 << 20) /* of their codes; beyond, no more are added */
/* Bytes of an answer: the codes, and one of OBJECT_CODE_MAX that went beyond, as base64, with 200
 * for the rest of each. */
#define WORDS_LEN_MAX   ((size_t)4 << 20)
#define WORDS_BUILD_MAX 32

struct hello_words {
    char region[REGION_NAME_LEN_MAX + 1];
    uint8_t ordinal;
    int64_t version_least, version_most; /* of the link */
    char build[WORDS_BUILD_MAX];
};

struct ping_words {
    uint64_t received_us, replied_us; /* since 1970 */
    bool draining;
    size_t reaches_count;
    uint8_t reaches[REGIONS_MAX]; /* ordinals of the regions that it hears */
};

/* Entries or, in a snapshot, objects. */
struct changes_words {
    struct journal_position end; /* origin and at_ms aren't said */
    size_t count;
    struct journal_entry *entries; /* journal_entries_free() */
    int64_t last;                  /* of a snapshot: the key to go on behind */
    bool more;                     /* of a snapshot */
};

/* Of its own objects; origin isn't said. */
struct digest_words {
    uint8_t incarnation[INCARNATION_LEN];
    uint64_t seq;
    uint64_t count;
    uint8_t sums[DIGEST_BUCKETS][DIGEST_SUM_LEN];
};

MUST_USE enum err hello_write(const struct hello_words *words, struct buf *out);
MUST_USE enum err hello_read(const void *text, size_t len, struct hello_words *out);

MUST_USE enum err ping_write(const struct ping_words *words, struct buf *out);
MUST_USE enum err ping_read(const void *text, size_t len, struct ping_words *out);

MUST_USE enum err changes_write(const struct changes_words *words, struct buf *out);
MUST_USE enum err changes_read(const void *text, size_t len, struct changes_words *out);

MUST_USE enum err digest_write(const struct digest_words *words, struct buf *out);
MUST_USE enum err digest_read(const void *text, size_t len, struct digest_words *out);

#endif
