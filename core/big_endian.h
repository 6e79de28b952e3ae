/* Big-endian: whole numbers as bytes, the highest first. Pure. */
#ifndef CORE_BIG_ENDIAN_H
#define CORE_BIG_ENDIAN_H

#include <stddef.h>
#include <stdint.h>

/* The lowest `len` bytes of it, 1 … 8. */
static inline void big_endian_put(uint8_t *to, uint64_t value, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] = (uint8_t)(value >> (8 * (len - 1 - i)));
}

static inline uint64_t big_endian_get(const uint8_t *from, size_t len)
{
    uint64_t value = 0;

    for (size_t i = 0; i < len; i++)
        value = value << 8 | from[i];
    return value;
}

#endif
