/* File: the whole content of a small file.
 *
 * Blocks; for start-up and for clients. */
#ifndef CORE_FILE_H
#define CORE_FILE_H

#include <sys/types.h>

#include "core/buf.h"
#include "core/err.h"

/* Append all of `path` to `out`, up to its limit; `out_mode`, if not NULL, gets the type and
 * permissions of what was read. ERR_NOT_FOUND; ERR_DENIED; ERR_LIMIT: longer than the limit;
 * ERR_IO: anything else, such as a folder. */
MUST_USE enum err file_read_all(const char *path, struct buf *out, mode_t *out_mode);

#endif
