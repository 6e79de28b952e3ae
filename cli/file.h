/* File: whole files, read and written for a command. What goes wrong is said here. */
#ifndef CLI_FILE_H
#define CLI_FILE_H

#include <sys/types.h>

#include "core/buf.h"

#define FILE_LEN_MAX (8u << 20) /* bytes that we read */

/* Append a file; "-" is stdin. ERR_IO, ERR_LIMIT. */
MUST_USE enum err file_read(const char *path, struct buf *out);

/* Make a file that isn't there yet, whole, fsynced as its folder is. ERR_IN_USE: it is there; ERR_IO. */
MUST_USE enum err file_create(const char *path, mode_t mode, const char *text);

/* The same in place of one that may be there: whoever reads it finds the old or the new one, whole.
 * ERR_IO. */
MUST_USE enum err file_replace(const char *path, mode_t mode, const char *text);

/* Let the file `from` take the place of `path`, or remove one, for good once it is done. ERR_IO. */
MUST_USE enum err file_rename(const char *from, const char *path);
MUST_USE enum err file_remove(const char *path);

#endif
