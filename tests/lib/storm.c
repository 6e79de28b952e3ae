#include "tests/lib/storm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/lib/descriptors.h"

void storm_ride(unsigned seeds, void (*ride_out)(uint64_t seed))
{
    const char *seed = getenv("STORM_SEED");
    uint64_t first = seed ? strtoull(seed, NULL, 10) : 1;

    ride_out(first); /* the process's first loop opens descriptors that stay */
    unsigned before = descriptors_open();
    for (uint64_t n = first; n < first + (seed ? 1 : seeds); n++) {
        print_message("seed %llu\n", (unsigned long long)n);
        ride_out(n);
        assert_int_equal(descriptors_open(), before);
    }
}
