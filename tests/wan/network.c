#include "tests/wan/network.h"

#include <assert.h>
#include <string.h>

#include "core/mem.h"

#define IP_HEADER_LEN_MIN 20
#define IP_TO             16 /* offset of the destination's address */

struct network *network_new(void)
{
    struct network *n = xcalloc(1, sizeof *n);

    n->leak = leak_new();
    return n;
}

void network_free(struct network *n)
{
    if (!n)
        return;
    holding_fini(&n->held);
    leak_free(n->leak);
    free(n);
}

enum err network_add(struct network *n, const char *name)
{
    size_t len = strlen(name), taken;

    if (len == 0 || len > NETWORK_NAME_LEN_MAX || strcspn(name, " \t\n") != len)
        return ERR_INVALID;
    if (network_find(n, name, &taken) == ERR_OK)
        return ERR_CONFLICT;
    if (n->count == NETWORK_SITES_MAX)
        return ERR_LIMIT;
    memcpy(n->names[n->count++], name, len + 1);
    return ERR_OK;
}

enum err network_find(const struct network *n, const char *name, size_t *out)
{
    for (size_t i = 0; i < n->count; i++) {
        if (strcmp(n->names[i], name) == 0) {
            *out = i;
            return ERR_OK;
        }
    }
    return ERR_NOT_FOUND;
}

/* Whose address it goes to; NETWORK_SITES_MAX if nobody's. */
static size_t destination(const struct network *n, const uint8_t *packet, size_t len)
{
    if (len < IP_HEADER_LEN_MIN || len > LEAK_PACKET_LEN_MAX || packet[0] >> 4 != 4)
        return NETWORK_SITES_MAX;

    const uint8_t *to = packet + IP_TO;
    bool is_ours = to[0] == 198 && to[1] == 18 && to[2] >= 1 && to[2] <= n->count;
    return is_ours ? to[2] - 1u : NETWORK_SITES_MAX;
}

void network_send(struct network *n, size_t from, const uint8_t *packet, size_t len,
                  uint64_t now_ns)
{
    size_t to = destination(n, packet, len);
    uint64_t due_ns;

    if (to == NETWORK_SITES_MAX || to == from)
        return;

    struct route *route = &n->routes[from][to];
    leak_look(n->leak, packet, len, route->hits);
    if (!path_send(&route->path, len, now_ns, &n->dice, &due_ns))
        return;

    struct packet *copy = xcalloc(1, sizeof *copy + len);
    copy->due_ns = due_ns;
    copy->from = from;
    copy->to = to;
    copy->len = len;
    memcpy(copy->bytes, packet, len);
    if (holding_put(&n->held, copy) != ERR_OK) {
        network_refused(n, copy);
        free(copy);
    }
}

uint64_t network_next_ns(const struct network *n)
{
    const struct packet *next = holding_next(&n->held);

    return next ? next->due_ns : UINT64_MAX;
}

struct packet *network_receive(struct network *n, uint64_t now_ns)
{
    while (network_next_ns(n) <= now_ns) {
        struct packet *packet = holding_take(&n->held);
        if (!n->routes[packet->from][packet->to].path.cut)
            return packet;
        network_refused(n, packet);
        free(packet);
    }
    return NULL;
}

void network_refused(struct network *n, const struct packet *packet)
{
    n->routes[packet->from][packet->to].path.dropped++;
}
