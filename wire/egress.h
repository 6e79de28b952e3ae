/* Egress: which addresses we may connect to.
 *
 * A subscriber chooses the URL and runs the name server, so the decision is made on the bytes
 * of the address actually connected to. Only public unicast addresses are allowed, and those in
 * a configured subnet. Addresses that carry an IPv4 one (mapped, compatible, NAT64
 * 64:ff9b::/96, 6to4 2002::/16, Teredo) are judged by it as well. Source: the IANA
 * special-purpose registries for IPv4 and IPv6 (RFC 6890).
 *
 * Thread: immutable; any. */
#ifndef WIRE_EGRESS_H
#define WIRE_EGRESS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "core/err.h"
#include "core/model.h"

struct egress;

/* `subnets`: CIDRs such as "10.0.0.0/8" or "fd00::/8" that are allowed although they aren't
 * public. ERR_INVALID: `*out_bad` is the first that isn't one (borrowed from `subnets`). */
MUST_USE enum err egress_new(const struct text_list *subnets, struct egress **out,
                             const char **out_bad);

/* For clients, whose user chooses the address: everything is allowed. */
struct egress *egress_new_open(void);

void egress_free(struct egress *egress);

bool egress_allows(const struct egress *egress, const struct sockaddr *address);

#endif
