/* Complete: what may stand next on a command line, by the tables that parse it. Pure. */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include <stddef.h>

#include "core/buf.h"

/* Append a line for each thing that the last of `words` may become; they are those behind "posthaste",
 * and the last may be empty:
 *
 *   WORD <tab> WHAT IT IS
 *   :file KEPT              a file whose path stands behind the text KEPT of that word
 *   :dir KEPT               a directory, likewise */
MUST_USE enum err complete_words(const char *const *words, size_t count, struct buf *out);

#endif
