#include "signer/regions.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "core/explain.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/region_card.h"
#include "signer/certificate.h"

#define SUFFIX ".yaml"

static_assert(CONFIG_WHY_MAX == REGION_CARD_WHY_MAX, "one explanation holds the other");

/* This region and its peers, one more than there may be so that too many are noticed, and last
 * the card that is tried, so that it is the one to blame. */
#define ROLL_MAX (REGIONS_MAX + 2)

struct roll {
    size_t count;
    struct region_card cards[ROLL_MAX];
    char *sources[ROLL_MAX];
    char *why;
    struct text_list *left_out; /* NULL: no card may be */
};

static enum err add_self(struct roll *roll, const struct config *config);
static enum err add_folder(struct roll *roll, const char *folder, const char *except);
static enum err add_file(struct roll *roll, const char *folder, const char *name);
static void add_card(struct roll *roll, const char *source, const struct region_card *card);
static enum err take_certificate(struct roll *roll, const char *source,
                                 struct region_card *card);
static enum err make_topology(struct roll *roll, struct topology **out);
static void roll_fini(struct roll *roll);

enum err regions_load(const struct config *config, struct topology **out,
                      char why[CONFIG_WHY_MAX])
{
    return regions_load_good(config, out, NULL, why);
}

enum err regions_load_good(const struct config *config, struct topology **out,
                           struct text_list *left_out, char why[CONFIG_WHY_MAX])
{
    struct roll roll = { .why = why, .left_out = left_out };

    if (!config->region.name) {
        *out = topology_new_single();
        return ERR_OK;
    }
    enum err err = add_self(&roll, config);
    if (!err)
        err = add_folder(&roll, config->peers_dir, NULL);
    if (!err)
        err = make_topology(&roll, out);
    roll_fini(&roll);
    return err;
}

enum err regions_try(const struct config *config, const char *source, const struct buf *text,
                     struct topology **out, char why[CONFIG_WHY_MAX])
{
    struct roll roll = { .why = why };
    struct region_card card;
    enum err err = region_card_read(source, buf_text(text), text->len, &card, why);

    if (err)
        return err;
    err = add_self(&roll, config);
    if (!err)
        err = add_folder(&roll, config->peers_dir, card.region.name);
    if (!err)
        err = take_certificate(&roll, source, &card);
    add_card(&roll, source, &card);
    if (!err)
        err = make_topology(&roll, out);
    roll_fini(&roll);
    return err;
}

/* Its certificate isn't there before `posthaste region certificate create`. */
static enum err add_self(struct roll *roll, const struct config *config)
{
    const char *path = config->region.certificate_file;
    struct region_card card = { .region = config_region(config) };
    struct buf pem = BUF_INIT(CERTIFICATE_PEM_MAX);
    struct certificate certificate;
    const char *why = NULL;
    enum err err = file_read_all(path, &pem, NULL);

    if (err == ERR_NOT_FOUND)
        err = ERR_OK;
    else if (err)
        why = err_text(err);
    else if ((err = certificate_read(buf_text(&pem), &certificate, &why)) == ERR_OK &&
             strcmp(certificate.name, card.region.name) != 0)
        why = "is another region's";
    if (why)
        explain(roll->why, CONFIG_WHY_MAX, "%s: %s", path, why);
    else if (pem.len > 0) {
        card.region.certificate_pem = xstrdup(buf_text(&pem));
        memcpy(card.region.certificate_sha256, certificate.sha256, REGION_DIGEST_LEN);
    }
    buf_fini(&pem);
    add_card(roll, config_source(config, "region.name"), &card);
    return why && !err ? ERR_INVALID : err;
}

static void add_card(struct roll *roll, const char *source, const struct region_card *card)
{
    roll->cards[roll->count] = *card;
    roll->sources[roll->count++] = xstrdup(source);
}

/* Whether the file called `name` is where the region's card is. */
static bool is_called(const char *name, const char *region)
{
    size_t len = strlen(region);

    return strncmp(name, region, len) == 0 && strcmp(name + len, SUFFIX) == 0;
}

/* Whether the card that `why` is about may be. */
static bool leave_out(struct roll *roll)
{
    if (roll->left_out)
        text_list_add(roll->left_out, roll->why, strlen(roll->why));
    return roll->left_out != NULL;
}

static enum err add_folder(struct roll *roll, const char *folder, const char *except)
{
    struct text_list names = { 0 };
    enum err err = file_list(folder, SUFFIX, &names);

    if (err && err != ERR_NOT_FOUND)
        explain(roll->why, CONFIG_WHY_MAX, "%s: can't be read: %s", folder, err_text(err));
    else
        err = ERR_OK;
    for (size_t i = 0; i < names.count && roll->count <= REGIONS_MAX && !err; i++) {
        if (!except || !is_called(names.items[i], except))
            err = add_file(roll, folder, names.items[i]);
        if (err && leave_out(roll))
            err = ERR_OK;
    }
    text_list_fini(&names);
    return err;
}

