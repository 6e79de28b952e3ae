/* Name server: answers a table of names over UDP, on a loop, on 127.0.0.1.
 *
 * A name in the table has IPv4 addresses and no others; one without addresses is never
 * answered; one that isn't in the table doesn't exist. */
#ifndef TESTS_LIB_NAME_SERVER_H
#define TESTS_LIB_NAME_SERVER_H

#include <stdint.h>
#include <uv.h>

#define ZONE_ADDRESSES_MAX 12

struct zone_name {
    const char *name; /* NULL ends the table */
    const char *addresses[ZONE_ADDRESSES_MAX];
};

struct name_server {
    const struct zone_name *zone;
    uint32_t ttl_s;
    unsigned questions; /* for A, so far */
    char address[32];   /* "127.0.0.1:PORT" */

    /* private */
    uv_udp_t udp;
    char room[1500];
};

void name_server_open(struct name_server *s, uv_loop_t *loop, const struct zone_name *zone);
void name_server_close(struct name_server *s);

#endif
