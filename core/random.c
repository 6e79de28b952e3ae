#include "core/random.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BLOCK_LEN 4096

struct block {
    uint8_t bytes[BLOCK_LEN];
    size_t left; /* unused bytes, at the end */
};

static void refill(struct block *b)
{
    size_t have = 0;

    while (have < BLOCK_LEN) {
        ssize_t got = getrandom(b->bytes + have, BLOCK_LEN - have, 0);
        if (got < 0 && errno != EINTR)
            abort();
        have += got > 0 ? (size_t)got : 0;
    }
    b->left = BLOCK_LEN;
}

void random_bytes(void *out, size_t len)
{
    static _Thread_local struct block block;
    uint8_t *to = out;

    while (len > 0) {
        if (block.left == 0)
            refill(&block);
        size_t n = len < block.left ? len : block.left;
        uint8_t *from = block.bytes + BLOCK_LEN - block.left;
        memcpy(to, from, n);
        memset(from, 0, n);
        block.left -= n;
        to += n;
        len -= n;
    }
}

double random_fraction(void)
{
    uint64_t bits;

    random_bytes(&bits, sizeof bits);
    return (double)(bits >> 11) / (double)(UINT64_C(1) << 53);
}
