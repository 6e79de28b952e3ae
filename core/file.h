/* File: the whole content of a small file, and the names in a folder.
 *
 * Blocks; for start-up and for clients. */
#ifndef CORE_FILE_H
#define CORE_FILE_H

#include <sys/types.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/model.h"

/* Append all of `path` to `out`, up to its limit; `out_mode`, if not NULL, gets the type and
 * permissions of what was read. ERR_NOT_FOUND; ERR_DENIED; ERR_FOLDER; ERR_LIMIT: longer than the
 * limit; ERR_IO: anything else. */
MUST_USE enum err file_read_all(const char *path, struct buf *out, mode_t *out_mode);

#define FILE_NAMES_MAX 1024

/* Add to `out`, in order, what is in the folder `path` with names that end in `suffix` and don't
 * begin with a dot. ERR_NOT_FOUND; ERR_DENIED; ERR_LIMIT: more than FILE_NAMES_MAX; ERR_IO. */
MUST_USE enum err file_list(const char *path, const char *suffix, struct text_list *out);

#endif
