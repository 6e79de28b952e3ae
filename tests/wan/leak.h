/* Leak: finds byte strings that must not cross in clear.
 *
 * Looks at the payload of each IPv4 packet and, in TCP, across the borders of packets that follow
 * one another. A repeated packet counts again: what matters is zero or not. */
#ifndef TESTS_WAN_LEAK_H
#define TESTS_WAN_LEAK_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define LEAK_PATTERNS_MAX    256
#define LEAK_PATTERN_LEN_MIN 4 /* bytes */
#define LEAK_PATTERN_LEN_MAX 256
#define LEAK_PACKET_LEN_MAX  65535

struct leak;

struct leak *leak_new(void);
void leak_free(struct leak *l);

/* ERR_INVALID: too short or too long; ERR_LIMIT: LEAK_PATTERNS_MAX are watched already. */
MUST_USE enum err leak_watch(struct leak *l, const uint8_t *pattern, size_t len,
                             size_t *out_index);

/* Watch nothing. */
void leak_forget(struct leak *l);

/* Count what is in the packet: hits[i] rises with each occurrence of pattern i. */
void leak_look(struct leak *l, const uint8_t *packet, size_t len,
               uint64_t hits[LEAK_PATTERNS_MAX]);

#endif
