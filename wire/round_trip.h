/* Round trip: how long a TCP connection's take, as the kernel measures them (tcp(7), TCP_INFO).
 *
 * Thread: any. */
#ifndef WIRE_ROUND_TRIP_H
#define WIRE_ROUND_TRIP_H

#include <stdint.h>

struct round_trip {
    uint32_t smoothed_us; /* 0 = there was none yet */
    uint32_t least_us;    /* of the connection's life; 0 = as above */
};

/* All 0 when the kernel doesn't say. */
struct round_trip round_trip_of(int fd);

#endif
