/* Settings: what the daemon makes of its configuration before it opens anything. */
#ifndef DAEMON_SETTINGS_H
#define DAEMON_SETTINGS_H

#include <stdbool.h>

#include "core/config.h"
#include "core/topology.h"
#include "signer/keyring.h"
#include "wire/egress.h"

struct settings {
    struct config *config;
    struct keyring *keyring;
    struct egress *egress;
    struct topology *topology;
    struct text_list left_out; /* the cards that aren't in it, and why */
};

/* False when something is wrong, and it has been said. */
bool settings_load(const struct config_sources *sources, struct settings *out);
void settings_fini(struct settings *settings);

#endif
