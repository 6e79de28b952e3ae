/* Linked: two regions over real TLS, whose stores are fixtures of the journals: fra listens, iad asks
 * it and isn't reached itself. Both are of eu, fra of fr as well. */
#ifndef TESTS_LIB_LINKED_H
#define TESTS_LIB_LINKED_H

#include "signer/signer.h"
#include "tests/lib/journals.h"
#include "tests/lib/link_site.h"

#define FRA   0
#define IAD   1
#define SITES 2

#define LINKED_AUDIT_MS 20 /* from one comparison of iad's with fra to the next */

struct linked {
    struct journals_world *journals;
    struct link_site sites[SITES];
};

/* For cmocka: `*state` is the regions. */
int linked_start(void **state);
int linked_stop(void **state);

/* Once around all loops. */
void linked_turn(struct linked *w);

enum region_state linked_seen_by(const struct linked *w, size_t by, const char *which);

/* An application that lives in fra, and an endpoint of it whose secret fra has sealed. */
struct id linked_application(struct linked *w, const char *jurisdiction);
struct id linked_endpoint(struct linked *w, const struct id *application,
                          const struct secret *secret);

#endif
