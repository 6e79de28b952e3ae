/* Random: bytes for identifiers and jitter, from the kernel, read in blocks.
 *
 * A block stays in memory, so keys and secrets come from the signer instead.
 * Thread-safe: each thread has a block of its own. */
#ifndef CORE_RANDOM_H
#define CORE_RANDOM_H

#include <stddef.h>

void random_bytes(void *out, size_t len);

/* Uniform in [0, 1). */
double random_fraction(void);

#endif
