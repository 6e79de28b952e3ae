#include "cli/place.h"

#include <stddef.h>
#include <string.h>

#include "core/count.h"

/* clang-format off */
static const struct known_place PLACES[] = {
    { "fra", "1",  "eu", "50.11",  "8.68"    }, /* Frankfurt */
    { "iad", "2",  "us", "38.95",  "-77.45"  }, /* Virginia */
    { "sin", "3",  "sg", "1.35",   "103.99"  }, /* Singapore */
    { "gru", "4",  "br", "-23.43", "-46.47"  }, /* São Paulo */
    { "ams", NULL, "eu", "52.31",  "4.76"    }, /* Amsterdam */
    { "arn", NULL, "eu", "59.65",  "17.92"   }, /* Stockholm */
    { "bom", NULL, "in", "19.09",  "72.87"   }, /* Mumbai */
    { "cdg", NULL, "eu", "49.01",  "2.55"    }, /* Paris */
    { "dub", NULL, "eu", "53.42",  "-6.27"   }, /* Dublin */
    { "icn", NULL, "kr", "37.46",  "126.44"  }, /* Seoul */
    { "jnb", NULL, "za", "-26.13", "28.24"   }, /* Johannesburg */
    { "lhr", NULL, "uk", "51.47",  "-0.45"   }, /* London */
    { "nrt", NULL, "jp", "35.77",  "140.39"  }, /* Tokyo */
    { "ord", NULL, "us", "41.98",  "-87.90"  }, /* Chicago */
    { "pdx", NULL, "us", "45.59",  "-122.60" }, /* Oregon */
    { "syd", NULL, "au", "-33.95", "151.18"  }, /* Sydney */
    { "yul", NULL, "ca", "45.47",  "-73.74"  }, /* Montréal */
};
/* clang-format on */

const struct known_place *place_find(const char *name)
{
    for (size_t i = 0; i < COUNT(PLACES); i++)
        if (strcmp(PLACES[i].name, name) == 0)
            return &PLACES[i];
    return NULL;
}
