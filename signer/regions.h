/* Regions: the topology that a configuration and the cards of its peers make.
 *
 * In peers_dir NAME.yaml is the card of the region NAME (region_card.h); what is called otherwise
 * is no card. Without region.name this region is alone, whatever is there.
 *
 * Blocks; for start-up and for commands. */
#ifndef SIGNER_REGIONS_H
#define SIGNER_REGIONS_H

#include "core/config.h"
#include "core/topology.h"

/* Errors of reading files, and ERR_INVALID, ERR_CONFLICT or ERR_LIMIT when a card is none or
 * doesn't go with the others; `why` then says which and where, in one line. */
MUST_USE enum err regions_load(const struct config *config, struct topology **out,
                               char why[CONFIG_WHY_MAX]);

/* For a daemon: a card that is none, or doesn't go with this region or with a card before it in the
 * order of their names, is left out. `left_out` gets what `why` would have said of each. */
MUST_USE enum err regions_load_good(const struct config *config, struct topology **out,
                                    struct text_list *left_out, char why[CONFIG_WHY_MAX]);

/* As regions_load(), for a configuration with region.name, as if the card that `source` holds were there as
 * well, in place of one of its name. */
MUST_USE enum err regions_try(const struct config *config, const char *source,
                              const struct buf *text, struct topology **out,
                              char why[CONFIG_WHY_MAX]);

/* The private key to the certificate that this region shows on its link, as PEM, appended to
 * `out`; wipe it after use. Errors as config_read_link_key(); ERR_NOT_FOUND: there is no
 * certificate yet; ERR_INVALID: the key is another's. */
MUST_USE enum err regions_read_key(const struct config *config, const struct topology *topology,
                                   struct buf *out, char why[CONFIG_WHY_MAX]);

#endif
