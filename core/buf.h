/* Buf: bytes that grow up to a limit.
 *
 * For everything whose size the outside world chooses. An append that would pass the limit,
 * or that memory refuses, returns ERR_LIMIT and changes nothing. The bytes are always
 * followed by a NUL that isn't counted, so `(char *)b->bytes` is a C string when they hold
 * none of their own. A zeroed struct with a limit is a valid empty buffer. */
#ifndef CORE_BUF_H
#define CORE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct buf {
    uint8_t *bytes; /* NULL while nothing was appended */
    size_t len;     /* bytes in use */
    size_t room;    /* bytes allocated */
    size_t limit;   /* most bytes it may hold */
};

#define BUF_INIT(most) ((struct buf){ .limit = (most) })

void buf_fini(struct buf *b);

/* Forget the content, keep the memory. */
void buf_clear(struct buf *b);

MUST_USE enum err buf_append(struct buf *b, const void *bytes, size_t len);
MUST_USE enum err buf_append_text(struct buf *b, const char *text);
MUST_USE enum err buf_printf(struct buf *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The content as a C string; "" while nothing was appended. */
const char *buf_text(const struct buf *b);

#endif
