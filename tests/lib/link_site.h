/* Link site: a region's link on the loop of a store fixture, with a certificate, a keyring and who
 * sees its health. */
#ifndef TESTS_LIB_LINK_SITE_H
#define TESTS_LIB_LINK_SITE_H

#include "region/link.h"
#include "tests/lib/certificates.h"
#include "tests/lib/store_fixture.h"

struct link_site {
    const char *name;
    struct store_fixture *f;
    struct made_certificate made;
    struct keyring *keyring;
    struct egress *egress; /* everything is allowed */
    struct topology *topology;
    struct health_board board;
    struct health_follower watch;
    struct task left;
    bool has_left, closed;
    struct link *link; /* NULL once it is closed */
};

/* `name` and `f` are borrowed. */
void link_site_start(struct link_site *site, const char *name, struct store_fixture *f);

/* As a card has it; `jurisdictions` between commas, `link_url` NULL: it isn't reached. */
struct region link_site_region(const struct link_site *site, const char *jurisdictions,
                               const char *link_url);

/* The topology is the site's from now on; it listens at `address`, NULL: nowhere. What more
 * `options` say is kept. */
void link_site_open(struct link_site *site, struct topology *topology, const char *address,
                    struct link_options options);

/* The link alone; closing once more does nothing. */
void link_site_close(struct link_site *site);
void link_site_reopen(struct link_site *site, const char *address, struct link_options options);
void link_site_stop(struct link_site *site);

/* How it sees the region of that name. */
const struct region_condition *link_site_sees(const struct link_site *site, const char *name);

#endif
