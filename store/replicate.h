/* Replicate: the configuration of one region in another.
 *
 * Each region writes a journal of the changes to the objects that it is the home of: gap-free, from
 * 1, each entry stamped by a hybrid logical clock and chained to the one before it. Others fetch
 * its entries in order and apply them; who finds no entry any more that follows its position, for
 * the journal is pruned, adopts a snapshot and goes on from there. An object's version says which
 * state is newer, so all of it may be repeated.
 *
 * An entry's code holds secrets as they are sealed here; whoever sends it to a peer puts what the
 * peer may have in their place. The chain and all digests are of the public code, and so the same
 * in every region.
 *
 * A region without an ordinal is alone and writes no journal. One that gets an ordinal later
 * begins it with the objects that it has.
 *
 * Requests as in store.h. */
#ifndef STORE_REPLICATE_H
#define STORE_REPLICATE_H

#include "core/hlc.h"
#include "store/store.h"

#define CHAIN_LEN      32 /* a SHA-256 */
#define DIGEST_BUCKETS 256
#define DIGEST_SUM_LEN 16

struct journal_position {
    uint8_t origin; /* a region's ordinal */
    uint8_t incarnation[INCARNATION_LEN];
    uint64_t seq; /* the last entry; 0 = none yet */
    uint64_t hlc; /* of that entry */
    uint8_t chain[CHAIN_LEN];
    uint64_t at_ms; /* when it came to be here, by our clock */
    bool adopting;  /* a snapshot is coming in; seq is 0 until its end */
};

struct journal_entry {
    uint64_t seq;
    uint64_t hlc;
    uint8_t chain[CHAIN_LEN];
    struct bytes code; /* core/object_code.h */
};

/* Frees what the entries point to, and the array. */
void journal_entries_free(struct journal_entry *entries, size_t count);

/* Entries of this region's journal that follow `after`.
 *   ERR_NOT_FOUND  they were pruned: adopt a snapshot
 *   ERR_STALE      the history forked, for this journal was restored from a copy: `after` is beyond
 *                  its end, or the entry there has another chain than the one that was given */
struct store_journal {
    struct store_req req;
    uint64_t after;                /* in */
    bool has_chain;                /* in: compare */
    uint8_t chain[CHAIN_LEN];      /* in: of the entry `after`, as who asks has it */
    size_t limit, bytes_limit;     /* in: at most so many, and no more beyond so many bytes */
    size_t count;                  /* out */
    struct journal_entry *entries; /* out: journal_entries_free() */
    struct journal_position end;   /* out: of the whole journal */
};
void store_journal(struct store *s, struct store_journal *op);

/* What became of entries that were to be applied. */
enum apply_verdict {
    APPLY_DONE,
    APPLY_GAP,    /* one is missing: ask again from behind `position` */
    APPLY_FORKED, /* they don't continue what was applied: another history, or incarnation */
    APPLY_AHEAD,  /* stamped by a clock that is far ahead of ours; later they may be */
    APPLY_WAITS,  /* a snapshot was begun: finish it, or begin another */
};

/* Apply a peer's entries, in order, in one transaction. What was applied before is passed over, so
 * that a repetition is harmless; what comes before the one that the verdict is about stays applied.
 * An entry that can't be applied is put into quarantine, which keeps the newest hundred of an origin,
 * and those behind it go on: one that isn't
 * decodable, of a kind that we don't know, or of an object that `origin` isn't the home of.
 *   ERR_INVALID  `origin` is this region, or none */
struct store_apply {
    struct store_req req;
    uint8_t origin;                       /* in: another region's */
    uint8_t incarnation[INCARNATION_LEN]; /* in: of its data directory */
    const struct journal_entry *entries;  /* in, borrowed */
    size_t count;
    enum apply_verdict verdict;       /* out */
    struct journal_position position; /* out: how far it was applied now */
    unsigned quarantined;             /* out: of these */
};
void store_apply(struct store *s, struct store_apply *op);

/* All positions, this region's own first. */
struct store_positions {
    struct store_req req;
    size_t count;                                     /* out */
    struct journal_position positions[UINT8_MAX + 1]; /* out */
    unsigned quarantined[UINT8_MAX + 1];              /* out: of each, entries */
};
void store_positions(struct store *s, struct store_positions *op);

/* The sum of an origin's objects, in buckets by key: two regions whose position of it is the same
 * have the same sums. */
struct store_digest {
    struct store_req req;
    uint8_t origin;                               /* in */
    struct journal_position at;                   /* out: at this position */
    uint64_t count;                               /* out: objects, tombstones as well */
    uint8_t sums[DIGEST_BUCKETS][DIGEST_SUM_LEN]; /* out: modulo 2^128 */
};
void store_digest(struct store *s, struct store_digest *op);

/* A page of this region's own objects, tombstones as well, by key. They may change while pages are
 * read: the snapshot is that of the position that was the end before the first page, and who
 * adopts it applies the journal from there. */
struct store_snapshot {
    struct store_req req;
    int64_t after;               /* in: a key; INT64_MIN = the first page */
    size_t limit, bytes_limit;   /* in */
    size_t count;                /* out */
    struct bytes *codes;         /* out: bytes_fini() each, free() the array */
    int64_t last;                /* out: the key to go on behind */
    bool more;                   /* out */
    struct journal_position end; /* out: of the journal, when the page was read */
};
void store_snapshot(struct store *s, struct store_snapshot *op);

/* Adopt a page of a peer's snapshot. From the first page on its journal waits; with the last one it
 * goes on from `position`, whatever was applied before, and what the snapshot didn't name is
 * deleted here. A snapshot that comes to no end, for a process was ended, is begun again.
 *   ERR_INVALID  as store_apply()
 *   ERR_STALE    not the first page, and none was begun */
struct store_adopt {
    struct store_req req;
    const struct journal_position *position; /* in, borrowed: of its journal, with each page */
    bool first, last;                        /* in */
    const struct bytes *codes;               /* in, borrowed */
    size_t count;
    enum apply_verdict
        verdict;      /* out: APPLY_AHEAD by the position, and then nothing was done */
    unsigned refused; /* out: objects that it isn't the home of, or aren't any */
    bool more; /* out: there is more to delete: ask again, as for a last page without objects */
};
void store_adopt(struct store *s, struct store_adopt *op);

/* Ask for a snapshot of a peer, as an operator does whose peer came back with another history: all
 * that is known of it counts as old, though it is in use until the snapshot's end, and its journal
 * waits.
 *   ERR_INVALID  as store_apply() */
struct store_reseed {
    struct store_req req;
    uint8_t origin; /* in */
};
void store_reseed(struct store *s, struct store_reseed *op);

#endif
