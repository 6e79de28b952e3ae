/* Duration: "90d", "12h", "30m", "45s", or seconds without a unit. Pure. */
#ifndef CLI_DURATION_H
#define CLI_DURATION_H

#include <stdbool.h>
#include <stdint.h>

#define DURATION_MAX_S (100ull * 365 * 86400)

/* False unless `text` is a positive duration of at most DURATION_MAX_S. */
bool duration_parse(const char *text, uint64_t *out_s);

#endif
