#include "wire/round_trip.h"

#include <linux/tcp.h> /* <netinet/tcp.h> lacks tcpi_min_rtt, and doesn't go with it */
#include <netinet/in.h>
#include <sys/socket.h>

#define NONE_YET UINT32_MAX /* as the kernel's least */

struct round_trip round_trip_of(int fd)
{
    struct tcp_info info = { .tcpi_min_rtt = NONE_YET };
    socklen_t len = sizeof info;

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
        return (struct round_trip){ 0 };
    return (struct round_trip){
        .smoothed_us = info.tcpi_rtt,
        .least_us = info.tcpi_min_rtt == NONE_YET ? 0 : info.tcpi_min_rtt,
    };
}
