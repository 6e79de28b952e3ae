/* Folder: where a lab keeps everything, and who has it.
 *
 * One process at a time: a lock in it says so, which ends with the process however that ends. What
 * a lab that was killed has left is removed by the next one. A folder that isn't a lab's is left
 * alone. */
#ifndef LAB_FOLDER_H
#define LAB_FOLDER_H

#include "core/err.h"

#define FOLDER_PATH_MAX 80 /* sockets lie in it, whose paths are short */

/* The user's own one: $XDG_RUNTIME_DIR/posthaste-lab, else /tmp/posthaste-lab-UID; or `dir`, made
 * absolute. ERR_LIMIT, and it has been said: too long a path. */
MUST_USE enum err folder_path(const char *dir, char out[FOLDER_PATH_MAX]);

/* Make it, empty, for its owner alone, and lock it. Anything but ERR_OK has been said. */
MUST_USE enum err folder_open(const char *path, int *out_lock);

/* Remove it with all that is in it. */
void folder_close(const char *path, int lock);

#endif
