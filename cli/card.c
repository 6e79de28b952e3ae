#include "cli/card.h"

#include "cli/say.h"
#include "core/region_card.h"
#include "signer/regions.h"

static enum cli_exit write_card(const struct region *self, const struct config *config,
                                struct buf *out)
{
    if (!self->certificate_pem) {
        say("%s: isn't there; make it with posthaste region certificate create",
            config->region.certificate_file);
        return CLI_FAILED;
    }
    if (region_card_write(self, out) == ERR_OK)
        return CLI_OK;
    say("the card would be too long");
    return CLI_FAILED;
}

enum cli_exit card_of(const struct config *config, struct buf *out)
{
    struct text_list others = { 0 }; /* whose cards aren't good: they don't matter here */
    struct topology *topology;
    char why[CONFIG_WHY_MAX];

    if (regions_load_good(config, &topology, &others, why) != ERR_OK) {
        say("%s", why);
        return CLI_USAGE;
    }
    enum cli_exit exit = write_card(topology_self(topology), config, out);
    text_list_fini(&others);
    topology_free(topology);
    return exit;
}
