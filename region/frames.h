/* Frames: a batch of records that regions hand each other, as bytes.
 *
 *   frame = u32 meta_len | u32 body_len | meta: a JSON object | body: as it is     (big-endian)
 *
 * Bodies are opaque and stay bit for bit what they were: they are signed. The first frame of a batch
 * says whose it is, each of the others is a record (forward_words.h).
 *
 * Pure. */
#ifndef REGION_FRAMES_H
#define REGION_FRAMES_H

#include "core/buf.h"

#define FRAME_META_MAX ((size_t)256 << 10) /* bytes: an endpoint's headers are most of it */
#define FRAMES_COUNT   1000                /* records of a batch, most */
#define FRAMES_BYTES   ((size_t)1 << 20)   /* a batch that has so many gets no more records */
#define FRAMES_LEN_MAX ((size_t)64 << 20)  /* bytes of a batch; bounds a record too */

/* Points into what is read. */
struct frame {
    const void *meta, *body;
    size_t meta_len, body_len;
};

/* ERR_LIMIT: it doesn't fit, and nothing was appended. */
MUST_USE enum err frame_put(struct buf *out, const struct frame *frame);

/* What is left of a batch. */
struct frames {
    const uint8_t *at;
    size_t len;
};

/* ERR_NOT_FOUND: that was the last; ERR_INVALID: what follows is no frame. */
MUST_USE enum err frames_next(struct frames *frames, struct frame *out);

#endif
