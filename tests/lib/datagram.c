#include "tests/lib/datagram.h"

#include <assert.h>
#include <string.h>

#define IP_LEN  20
#define TCP_LEN 20

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

struct datagram datagram_tcp(unsigned site, unsigned port, uint32_t sequence, const char *text)
{
    const uint8_t from[] = { 198, 18, 1, 1 }, to[] = { 198, 18, (uint8_t)site, 1 };
    struct datagram d = { .len = IP_LEN + TCP_LEN + strlen(text) };
    uint8_t *tcp = d.bytes + IP_LEN;

    assert(d.len <= sizeof d.bytes);
    d.bytes[0] = 4 << 4 | IP_LEN / 4;
    put16(d.bytes + 2, (unsigned)d.len);
    d.bytes[8] = 64; /* time to live */
    d.bytes[9] = 6;  /* TCP */
    memcpy(d.bytes + 12, from, sizeof from);
    memcpy(d.bytes + 16, to, sizeof to);
    put16(tcp, port);
    put16(tcp + 2, 80);
    put16(tcp + 4, sequence >> 16);
    put16(tcp + 6, sequence & 0xffff);
    tcp[12] = TCP_LEN / 4 << 4;
    memcpy(tcp + TCP_LEN, text, strlen(text));
    return d;
}
