#include "bench/lib/histogram.h"

#include <stdatomic.h>

/* Values below HISTOGRAM_STEPS have a bucket each; above, the highest set bit chooses the power
 * of two and the bits after it the step. */
static unsigned bucket_of(uint64_t us)
{
    if (us < HISTOGRAM_STEPS)
        return (unsigned)us;

    unsigned power = 63U - (unsigned)__builtin_clzll(us) - 5;
    unsigned step = (unsigned)(us >> power) - HISTOGRAM_STEPS;
    unsigned bucket = (power + 1) * HISTOGRAM_STEPS + step;
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

static uint64_t lowest_of(unsigned bucket)
{
    unsigned power = bucket / HISTOGRAM_STEPS;
    uint64_t step = bucket % HISTOGRAM_STEPS;

    return power == 0 ? step : (HISTOGRAM_STEPS + step) << (power - 1);
}

void histogram_add(struct histogram *h, uint64_t us)
{
    atomic_fetch_add_explicit(&h->counts[bucket_of(us)], 1, memory_order_relaxed);
}

static uint64_t count_in(const struct histogram *const *all, unsigned count, unsigned bucket)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < count; i++)
        sum += atomic_load_explicit(&all[i]->counts[bucket], memory_order_relaxed);
    return sum;
}

uint64_t histogram_percentile(const struct histogram *const *all, unsigned count, double share)
{
    uint64_t total = 0, seen = 0;

    for (unsigned bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++)
        total += count_in(all, count, bucket);
    if (total == 0)
        return 0;

    for (unsigned bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
        seen += count_in(all, count, bucket);
        if ((double)seen >= share * (double)total)
            return lowest_of(bucket);
    }
    return lowest_of(HISTOGRAM_BUCKETS - 1);
}

void histogram_clear(struct histogram *h)
{
    for (unsigned bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++)
        atomic_store_explicit(&h->counts[bucket], 0, memory_order_relaxed);
}
