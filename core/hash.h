/* Hash: uthash, whose tables can be refused no memory either: see core/mem.h. */
#ifndef CORE_HASH_H
#define CORE_HASH_H

#include <stdlib.h>

#define uthash_fatal(message) abort()
#include <uthash.h>

#endif
