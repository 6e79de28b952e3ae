/* Datagram: IPv4 packets as a host would send them. */
#ifndef TESTS_LIB_DATAGRAM_H
#define TESTS_LIB_DATAGRAM_H

#include <stddef.h>
#include <stdint.h>

#define DATAGRAM_LEN_MAX 1500

/* From 198.18.1.1 to 198.18.SITE.1, with 40 bytes of headers. */
struct datagram {
    size_t len;
    uint8_t bytes[DATAGRAM_LEN_MAX];
};

/* One segment of a TCP connection from `port`, with no checksums. */
struct datagram datagram_tcp(unsigned site, unsigned port, uint32_t sequence, const char *text);

#endif
