#include "wire/config_check.h"

#include <stdio.h>
#include <string.h>

#include "core/count.h"
#include "core/explain.h"
#include "wire/courier.h"
#include "wire/egress.h"
#include "wire/resolver.h"
#include "wire/tls_authorities.h"

static enum err check_subnets(const struct config *config, char what[CONFIG_WHY_MAX])
{
    struct egress *egress = NULL;
    const char *bad;
    enum err err = egress_new(&config->delivery.allow_subnets, &egress, &bad);

    if (err)
        snprintf(what, CONFIG_WHY_MAX, "'%s' is not a subnet such as 10.0.0.0/8", bad);
    egress_free(egress);
    return err;
}

static enum err check_authorities(const struct config *config, char what[CONFIG_WHY_MAX])
{
    const char *path = config->delivery.ca_file, *why;

    if (!path)
        return ERR_OK;
    enum err err = tls_authorities_check(path, &why);
    if (err)
        snprintf(what, CONFIG_WHY_MAX, "%s: %s", path, why);
    return err;
}

static enum err check_name_servers(const struct config *config, char what[CONFIG_WHY_MAX])
{
    const char *servers = config->delivery.name_servers;

    if (!servers || resolver_takes(servers))
        return ERR_OK;
    snprintf(what, CONFIG_WHY_MAX, "expected ADDRESS:PORT, several with commas, not \"%.64s\"",
             servers);
    return ERR_INVALID;
}

/* A token is put behind it with a '#'. */
static enum err check_portal(const struct config *config, char what[CONFIG_WHY_MAX])
{
    const char *url = config->portal.url, *why = "is too long";
    struct buf normal = BUF_INIT(URL_LEN_MAX);

    if (!url)
        return ERR_OK;
    enum err err = courier_url(url, &normal, &why);
    buf_fini(&normal);
    if (!err && strchr(url, '#')) {
        err = ERR_INVALID;
        why = "must have no '#'";
    }
    if (err)
        snprintf(what, CONFIG_WHY_MAX, "%s", why);
    return err;
}

enum err config_check(const struct config *config, char why[CONFIG_WHY_MAX])
{
    static const struct {
        const char *key;
        enum err (*check)(const struct config *config, char what[CONFIG_WHY_MAX]);
    } rows[] = {
        { "delivery.allow_subnets", check_subnets },
        { "delivery.ca_file", check_authorities },
        { "delivery.name_servers", check_name_servers },
        { "portal.url", check_portal },
    };
    char what[CONFIG_WHY_MAX];

    for (size_t i = 0; i < COUNT(rows); i++) {
        enum err err = rows[i].check(config, what);
        if (err) {
            explain(why, CONFIG_WHY_MAX, "%s: %s: %s", config_source(config, rows[i].key),
                    rows[i].key, what);
            return err;
        }
    }
    return ERR_OK;
}
