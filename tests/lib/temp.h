/* Temp: a directory for one test, in memory where the machine has /dev/shm. */
#ifndef TESTS_LIB_TEMP_H
#define TESTS_LIB_TEMP_H

#define TEMP_PATH_MAX 256

/* Make an empty directory; the test fails if that can't be. */
void temp_make(char out[TEMP_PATH_MAX]);

/* Remove it and all that is in it. */
void temp_remove(const char *path);

#endif
