#include "tests/lib/linked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/mem.h"
#include "signer/seal.h"

#define URL_ROOM 64

void linked_turn(struct linked *w)
{
    for (size_t i = 0; i < SITES; i++)
        uv_run(&w->sites[i].f->loop.uv, UV_RUN_NOWAIT);
}

/* Both are of eu, fra of fr as well. */
static struct topology *topology_of(struct linked *w, size_t self, const char *fra_url)
{
    struct region regions[SITES] = {
        link_site_region(&w->sites[FRA], "eu,fr", fra_url),
        link_site_region(&w->sites[IAD], "eu", NULL),
    };
    struct topology_fault fault;
    struct topology *t;

    assert_int_equal(topology_new(regions, SITES, self, &t, &fault), ERR_OK);
    return t;
}

int linked_start(void **state)
{
    static const char *const NAMES[SITES] = { "fra", "iad" };
    const struct link_options usual = { .audit_ms = LINKED_AUDIT_MS };
    struct linked *w = xcalloc(1, sizeof *w);
    char url[URL_ROOM];

    journals_start((void **)&w->journals);
    for (size_t i = 0; i < SITES; i++)
        link_site_start(&w->sites[i], NAMES[i], &w->journals->f[i]);
    link_site_open(&w->sites[FRA], topology_of(w, FRA, NULL), "127.0.0.1", usual);
    snprintf(url, sizeof url, "https://127.0.0.1:%u", link_port(w->sites[FRA].link));
    link_site_open(&w->sites[IAD], topology_of(w, IAD, url), NULL, usual);
    *state = w;
    return 0;
}

int linked_stop(void **state)
{
    struct linked *w = *state;

    for (size_t i = SITES; i-- > 0;)
        link_site_stop(&w->sites[i]);
    journals_stop((void **)&w->journals);
    free(w);
    return 0;
}

enum region_state linked_seen_by(const struct linked *w, size_t by, const char *which)
{
    return link_site_sees(&w->sites[by], which)->state;
}

struct id linked_application(struct linked *w, const char *jurisdiction)
{
    struct application *a = journals_application(w->sites[FRA].f, jurisdiction);
    struct id id = a->base.id;

    free(a->residency.jurisdiction);
    a->residency.jurisdiction = xstrdup(jurisdiction);
    store_fixture_put(w->sites[FRA].f, &a->base);
    return id;
}

struct id linked_endpoint(struct linked *w, const struct id *application,
                          const struct secret *secret)
{
    struct endpoint *e = store_fixture_endpoint(w->sites[FRA].f, application, "hook");
    struct id id = e->base.id;

    bytes_fini(&e->secrets[0].sealed);
    seal_secret(w->sites[FRA].keyring, e, secret, &e->secrets[0].sealed);
    store_fixture_put(w->sites[FRA].f, &e->base);
    return id;
}
