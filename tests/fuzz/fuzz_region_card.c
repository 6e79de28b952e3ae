/* Bytes from a stranger as a region's card.
 *
 * Holds: what is refused is explained in one line; what is accepted is a region, and its card says
 * the same again. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/region_card.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct region *region)
{
    struct buf text = BUF_INIT(2 * REGION_CARD_LEN_MAX),
               again = BUF_INIT(2 * REGION_CARD_LEN_MAX);
    char why[REGION_CARD_WHY_MAX];
    struct region_card card;

    if (region_card_write(region, &text) != ERR_OK)
        abort();
    if (text.len <= REGION_CARD_LEN_MAX) {
        if (region_card_read("card", buf_text(&text), text.len, &card, why) != ERR_OK ||
            region_card_write(&card.region, &again) != ERR_OK)
            abort();
        assert(strcmp(buf_text(&text), buf_text(&again)) == 0);
        region_fini(&card.region);
    }
    buf_fini(&text);
    buf_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[REGION_CARD_WHY_MAX] = "";
    struct topology_fault fault;
    struct region_card card;

    if (region_card_read("card", (const char *)data, size, &card, why) != ERR_OK) {
        assert(*why && !strchr(why, '\n'));
        return 0;
    }
    if (region_check(&card.region, &fault) != ERR_OK)
        abort();
    check_again(&card.region);
    region_fini(&card.region);
    return 0;
}
