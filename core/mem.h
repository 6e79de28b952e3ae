/* Memory that cannot be refused.
 *
 * For objects whose size the program chooses. A process that can't get a few hundred
 * bytes dies and starts again from the outbox, as after any crash. Whatever the outside
 * world sizes (bodies, lists, responses) goes through `struct buf`, which has a limit and
 * returns ERR_LIMIT, or stands behind a limit that was checked before. */
#ifndef CORE_MEM_H
#define CORE_MEM_H

#include <stdlib.h>
#include <string.h>

/* `count` zeroed objects of `size` bytes; never NULL. Free with free(). */
static inline void *xcalloc(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size ? size : 1);

    if (!p)
        abort();
    return p;
}

/* Move an array that is full into one with twice the room, `first` to begin with; what is new is
 * zeroed. For arrays that a limit elsewhere bounds. */
static inline void *xgrow(void *objects, size_t *room, size_t first, size_t size)
{
    size_t grown = *room > 0 ? 2 * *room : first;
    void *p = xcalloc(grown, size);

    if (*room > 0)
        memcpy(p, objects, *room * size);
    free(objects);
    *room = grown;
    return p;
}

/* A NUL-terminated copy of `len` bytes. Free with free(). */
static inline char *xmemdup(const void *bytes, size_t len)
{
    char *copy = xcalloc(len + 1, 1);

    if (len > 0)
        memcpy(copy, bytes, len);
    return copy;
}

/* NULL gives NULL. */
static inline char *xstrdup(const char *text)
{
    return text ? xmemdup(text, strlen(text)) : NULL;
}

#endif