static enum err read_card(const char *path, struct region_card *out, char *why)
{
    struct buf text = BUF_INIT(REGION_CARD_LEN_MAX);
    enum err err = file_read_all(path, &text, NULL);

    if (err == ERR_LIMIT)
        explain(why, CONFIG_WHY_MAX, "%s: is larger than %d bytes", path, REGION_CARD_LEN_MAX);
    else if (err)
        explain(why, CONFIG_WHY_MAX, "%s: can't be read: %s", path, err_text(err));
    else
        err = region_card_read(path, buf_text(&text), text.len, out, why);
    buf_fini(&text);
    return err;
}

static enum err add_file(struct roll *roll, const char *folder, const char *name)
{
    static const struct topology_fault misnamed = { .field = REGION_NAME,
                                                    .why = "isn't what the file is called" };
    char path[PATH_MAX];
    struct region_card card;

    if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, name) >= sizeof path) {
        explain(roll->why, CONFIG_WHY_MAX, "%s: too long a path", folder);
        return ERR_LIMIT;
    }
    enum err err = read_card(path, &card, roll->why);
    if (err)
        return err;
    if (is_called(name, card.region.name)) {
        err = take_certificate(roll, path, &card);
    } else {
        region_card_explain(path, &card, &misnamed, roll->why);
        err = ERR_INVALID;
    }
    if (err)
        region_fini(&card.region);
    else
        add_card(roll, path, &card);
    return err;
}

/* The card's certificate must be made for the region that it describes. */
static enum err take_certificate(struct roll *roll, const char *source,
                                 struct region_card *card)
{
    struct topology_fault fault = { .field = REGION_CERTIFICATE };
    struct region *region = &card->region;
    struct certificate certificate;
    const char *why;

    if (!region->certificate_pem)
        return ERR_OK;
    if (certificate_read(region->certificate_pem, &certificate, &why) != ERR_OK) {
        snprintf(fault.why, sizeof fault.why, "%s", why);
    } else if (strcmp(certificate.name, region->name) != 0) {
        snprintf(fault.why, sizeof fault.why, "is that of region %s", certificate.name);
    } else {
        memcpy(region->certificate_sha256, certificate.sha256, REGION_DIGEST_LEN);
        return ERR_OK;
    }
    region_card_explain(source, card, &fault, roll->why);
    return ERR_INVALID;
}

/* `*out_at`: whose fault it is, when it can't be. */
static enum err try_topology(struct roll *roll, struct topology **out, size_t *out_at)
{
    struct region regions[ROLL_MAX];
    struct topology_fault fault;

    for (size_t i = 0; i < roll->count; i++)
        regions[i] = roll->cards[i].region;
    enum err err = topology_new(regions, roll->count, 0, out, &fault);
    if (err) {
        *out_at = fault.region;
        region_card_explain(roll->sources[fault.region], &roll->cards[fault.region], &fault,
                            roll->why);
        return err;
    }
    for (size_t i = 0; i < roll->count; i++)
        roll->cards[i].region = (struct region){ .ordinal = 0 }; /* the topology's now */
    return ERR_OK;
}

static void drop_card(struct roll *roll, size_t at)
{
    region_fini(&roll->cards[at].region);
    free(roll->sources[at]);
    roll->count--;
    for (; at < roll->count; at++) {
        roll->cards[at] = roll->cards[at + 1];
        roll->sources[at] = roll->sources[at + 1];
    }
}

/* Without this region itself, which is the first, there is none. */
static enum err make_topology(struct roll *roll, struct topology **out)
{
    size_t at = 0;
    enum err err;

    while ((err = try_topology(roll, out, &at)) != ERR_OK && at > 0 && leave_out(roll))
        drop_card(roll, at);
    return err;
}

static void roll_fini(struct roll *roll)
{
    while (roll->count > 0)
        drop_card(roll, roll->count - 1);
}

enum err regions_read_key(const struct config *config, const struct topology *topology,
                          struct buf *out, char why[CONFIG_WHY_MAX])
{
    const char *certificate = topology_self(topology)->certificate_pem;

    if (!certificate) {
        explain(why, CONFIG_WHY_MAX,
                "%s: not found; `posthaste region certificate create` makes it",
                config->region.certificate_file);
        return ERR_NOT_FOUND;
    }
    enum err err = config_read_link_key(config, out, why);
    if (err || certificate_has_key(certificate, buf_text(out)))
        return err;
    explain(why, CONFIG_WHY_MAX, "%s: not the key to %s", config->region.key_file,
            config->region.certificate_file);
    return ERR_INVALID;
}
