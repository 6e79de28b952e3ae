#include "tests/wan/leak.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "core/mem.h"

#define TAIL_LEN_MAX (LEAK_PATTERN_LEN_MAX - 1)
#define FLOWS_MAX    1024 /* a power of two */

/* RFC 791, 3.1; RFC 9293, 3.1. */
#define IP_HEADER_LEN_MIN  20
#define TCP_HEADER_LEN_MIN 20
#define PROTOCOL_TCP       6
#define FRAGMENT_MASK      0x3fff /* more fragments, offset */
#define FLOW_KEY_LEN       12     /* both addresses, both ports */

struct pattern {
    size_t len;
    uint8_t bytes[LEAK_PATTERN_LEN_MAX];
};

/* One direction of a TCP connection, and the end of what it has sent. */
struct flow {
    uint8_t key[FLOW_KEY_LEN];
    uint32_t next; /* sequence number */
    size_t tail_len;
    uint8_t tail[TAIL_LEN_MAX];
};

/* Where a packet's payload is and, in TCP, whose. */
struct segment {
    const uint8_t *payload;
    size_t len;
    bool is_tcp;
    uint8_t key[FLOW_KEY_LEN];
    uint32_t sequence;
};

struct leak {
    size_t count;
    struct pattern patterns[LEAK_PATTERNS_MAX];
    bool begins[1 << 16];         /* some pattern begins with these two bytes */
    struct flow flows[FLOWS_MAX]; /* by a hash of the key; a newer one takes the place */
    uint8_t text[TAIL_LEN_MAX + LEAK_PACKET_LEN_MAX];
};

struct leak *leak_new(void)
{
    return xcalloc(1, sizeof(struct leak));
}

void leak_free(struct leak *l)
{
    free(l);
}

static uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

enum err leak_watch(struct leak *l, const uint8_t *pattern, size_t len, size_t *out_index)
{
    if (len < LEAK_PATTERN_LEN_MIN || len > LEAK_PATTERN_LEN_MAX)
        return ERR_INVALID;
    if (l->count == LEAK_PATTERNS_MAX)
        return ERR_LIMIT;

    struct pattern *p = &l->patterns[l->count];
    p->len = len;
    memcpy(p->bytes, pattern, len);
    l->begins[get16(pattern)] = true;
    *out_index = l->count++;
    return ERR_OK;
}

void leak_forget(struct leak *l)
{
    l->count = 0;
    memset(l->begins, 0, sizeof l->begins);
}

/* False when there is nothing to look at. */
static bool dissect(const uint8_t *packet, size_t len, struct segment *out)
{
    if (len < IP_HEADER_LEN_MIN || len > LEAK_PACKET_LEN_MAX)
        return false;

    size_t header_len = (size_t)(packet[0] & 0x0f) * 4;
    bool is_fragment = (get16(packet + 6) & FRAGMENT_MASK) != 0;
    if (header_len < IP_HEADER_LEN_MIN || header_len > len)
        return false;
    *out = (struct segment){ .payload = packet + header_len, .len = len - header_len };
    if (packet[9] != PROTOCOL_TCP || is_fragment || out->len < TCP_HEADER_LEN_MIN)
        return out->len > 0;

    const uint8_t *tcp = out->payload;
    size_t tcp_len = (size_t)(tcp[12] >> 4) * 4;
    if (tcp_len < TCP_HEADER_LEN_MIN || tcp_len > out->len)
        return true;
    memcpy(out->key, packet + 12, 8);
    memcpy(out->key + 8, tcp, 4);
    out->sequence = get16(tcp + 4) << 16 | get16(tcp + 6);
    out->is_tcp = true;
    out->payload += tcp_len;
    out->len -= tcp_len;
    return out->len > 0;
}

/* FNV-1a. */
static struct flow *flow_of(struct leak *l, const uint8_t key[FLOW_KEY_LEN])
{
    uint32_t hash = 2166136261;

    for (size_t i = 0; i < FLOW_KEY_LEN; i++)
        hash = (hash ^ key[i]) * 16777619;
    return &l->flows[hash % FLOWS_MAX];
}

/* Put what the flow sent last before the segment; how many bytes that is. */
static size_t recall(struct leak *l, const struct segment *s)
{
    const struct flow *flow = flow_of(l, s->key);

    if (!s->is_tcp || flow->next != s->sequence || memcmp(flow->key, s->key, FLOW_KEY_LEN) != 0)
        return 0;
    memcpy(l->text, flow->tail, flow->tail_len);
    return flow->tail_len;
}

static void remember(struct leak *l, const struct segment *s, size_t text_len)
{
    struct flow *flow = flow_of(l, s->key);

    memcpy(flow->key, s->key, FLOW_KEY_LEN);
    flow->next = s->sequence + (uint32_t)s->len;
    flow->tail_len = text_len < TAIL_LEN_MAX ? text_len : TAIL_LEN_MAX;
    memcpy(flow->tail, l->text + text_len - flow->tail_len, flow->tail_len);
}

/* Count the patterns that begin at `at` and end after the first `known` bytes. */
static void match(const struct leak *l, size_t at, size_t known, size_t text_len,
                  uint64_t hits[LEAK_PATTERNS_MAX])
{
    for (size_t i = 0; i < l->count; i++) {
        const struct pattern *p = &l->patterns[i];
        if (at + p->len > known && at + p->len <= text_len &&
            memcmp(l->text + at, p->bytes, p->len) == 0)
            hits[i]++;
    }
}

void leak_look(struct leak *l, const uint8_t *packet, size_t len,
               uint64_t hits[LEAK_PATTERNS_MAX])
{
    struct segment s;

    if (l->count == 0 || !dissect(packet, len, &s))
        return;

    size_t known = recall(l, &s);
    size_t text_len = known + s.len;
    assert(text_len <= sizeof l->text);
    memcpy(l->text + known, s.payload, s.len);
    for (size_t at = 0; at + 1 < text_len; at++)
        if (l->begins[get16(l->text + at)])
            match(l, at, known, text_len, hits);
    if (s.is_tcp)
        remember(l, &s, text_len);
}
