#include "wire/egress.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/count.h"
#include "core/mem.h"

/* An address as IPv6 has it; an IPv4 one is mapped (::ffff:a.b.c.d), so that one comparison
 * serves both. */
struct ip {
    uint8_t bytes[16];
};

struct block {
    struct ip net;
    unsigned bits;
};

struct egress {
    bool open; /* everything is allowed */
    size_t count;
    struct block subnets[];
};

#define MAPPED_BITS 96
#define V4(a, b, c, d, bits4)                                                                  \
    {                                                                                          \
        { { [10] = 0xff, 0xff, a, b, c, d } }, MAPPED_BITS + (bits4)                           \
    }
#define V6(bits6, ...)                                                                         \
    {                                                                                          \
        { { __VA_ARGS__ } }, bits6                                                             \
    }

static const struct block mapped = V4(0, 0, 0, 0, 0);

/* What IPv6 has of public unicast addresses; all else is special or unassigned. */
static const struct block v6_public[] = {
    V6(3, 0x20),                    /* global unicast */
    V6(96, 0x00, 0x64, 0xff, 0x9b), /* NAT64: as its IPv4 address is */
};

/* Not public, within all of IPv4 and `v6_public`. */
static const struct block special[] = {
    V4(0, 0, 0, 0, 8),              /* this network */
    V4(10, 0, 0, 0, 8),             /* private use */
    V4(100, 64, 0, 0, 10),          /* carrier-grade NAT */
    V4(127, 0, 0, 0, 8),            /* loopback */
    V4(169, 254, 0, 0, 16),         /* link-local, cloud metadata */
    V4(172, 16, 0, 0, 12),          /* private use */
    V4(192, 0, 0, 0, 24),           /* protocol assignments */
    V4(192, 0, 2, 0, 24),           /* documentation */
    V4(192, 88, 99, 0, 24),         /* 6to4 relays, deprecated */
    V4(192, 168, 0, 0, 16),         /* private use */
    V4(198, 18, 0, 0, 15),          /* benchmarking */
    V4(198, 51, 100, 0, 24),        /* documentation */
    V4(203, 0, 113, 0, 24),         /* documentation */
    V4(224, 0, 0, 0, 4),            /* multicast */
    V4(240, 0, 0, 0, 4),            /* reserved, broadcast */
    V6(23, 0x20, 0x01),             /* protocol assignments, Teredo */
    V6(32, 0x20, 0x01, 0x0d, 0xb8), /* documentation */
    V6(20, 0x3f, 0xff),             /* documentation */
};

/* Blocks whose addresses carry an IPv4 address, and where. */
static const struct carrier {
    struct block block;
    size_t offset;
    uint8_t flip; /* Teredo inverts the client's */
} carriers[] = {
    { V6(96, 0), 12, 0 },                         /* IPv4-compatible */
    { V6(96, 0x00, 0x64, 0xff, 0x9b), 12, 0 },    /* NAT64 */
    { V6(16, 0x20, 0x02), 2, 0 },                 /* 6to4 */
    { V6(32, 0x20, 0x01, 0x00, 0x00), 4, 0 },     /* Teredo: its server */
    { V6(32, 0x20, 0x01, 0x00, 0x00), 12, 0xff }, /* Teredo: its client */
};

/* :: and ::1 look IPv4-compatible, but carry nothing. */
static const struct block unspecified_and_loopback = V6(127, 0);

static bool in_block(const struct ip *a, const struct block *block)
{
    size_t whole = block->bits / 8;
    unsigned rest = block->bits % 8;

    if (memcmp(a->bytes, block->net.bytes, whole) != 0)
        return false;
    return rest == 0 || (a->bytes[whole] ^ block->net.bytes[whole]) >> (8 - rest) == 0;
}

static bool in_any(const struct ip *a, const struct block *blocks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (in_block(a, &blocks[i]))
            return true;
    return false;
}

