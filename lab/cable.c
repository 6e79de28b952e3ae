#include "lab/cable.h"

#include "lab/passage.h"

static void on_accepted(struct listener *listener, int fd, const struct sockaddr *address,
                        socklen_t address_len);
static void on_closed(struct listener *listener);

enum err cable_open(struct cable *cable, uv_loop_t *loop, const char *from, const char *to,
                    uint16_t port, uint32_t rtt_ms)
{
    *cable = (struct cable){ .loop = loop, .rtt_ms = rtt_ms };
    list_init(&cable->passages);
    if (uv_ip4_addr(to, port, &cable->to) != 0)
        return ERR_INVALID;
    enum err err = listener_open(&cable->listener, loop, from, port);
    if (err)
        return err;
    cable->listener.on_accepted = on_accepted;
    listener_resume(&cable->listener);
    return ERR_OK;
}

static void on_accepted(struct listener *listener, int fd, const struct sockaddr *address,
                        socklen_t address_len)
{
    struct cable *cable = container_of(listener, struct cable, listener);

    (void)address;
    (void)address_len;
    passage_start(cable, fd);
    if (cable->count >= CABLE_PASSAGES_MAX)
        listener_pause(&cable->listener);
}

void cable_cut(struct cable *cable, bool is_cut)
{
    struct list *next;

    cable->is_cut = is_cut;
    for (struct list *l = cable->passages.next; l != &cable->passages; l = next) {
        next = l->next;
        passage_poke(container_of(l, struct passage, link));
    }
}

void cable_close(struct cable *cable)
{
    cable->is_closed = true;
    listener_close(&cable->listener, on_closed);
    while (!list_is_empty(&cable->passages))
        passage_end(container_of(cable->passages.next, struct passage, link));
}

static void on_closed(struct listener *listener)
{
    (void)listener;
}
