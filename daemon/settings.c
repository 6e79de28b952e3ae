#include "daemon/settings.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "signer/certificate.h"
#include "signer/regions.h"
#include "wire/config_check.h"

static bool load_keyring(struct settings *settings);
static bool check(const struct config *config);
static bool load_topology(struct settings *settings);
static bool check_link_key(const struct settings *settings);
static void make_egress(struct settings *settings);

bool settings_load(const struct config_sources *sources, struct settings *out)
{
    char why[CONFIG_WHY_MAX];

    *out = (struct settings){ 0 };
    if (config_load(sources, &out->config, why) != ERR_OK) {
        fprintf(stderr, "posthaste: %s\n", why);
        return false;
    }
    if (load_keyring(out) && check(out->config) && load_topology(out) && check_link_key(out)) {
        make_egress(out);
        return true;
    }
    settings_fini(out);
    return false;
}

void settings_fini(struct settings *settings)
{
    text_list_fini(&settings->left_out);
    topology_free(settings->topology);
    egress_free(settings->egress);
    keyring_free(settings->keyring);
    config_free(settings->config);
    *settings = (struct settings){ 0 };
}

static bool load_keyring(struct settings *settings)
{
    char why[CONFIG_WHY_MAX];

    if (keyring_load(settings->config, &settings->keyring, why) == ERR_OK)
        return true;
    fprintf(stderr, "posthaste: %s\n", why);
    return false;
}

static bool check(const struct config *config)
{
    char why[CONFIG_WHY_MAX];

    if (config_check(config, why) == ERR_OK)
        return true;
    fprintf(stderr, "posthaste: %s\n", why);
    return false;
}

static bool load_topology(struct settings *settings)
{
    char why[CONFIG_WHY_MAX];

    if (regions_load_good(settings->config, &settings->topology, &settings->left_out, why) ==
        ERR_OK)
        return true;
    fprintf(stderr, "posthaste: %s\n", why);
    return false;
}

/* Who has peers must be able to show them who it is. */
static bool check_link_key(const struct settings *settings)
{
    struct buf key = BUF_INIT(CERTIFICATE_PEM_MAX);
    char why[CONFIG_WHY_MAX];

    if (settings->topology->count == 1)
        return true;
    enum err err = regions_read_key(settings->config, settings->topology, &key, why);
    if (err)
        fprintf(stderr, "posthaste: %s\n", why);
    if (key.bytes)
        explicit_bzero(key.bytes, key.len);
    buf_fini(&key);
    return !err;
}

static void make_egress(struct settings *settings)
{
    const struct text_list *subnets = &settings->config->delivery.allow_subnets;
    const char *bad;
    enum err err = egress_new(subnets, &settings->egress, &bad);

    assert(!err); /* they were checked */
    (void)err;
}
