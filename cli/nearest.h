/* Nearest: how far a mistyped word is from one that exists. Pure. */
#ifndef CLI_NEAREST_H
#define CLI_NEAREST_H

#include <stddef.h>

/* Characters to insert, remove or replace (Levenshtein) between the first bytes of both. */
size_t nearest_distance(const char *a, const char *b);

#endif
