/* Instant: "2026-11-24T02:57:36Z", or so long ago, "2h". Pure. */
#ifndef CLI_INSTANT_H
#define CLI_INSTANT_H

#include <stdbool.h>
#include <stdint.h>

/* False unless `text` is one of them, in 1970 or later. */
bool instant_parse(const char *text, uint64_t now_ms, uint64_t *out_ms);

#endif
