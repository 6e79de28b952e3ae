#include "tests/lib/datagram.h"

#include <assert.h>
#include <string.h>

#include "core/big_endian.h"

#define IP_LEN  20
#define TCP_LEN 20

struct datagram datagram_tcp(unsigned site, unsigned port, uint32_t sequence, const char *text)
{
    const uint8_t from[] = { 198, 18, 1, 1 }, to[] = { 198, 18, (uint8_t)site, 1 };
    struct datagram d = { .len = IP_LEN + TCP_LEN + strlen(text) };
    uint8_t *tcp = d.bytes + IP_LEN;

    assert(d.len <= sizeof d.bytes);
    d.bytes[0] = 4 << 4 | IP_LEN / 4;
    big_endian_put(d.bytes + 2, d.len, 2);
    d.bytes[8] = 64; /* time to live */
    d.bytes[9] = 6;  /* TCP */
    memcpy(d.bytes + 12, from, sizeof from);
    memcpy(d.bytes + 16, to, sizeof to);
    big_endian_put(tcp, port, 2);
    big_endian_put(tcp + 2, 80, 2);
    big_endian_put(tcp + 4, sequence, 4);
    tcp[12] = TCP_LEN / 4 << 4;
    memcpy(tcp + TCP_LEN, text, strlen(text));
    return d;
}