static struct ip map_v4(const uint8_t bytes[4])
{
    struct ip a = mapped.net;

    memcpy(a.bytes + 12, bytes, 4);
    return a;
}

static bool is_public(const struct ip *a)
{
    if (!in_block(a, &mapped) && !in_any(a, v6_public, COUNT(v6_public)))
        return false;
    return !in_any(a, special, COUNT(special));
}

/* An IPv6 subnet says nothing about IPv4, not even ::/0. */
static bool in_subnet(const struct ip *a, const struct block *subnet)
{
    bool of_v4 = subnet->bits >= MAPPED_BITS && in_block(&subnet->net, &mapped);

    return of_v4 == in_block(a, &mapped) && in_block(a, subnet);
}

static bool is_allowed_itself(const struct egress *egress, const struct ip *a)
{
    for (size_t i = 0; i < egress->count; i++)
        if (in_subnet(a, &egress->subnets[i]))
            return true;
    return is_public(a);
}

/* With every IPv4 address in it: a gateway on the way may unpack it. */
static bool is_allowed(const struct egress *egress, const struct ip *a)
{
    if (!is_allowed_itself(egress, a))
        return false;
    if (in_block(a, &unspecified_and_loopback))
        return true;
    for (size_t i = 0; i < COUNT(carriers); i++) {
        if (!in_block(a, &carriers[i].block))
            continue;
        uint8_t v4[4];
        for (size_t k = 0; k < sizeof v4; k++)
            v4[k] = a->bytes[carriers[i].offset + k] ^ carriers[i].flip;
        struct ip carried = map_v4(v4);
        if (!is_allowed_itself(egress, &carried))
            return false;
    }
    return true;
}

bool egress_allows(const struct egress *egress, const struct sockaddr *address)
{
    struct ip a;

    if (egress->open)
        return true;

    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)address;
        a = map_v4((const uint8_t *)&v4->sin_addr);
    } else if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)address;
        memcpy(a.bytes, &v6->sin6_addr, sizeof a.bytes);
    } else {
        return false;
    }
    return is_allowed(egress, &a);
}

/* Digits only, no sign, no leading zero: "0" … "128". */
static bool parse_bits(const char *text, unsigned most, unsigned *out)
{
    unsigned bits = 0;
    size_t len = strlen(text);

    if (len < 1 || len > 3 || (text[0] == '0' && len > 1))
        return false;
    for (const char *p = text; *p; p++) {
        if (*p < '0' || *p > '9')
            return false;
        bits = bits * 10 + (unsigned)(*p - '0');
    }
    *out = bits;
    return bits <= most;
}

static bool parse_block(const char *text, struct block *out)
{
    char net[INET6_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    uint8_t v4[4];

    if (!slash || (size_t)(slash - text) >= sizeof net)
        return false;
    memcpy(net, text, (size_t)(slash - text));
    net[slash - text] = 0;

    if (inet_pton(AF_INET, net, v4) == 1) {
        out->net = map_v4(v4);
        if (!parse_bits(slash + 1, 32, &out->bits))
            return false;
        out->bits += MAPPED_BITS;
        return true;
    }
    return inet_pton(AF_INET6, net, out->net.bytes) == 1 &&
           parse_bits(slash + 1, 128, &out->bits);
}

enum err egress_new(const struct text_list *subnets, struct egress **out, const char **out_bad)
{
    struct egress *e = xcalloc(1, sizeof *e + subnets->count * sizeof *e->subnets);

    for (; e->count < subnets->count; e->count++) {
        const char *text = subnets->items[e->count];
        if (!parse_block(text, &e->subnets[e->count])) {
            *out_bad = text;
            free(e);
            return ERR_INVALID;
        }
    }
    *out = e;
    return ERR_OK;
}

struct egress *egress_new_open(void)
{
    struct egress *e = xcalloc(1, sizeof *e);

    e->open = true;
    return e;
}

void egress_free(struct egress *egress)
{
    free(egress);
}
