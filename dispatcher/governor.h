/* Governor: how many attempts may be in flight, by how busy their loop is.
 *
 * What latency needs in flight is free while the loop has time to wait for it. A loop that never
 * waits gains nothing from more: they queue in it, and each costs memory and cache. So while there
 * is no idle time the limit sinks, and while there is some it rises.
 *
 * Pure: the instant and the idle time come in as parameters. */
#ifndef DISPATCHER_GOVERNOR_H
#define DISPATCHER_GOVERNOR_H

#include <stdint.h>

struct governor {
    unsigned least, most;
    unsigned limit;

    /* at the last judgement */
    uint64_t mono_ms;
    uint64_t idle_ns;
};

/* The limit starts at the least. */
void governor_init(struct governor *g, unsigned least, unsigned most);

/* The limit from now on. `idle_ns` is what the loop has waited since it was made. */
unsigned governor_judge(struct governor *g, uint64_t mono_ms, uint64_t idle_ns);

#endif
