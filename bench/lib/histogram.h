/* Histogram: how long things took, to within 3 %, in a fixed 8 KiB whatever their number.
 *
 * One thread adds, any thread may read meanwhile. */
#ifndef BENCH_LIB_HISTOGRAM_H
#define BENCH_LIB_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_STEPS   32 /* equal steps in each power of two */
#define HISTOGRAM_BUCKETS (HISTOGRAM_STEPS * 32)

struct histogram {
    _Atomic uint64_t counts[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t us);

/* Of all `count` histograms together; `share` 0.99 for the 99th percentile. 0 if empty. */
uint64_t histogram_percentile(const struct histogram *const *all, unsigned count, double share);

void histogram_clear(struct histogram *h);

#endif
