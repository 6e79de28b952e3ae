/* Config check: the settings that core/config keeps as text, judged as what they are: subnets, name
 * servers, a URL, certificates.
 *
 * `posthaste serve` and `posthaste config check` ask it both, so that neither passes what the other
 * refuses. Blocks; for start-up and for commands. */
#ifndef WIRE_CONFIG_CHECK_H
#define WIRE_CONFIG_CHECK_H

#include "core/config.h"

/* ERR_INVALID, or an error of reading a file: `why` then says in one line where the first setting
 * stands that can't be used, and what is wrong with it. */
MUST_USE enum err config_check(const struct config *config, char why[CONFIG_WHY_MAX]);

#endif
