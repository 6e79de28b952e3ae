/* Card: this region's own, as text. */
#ifndef CLI_CARD_H
#define CLI_CARD_H

#include "cli/cli.h"
#include "core/buf.h"
#include "core/config.h"

/* Append what the others must know of the region that a configuration names. Anything but CLI_OK
 * has been said. */
enum cli_exit card_of(const struct config *config, struct buf *out);

#endif
