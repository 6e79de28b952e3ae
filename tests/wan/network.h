/* Network: the sites that are joined, a path from each to each, and the packets between them.
 *
 * Site i owns 198.18.(i+1).0/24, of the addresses that RFC 2544 keeps for measurements. No I/O and
 * no clock: packets and instants come in, and packets go out when they are due. */
#ifndef TESTS_WAN_NETWORK_H
#define TESTS_WAN_NETWORK_H

#include <stddef.h>
#include <stdint.h>

#include "tests/lib/dice.h"
#include "tests/wan/holding.h"
#include "tests/wan/leak.h"
#include "tests/wan/path.h"

#define NETWORK_SITES_MAX    16
#define NETWORK_NAME_LEN_MAX 16 /* bytes */

struct route {
    struct path path;
    uint64_t hits[LEAK_PATTERNS_MAX]; /* of each pattern that is watched */
};

struct network {
    size_t count;
    char names[NETWORK_SITES_MAX][NETWORK_NAME_LEN_MAX + 1];
    struct route routes[NETWORK_SITES_MAX][NETWORK_SITES_MAX]; /* [from][to] */
    struct leak *leak;
    struct holding held;
    struct dice dice;
};

struct network *network_new(void);
void network_free(struct network *n);

/* ERR_INVALID: not a name of 1 … NETWORK_NAME_LEN_MAX bytes without spaces; ERR_CONFLICT: it is
 * taken; ERR_LIMIT: NETWORK_SITES_MAX are there already. */
MUST_USE enum err network_add(struct network *n, const char *name);

/* The site's index; ERR_NOT_FOUND. */
MUST_USE enum err network_find(const struct network *n, const char *name, size_t *out);

/* `from` sends a packet. What isn't IPv4 to another site goes nowhere. */
void network_send(struct network *n, size_t from, const uint8_t *packet, size_t len,
                  uint64_t now_ns);

/* When the next packet is due; UINT64_MAX: none is on its way. */
uint64_t network_next_ns(const struct network *n);

/* The next packet that has arrived by `now_ns`; free() it. NULL: none. A packet whose path was cut
 * behind it doesn't arrive. */
struct packet *network_receive(struct network *n, uint64_t now_ns);

/* The site had no room for a packet that arrived. */
void network_refused(struct network *n, const struct packet *packet);

#endif
