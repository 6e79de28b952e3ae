/* Visitors: how many connections each address has, so that none takes all there are.
 *
 * Thread: the loop's. */
#ifndef WIRE_VISITORS_H
#define WIRE_VISITORS_H

#include <sys/socket.h>

struct visitor;

struct visitors {
    struct visitor *by_address;
    unsigned most; /* connections of one address */
};

/* One more connection from `address`; NULL: it has as many as it may. */
struct visitor *visitors_enter(struct visitors *v, const struct sockaddr *address);
void visitors_leave(struct visitors *v, struct visitor *visitor);

#endif
