#include "region/frames.h"

#include "core/big_endian.h"

#define FRAME_LEN_LEN  4 /* bytes of a length */
#define FRAME_HEAD_LEN ((size_t)2 * FRAME_LEN_LEN)
enum err frame_put(struct buf *out, const struct frame *frame)
{
    size_t before = out->len;
    uint8_t head[FRAME_HEAD_LEN];

    if (frame->meta_len > FRAME_META_MAX || frame->body_len > FRAMES_LEN_MAX)
        return ERR_LIMIT;
    big_endian_put(head, frame->meta_len, FRAME_LEN_LEN);
    big_endian_put(head + FRAME_LEN_LEN, frame->body_len, FRAME_LEN_LEN);
    if (buf_append(out, head, sizeof head) == ERR_OK &&
        buf_append(out, frame->meta, frame->meta_len) == ERR_OK &&
        buf_append(out, frame->body, frame->body_len) == ERR_OK)
        return ERR_OK;
    out->len = before;
    return ERR_LIMIT;
}

enum err frames_next(struct frames *frames, struct frame *out)
{
    if (frames->len == 0)
        return ERR_NOT_FOUND;
    if (frames->len < FRAME_HEAD_LEN)
        return ERR_INVALID;
    size_t meta_len = big_endian_get(frames->at, FRAME_LEN_LEN);
    size_t body_len = big_endian_get(frames->at + FRAME_LEN_LEN, FRAME_LEN_LEN);
    size_t left = frames->len - FRAME_HEAD_LEN;
    if (meta_len > FRAME_META_MAX || meta_len > left || body_len > left - meta_len)
        return ERR_INVALID;
    const uint8_t *meta = frames->at + FRAME_HEAD_LEN;
    *out = (struct frame){
        .meta = meta, .meta_len = meta_len, .body = meta + meta_len, .body_len = body_len
    };
    frames->at = meta + meta_len + body_len;
    frames->len = left - meta_len - body_len;
    return ERR_OK;
}
