/* Require: what a library can refuse only for want of memory or randomness.
 *
 * As core/mem.h has it: such a process ends, and starts again from the outbox. A signature or a
 * key that was made from half a computation never leaves. */
#ifndef CORE_REQUIRE_H
#define CORE_REQUIRE_H

#include <stdbool.h>
#include <stdlib.h>

static inline void require(bool ok)
{
    if (!ok)
        abort();
}

#endif
