/* Bytes from a peer as a batch of frames, and each of them as every record.
 *
 * Holds: what is understood can be said again, and is then understood as the same. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "region/forward_words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static struct frame only_frame(const struct buf *batch)
{
    struct frames frames = { .at = batch->bytes, .len = batch->len };
    struct frame frame = { .meta = NULL };

    must(frames_next(&frames, &frame) == ERR_OK);
    must(frames.len == 0);
    return frame;
}

static void try_batch(const struct frame *frame)
{
    struct batch_words words, again;
    struct buf out = BUF_INIT(FRAMES_LEN_MAX);

    if (batch_read(frame, &words) != ERR_OK)
        return;
    must(batch_put(&out, &words) == ERR_OK);
    struct frame said = only_frame(&out);
    must(batch_read(&said, &again) == ERR_OK);
    must(again.floor == words.floor && again.last == words.last);
    buf_fini(&out);
}

static void try_request(const struct frame *frame)
{
    const struct bytes body = { .data = (uint8_t *)(uintptr_t)frame->body,
                                .len = frame->body_len };
    struct request_words words, again;
    struct buf out = BUF_INIT(FRAMES_LEN_MAX);

    if (request_read(frame, &words) != ERR_OK)
        return;
    if (request_put(&out, &words, &body) == ERR_OK) {
        struct frame said = only_frame(&out);
        must(request_read(&said, &again) == ERR_OK);
        must(again.seq == words.seq && strcmp(again.url, words.url) == 0);
        must(again.headers.count == words.headers.count && said.body_len == frame->body_len);
        request_words_fini(&again);
    }
    request_words_fini(&words);
    buf_fini(&out);
}

static void try_outcome(const struct frame *frame)
{
    struct outcome_words words, again;
    struct buf out = BUF_INIT(FRAMES_LEN_MAX);

    if (outcome_read(frame, &words) != ERR_OK)
        return;
    must(outcome_put(&out, &words, NULL) == ERR_OK);
    struct frame said = only_frame(&out);
    must(outcome_read(&said, &again) == ERR_OK);
    must(again.seq == words.seq && again.err == words.err && again.status == words.status);
    outcome_words_fini(&words);
    outcome_words_fini(&again);
    buf_fini(&out);
}

static void try_record(const struct frame *frame)
{
    try_batch(frame);
    try_request(frame);
    try_outcome(frame);
}

static void try_acceptance(const uint8_t *data, size_t size)
{
    struct accept_words *words = xcalloc(1, sizeof *words);
    struct buf out = BUF_INIT(ACCEPT_LEN_MAX);

    if (accept_read(data, size, words) == ERR_OK)
        must(accept_write(words, &out) != ERR_INVALID);
    buf_fini(&out);
    free(words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct frames frames = { .at = data, .len = size };
    struct frame frame;

    const struct frame whole = { .meta = data, .meta_len = size };

    try_acceptance(data, size);
    try_record(&whole);
    while (frames_next(&frames, &frame) == ERR_OK)
        try_record(&frame);
    return 0;
}
