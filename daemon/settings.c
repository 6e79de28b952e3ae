#include "daemon/settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "signer/certificate.h"
#include "signer/regions.h"
#include "wire/courier.h"

static bool load_keyring(struct settings *settings);
static bool load_egress(struct settings *settings);
static bool load_topology(struct settings *settings);
static bool check_link_key(const struct settings *settings);
static bool check_ca_file(const struct config *config);
static bool check_portal(const struct config *config);

bool settings_load(const struct config_sources *sources, struct settings *out)
{
    char why[CONFIG_WHY_MAX];

    *out = (struct settings){ 0 };
    if (config_load(sources, &out->config, why) != ERR_OK) {
        fprintf(stderr, "posthaste: %s\n", why);
        return false;
    }
    if (load_keyring(out) && load_egress(out) && load_topology(out) && check_link_key(out) &&
        check_ca_file(out->config) && check_portal(out->config))
        return true;
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

static bool load_egress(struct settings *settings)
{
    const struct text_list *subnets = &settings->config->delivery.allow_subnets;
    const char *bad;
    char why[CONFIG_WHY_MAX];

    if (egress_new(subnets, &settings->egress, &bad) == ERR_OK)
        return true;
    snprintf(why, sizeof(why), "'%s' is not a subnet such as 10.0.0.0/8", bad);
    settings_complain(settings->config, "delivery.allow_subnets", why);
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

static bool check_ca_file(const struct config *config)
{
    if (!config->delivery.ca_file || access(config->delivery.ca_file, R_OK) == 0)
        return true;
    settings_complain(config, "delivery.ca_file", strerror(errno));
    return false;
}

/* A token is put behind it with a '#'. */
static bool check_portal(const struct config *config)
{
    const char *url = config->portal.url, *why = "is too long";
    struct buf normal = BUF_INIT(URL_LEN_MAX);

    if (!url)
        return true;
    enum err err = courier_url(url, &normal, &why);
    buf_fini(&normal);
    if (!err && !strchr(url, '#'))
        return true;
    settings_complain(config, "portal.url", err ? why : "must have no '#'");
    return false;
}

struct complaint {
    const char *key, *why;
};

static void on_setting(const char *key, const char *value, const char *source, void *ctx)
{
    const struct complaint *complaint = ctx;

    (void)value;
    if (strcmp(key, complaint->key) == 0)
        fprintf(stderr, "posthaste: %s: %s: %s\n", source, key, complaint->why);
}

void settings_complain(const struct config *config, const char *key, const char *why)
{
    struct complaint complaint = { key, why };

    config_each(config, on_setting, &complaint);
}
