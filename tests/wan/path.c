#include "tests/wan/path.h"

#define SECOND_NS 1000000000

/* Since `from_ns`; 0 if that is still to come. */
static uint64_t elapsed(uint64_t now_ns, uint64_t from_ns)
{
    return now_ns > from_ns ? now_ns - from_ns : 0;
}

/* Anywhere between delay - jitter and delay + jitter. */
static uint64_t flight_ns(const struct path *p, struct dice *dice)
{
    if (p->jitter_ns == 0)
        return p->delay_ns;
    return elapsed(p->delay_ns + dice_between(dice, 0, 2 * p->jitter_ns), p->jitter_ns);
}

bool path_send(struct path *p, size_t len, uint64_t now_ns, struct dice *dice,
               uint64_t *out_due_ns)
{
    uint64_t left_ns = now_ns;

    p->packets++;
    p->bytes += len;
    if (p->cut || (p->loss > 0 && dice_fraction(dice) < p->loss))
        goto dropped;
    if (p->rate_bps > 0) {
        uint64_t turn_ns = elapsed(p->free_at_ns, now_ns);
        if (turn_ns > PATH_QUEUE_NS)
            goto dropped;
        left_ns += turn_ns + len * 8 * SECOND_NS / p->rate_bps;
        p->free_at_ns = left_ns;
    }

    uint64_t due_ns = left_ns + flight_ns(p, dice);
    if (due_ns < p->last_due_ns)
        due_ns = p->last_due_ns;
    p->last_due_ns = due_ns;
    *out_due_ns = due_ns;
    return true;

dropped:
    p->dropped++;
    return false;
}

void path_heal(struct path *p)
{
    p->cut = false;
    p->loss = 0;
}
