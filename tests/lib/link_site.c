#include "tests/lib/link_site.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/mem.h"
#include "signer/certificate.h"
#include "wire/egress.h"

#define CLOSE_MS 1000

void link_site_start(struct link_site *site, const char *name, struct store_fixture *f)
{
    char master_key[MASTER_KEY_TEXT_MAX];

    *site = (struct link_site){ .name = name, .f = f };
    keyring_generate(master_key);
    assert_int_equal(keyring_new(master_key, &site->keyring), ERR_OK);
    site->made = make_region_certificate(name);
}

static void add_names(struct text_list *list, const char *names)
{
    while (*names) {
        size_t len = strcspn(names, ",");

        text_list_add(list, names, len);
        names += len + (names[len] == ',');
    }
}

struct region link_site_region(const struct link_site *site, const char *jurisdictions,
                               const char *link_url)
{
    struct region region = { .ordinal = site->f->ordinal,
                             .link_url = link_url ? xstrdup(link_url) : NULL,
                             .certificate_pem = xstrdup(buf_text(&site->made.certificate)) };
    struct certificate certificate;
    const char *why;

    snprintf(region.name, sizeof region.name, "%s", site->name);
    add_names(&region.jurisdictions, jurisdictions);
    assert_int_equal(certificate_read(region.certificate_pem, &certificate, &why), ERR_OK);
    memcpy(region.certificate_sha256, certificate.sha256, REGION_DIGEST_LEN);
    return region;
}

void link_site_open(struct link_site *site, struct topology *topology, const char *address,
                    struct link_options options)
{
    site->topology = topology;
    site->egress = egress_new_open();
    health_board_open(&site->board, topology);
    site->board.inbox = &site->f->inbox;
    site->watch.inbox = &site->f->inbox;
    health_follow(&site->board, &site->watch);
    link_site_reopen(site, address, options);
}

void link_site_reopen(struct link_site *site, const char *address, struct link_options options)
{
    site->closed = false;
    options.loop = &site->f->loop.uv;
    options.topology = site->topology;
    options.store = site->f->store;
    options.keyring = site->keyring;
    options.egress = site->egress;
    options.board = &site->board;
    options.certificate = buf_text(&site->made.certificate);
    options.key = buf_text(&site->made.key);
    options.address = address;
    assert_int_equal(link_open(&site->link, &options), ERR_OK);
}

static void on_closed(void *ctx)
{
    ((struct link_site *)ctx)->closed = true;
}

void link_site_close(struct link_site *site)
{
    if (!site->link)
        return;
    link_close(site->link, CLOSE_MS, on_closed, site);
    while (!site->closed)
        uv_run(&site->f->loop.uv, UV_RUN_ONCE);
    site->link = NULL;
}

static void on_left(struct task *left)
{
    container_of(left, struct link_site, left)->has_left = true;
}

void link_site_stop(struct link_site *site)
{
    link_site_close(site);
    site->left.run = on_left;
    health_unfollow(&site->watch, &site->left);
    while (!site->has_left)
        uv_run(&site->f->loop.uv, UV_RUN_ONCE);
    region_health_unref(site->watch.health);
    health_board_close(&site->board);
    topology_free(site->topology);
    keyring_free(site->keyring);
    egress_free(site->egress);
    made_certificate_fini(&site->made);
}

const struct region_condition *link_site_sees(const struct link_site *site, const char *name)
{
    const struct region *region = topology_by_name(site->topology, name);

    return &site->watch.health->regions[topology_index(site->topology, region)];
}
