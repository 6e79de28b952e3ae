/* Forward words: what regions say to each other about attempts that one makes for the other.
 *
 *   POST /link/v1/forwards                     a batch: whose it is, then requests to be sent
 *        → {"incarnation", "rows", "bytes", "refused": [{"seq", "why"}]}
 *   GET  /link/v1/outcomes?of=INCARNATION&after=N&wait=S
 *        → a batch: whose it is, then what came of requests, behind N; with none, once there are
 *          some or S seconds are over
 *
 * An incarnation is a run of a process: what it holds is in memory, and gone with it. Of a batch of
 * requests `floor` says up to which `seq` their home has settled everything: such a one that comes
 * once more, late, is passed over. So is one that is there already: to send a batch again is harmless.
 *
 * What comes from a peer may be anything: whatever isn't what it should be is ERR_INVALID. What isn't
 * known is passed over.
 *
 * Pure. */
#ifndef REGION_FORWARD_WORDS_H
#define REGION_FORWARD_WORDS_H

#include "core/model.h"
#include "region/frames.h"
#include "wire/courier.h"

#define INCARNATION_TEXT_MAX   33 /* 16 bytes in hex, and a NUL */
#define FORWARD_TIMEOUT_MS_MAX 600000
#define FORWARD_REFUSED_MAX    FRAMES_COUNT
#define FORWARD_WHY_MAX        64
#define ACCEPT_LEN_MAX         ((size_t)256 << 10) /* bytes of an answer to a batch */

/* The first frame of a batch. */
struct batch_words {
    char incarnation[INCARNATION_TEXT_MAX]; /* of the region that wrote it */
    uint64_t floor;                         /* requests: up to here all is settled */
    uint64_t last;                          /* outcomes: the number of the last one in it */
};

/* A request to be sent. The frame's body is the request's. */
struct request_words {
    uint64_t seq;
    struct id attempt, message, endpoint, application;
    uint32_t number; /* of the attempt */
    uint32_t timeout_ms;
    char *url;
    struct text_list headers; /* "Name: value" lines */
};

/* What came of one. The frame's body is the answer's. */
struct outcome_words {
    char home[INCARNATION_TEXT_MAX]; /* of the region that it was sent for */
    uint64_t seq;                    /* as that region numbered it */
    struct id attempt, message, endpoint, application;
    uint32_t number;
    char *url;
    uint64_t started_at_ms; /* by the sender's wall clock */
    enum err err;           /* of the call */
    char reason[CALL_REASON_MAX];
    uint32_t status;
    uint32_t retry_after_s;
    uint32_t duration_ms;
    struct call_times times;
};

/* An answer to a batch of requests. */
struct accept_words {
    char incarnation[INCARNATION_TEXT_MAX];
    uint64_t rows, bytes; /* that it holds of this peer at most, waiting for an answer */
    size_t refused_count;
    struct {
        uint64_t seq;
        char why[FORWARD_WHY_MAX];
    } refused[FORWARD_REFUSED_MAX];
};

/* ERR_LIMIT: there is no room for it, and nothing was appended. */
MUST_USE enum err batch_put(struct buf *out, const struct batch_words *words);
MUST_USE enum err request_put(struct buf *out, const struct request_words *words,
                              const struct bytes *body);
MUST_USE enum err outcome_put(struct buf *out, const struct outcome_words *words,
                              const struct bytes *response);
MUST_USE enum err accept_write(const struct accept_words *words, struct buf *out);

/* Each fini() what was read. */
MUST_USE enum err batch_read(const struct frame *frame, struct batch_words *out);
MUST_USE enum err request_read(const struct frame *frame, struct request_words *out);
void request_words_fini(struct request_words *words);
MUST_USE enum err outcome_read(const struct frame *frame, struct outcome_words *out);
void outcome_words_fini(struct outcome_words *words);
MUST_USE enum err accept_read(const void *text, size_t len, struct accept_words *out);

#endif
