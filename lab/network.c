#include "lab/network.h"

#include "cli/say.h"

/* The first region's name server is what tells a network that is free from one that isn't. */
static enum err find_free(struct network *n, uv_loop_t *loop, struct plan *plan)
{
    enum err err = ERR_IN_USE;
    unsigned network = PLAN_NETWORK_FIRST;

    while (err == ERR_IN_USE && network <= PLAN_NETWORK_LAST) {
        plan->network = network++;
        err = name_server_open(&n->name_servers[0], loop, plan, 0);
    }
    if (!err) {
        n->name_server_count = 1;
        return ERR_OK;
    }
    say("127.%d.1.1 to 127.%d.1.1, UDP port %d: %s", PLAN_NETWORK_FIRST, PLAN_NETWORK_LAST,
        PLAN_NAME_PORT, err_text(err));
    return err;
}

static enum err open_name_servers(struct network *n, uv_loop_t *loop)
{
    enum err err = ERR_OK;

    while (!err && n->name_server_count < n->plan->count) {
        err = name_server_open(&n->name_servers[n->name_server_count], loop, n->plan,
                               n->name_server_count);
        n->name_server_count += err == ERR_OK;
    }
    return err;
}

static enum err open_receivers(struct network *n, uv_loop_t *loop, const struct secret *secret)
{
    char address[PLAN_ADDRESS_MAX];
    enum err err = ERR_OK;

    for (size_t i = 0; i < n->plan->count && !err; i++) {
        plan_address(n->plan, i, i, address);
        err = receiver_open(&n->receivers[i], loop, address, PLAN_HOOK_PORT,
                            n->plan->places[i]->name, secret);
        n->receiver_count += err == ERR_OK;
    }
    return err;
}

static enum err open_cable(struct network *n, uv_loop_t *loop, size_t from, size_t to,
                           uint16_t port)
{
    struct network_cable *way = &n->cables[n->cable_count];
    char near[PLAN_ADDRESS_MAX], far[PLAN_ADDRESS_MAX];

    way->from = from;
    way->to = to;
    plan_address(n->plan, from, to, near);
    plan_address(n->plan, to, to, far);
    enum err err =
        cable_open(&way->cable, loop, near, far, port, plan_rtt_ms(n->plan, from, to));
    n->cable_count += err == ERR_OK;
    return err;
}

static enum err open_cables(struct network *n, uv_loop_t *loop)
{
    size_t count = n->plan->count;
    enum err err = ERR_OK;

    for (size_t pair = 0; pair < count * count && !err; pair++) {
        size_t from = pair / count, to = pair % count;

        if (from == to)
            continue;
        err = open_cable(n, loop, from, to, PLAN_LINK_PORT);
        if (!err)
            err = open_cable(n, loop, from, to, PLAN_HOOK_PORT);
    }
    return err;
}

enum err network_open(struct network *n, uv_loop_t *loop, struct plan *plan,
                      const struct secret *secret)
{
    *n = (struct network){ .plan = plan };
    enum err err = find_free(n, loop, plan);
    if (err)
        return err;

    err = open_name_servers(n, loop);
    if (!err)
        err = open_receivers(n, loop, secret);
    if (!err)
        err = open_cables(n, loop);
    if (err)
        say("127.%u.0.0/16: %s", plan->network, err_text(err));
    return err;
}

void network_cut(struct network *n, size_t region, bool is_cut)
{
    n->is_cut[region] = is_cut;
    for (size_t i = 0; i < n->cable_count; i++) {
        struct network_cable *way = &n->cables[i];

        if (way->from == region || way->to == region)
            cable_cut(&way->cable, n->is_cut[way->from] || n->is_cut[way->to]);
    }
}

void network_close(struct network *n)
{
    for (size_t i = 0; i < n->name_server_count; i++)
        name_server_close(&n->name_servers[i]);
    for (size_t i = 0; i < n->receiver_count; i++)
        receiver_close(&n->receivers[i]);
    for (size_t i = 0; i < n->cable_count; i++)
        cable_close(&n->cables[i].cable);
}

void network_fini(struct network *n)
{
    for (size_t i = 0; i < n->receiver_count; i++)
        receiver_fini(&n->receivers[i]);
}
