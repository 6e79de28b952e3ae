#include "core/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 256

static enum err make_room(struct buf *b, size_t more)
{
    if (more > b->limit - b->len)
        return ERR_LIMIT;

    size_t need = b->len + more + 1;
    if (need <= b->room)
        return ERR_OK;

    size_t room = b->room ? b->room : ROOM_FIRST;
    while (room < need)
        room *= 2;
    uint8_t *bytes = realloc(b->bytes, room);
    if (!bytes)
        return ERR_LIMIT;
    b->bytes = bytes;
    b->room = room;
    return ERR_OK;
}

void buf_fini(struct buf *b)
{
    free(b->bytes);
    *b = BUF_INIT(b->limit);
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    if (b->bytes)
        b->bytes[0] = 0;
}

enum err buf_append(struct buf *b, const void *bytes, size_t len)
{
    enum err err = make_room(b, len);

    if (err)
        return err;
    if (len > 0)
        memcpy(b->bytes + b->len, bytes, len);
    b->len += len;
    b->bytes[b->len] = 0;
    return ERR_OK;
}

enum err buf_append_text(struct buf *b, const char *text)
{
    return buf_append(b, text, strlen(text));
}

enum err buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0)
        return ERR_INVALID;
    enum err err = make_room(b, (size_t)len);
    if (err)
        return err;

    va_start(args, format);
    vsnprintf((char *)b->bytes + b->len, (size_t)len + 1, format, args);
    va_end(args);
    b->len += (size_t)len;
    return ERR_OK;
}

const char *buf_text(const struct buf *b)
{
    return b->bytes ? (const char *)b->bytes : "";
}
