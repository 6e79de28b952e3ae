#include "region/route_what_if.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/count.h"
#include "core/explain.h"

#define WORD_MAX    64 /* bytes of one item */
#define TIME_MAX_MS (60 * 60 * 1000)

/* One item, taken apart: "rtt.sin=20" and "region=sin:down" are key, name and value. */
struct item {
    char key[WORD_MAX], name[WORD_MAX], value[WORD_MAX];
};

static bool take_part(const char **text, const char *ends, char out[WORD_MAX])
{
    size_t len = strcspn(*text, ends);

    if (len == 0 || len >= WORD_MAX || (*text)[len] != ends[0])
        return false;
    memcpy(out, *text, len);
    out[len] = '\0';
    *text += len + 1;
    return true;
}

static bool read_item(const char *text, struct item *out)
{
    bool is_dotted = text[strcspn(text, ".=")] == '.';

    if (!take_part(&text, is_dotted ? ".=" : "=", out->key) ||
        !take_part(&text, is_dotted ? "=" : ":", out->name) || *text == '\0' ||
        strlen(text) >= WORD_MAX)
        return false;
    snprintf(out->value, sizeof out->value, "%s", text);
    return true;
}

/* "20", "0.4" as microseconds. */
static bool read_ms(const char *text, uint32_t *out_us)
{
    uint64_t us = 0;
    unsigned scale = 1000;

    if (!isdigit((unsigned char)*text))
        return false;
    for (; isdigit((unsigned char)*text) && us <= TIME_MAX_MS; text++)
        us = us * 10 + (uint64_t)(*text - '0');
    us *= 1000;
    if (*text == '.' && text[1] == '\0')
        return false;
    if (*text == '.')
        for (text++; isdigit((unsigned char)*text) && scale > 1; text++) {
            scale /= 10;
            us += (uint64_t)(*text - '0') * scale;
        }
    *out_us = (uint32_t)us;
    return *text == '\0' && us <= (uint64_t)TIME_MAX_MS * 1000;
}

static bool set_region(struct route_inputs *in, size_t region, const char *value)
{
    struct route_region *r = &in->regions[region];
    bool is_self = r->state == REGION_SELF;

    r->draining = false;
    if (strcmp(value, "up") == 0)
        r->state = is_self ? REGION_SELF : REGION_ALIVE;
    else if (strcmp(value, "down") == 0)
        r->state = REGION_DEAD;
    else if (strcmp(value, "draining") == 0)
        r->draining = true;
    else
        return false;
    return true;
}

static bool set_circuit(struct route_inputs *in, size_t region, const char *value)
{
    in->regions[region].path.open = strcmp(value, "open") == 0;
    return in->regions[region].path.open || strcmp(value, "closed") == 0;
}

/* The server takes as long as it does. */
static bool set_rtt(struct route_inputs *in, size_t region, const char *value)
{
    struct path_view *path = &in->regions[region].path;
    uint32_t us;

    if (!read_ms(value, &us))
        return false;
    if (path->first_byte_count > 0) {
        uint64_t server_us =
            path->first_byte_us > path->rtt_us ? path->first_byte_us - path->rtt_us : 0;
        uint64_t first_byte_us = server_us + us;
        path->first_byte_us = first_byte_us < UINT32_MAX ? (uint32_t)first_byte_us : UINT32_MAX;
    }
    path->source = PATH_SUPPOSED;
    path->rtt_us = us;
    path->age_s = 0;
    return true;
}

static bool set_link(struct route_inputs *in, size_t region, const char *value)
{
    uint32_t us;

    if (!read_ms(value, &us) || us == 0 || in->home == ROUTE_NOWHERE || region == in->home)
        return false;
    in->link_us[in->home][region] = in->link_us[region][in->home] = us;
    return true;
}

static bool set_queue(struct route_inputs *in, size_t region, const char *value)
{
    return read_ms(value, &in->regions[region].queue_us);
}

static const struct supposition {
    const char *key;
    bool is_dotted; /* key.NAME=value, else key=NAME:value */
    bool (*set)(struct route_inputs *in, size_t region, const char *value);
} SUPPOSITIONS[] = {
    { "region", false, set_region }, { "circuit", false, set_circuit },
    { "rtt", true, set_rtt },        { "link", true, set_link },
    { "queue", true, set_queue },
};

static const struct supposition *find(const char *text, const struct item *item)
{
    bool is_dotted = text[strcspn(text, ".=")] == '.';

    for (size_t i = 0; i < COUNT(SUPPOSITIONS); i++)
        if (strcmp(SUPPOSITIONS[i].key, item->key) == 0 &&
            SUPPOSITIONS[i].is_dotted == is_dotted)
            return &SUPPOSITIONS[i];
    return NULL;
}

static size_t find_region(const struct route_inputs *in, const char *name)
{
    for (size_t i = 0; i < in->count; i++)
        if (strcmp(in->regions[i].name, name) == 0)
            return i;
    return ROUTE_NOWHERE;
}

static enum err suppose(const char *text, struct route_inputs *in, char why[ROUTE_WHY_MAX])
{
    const struct supposition *supposition = NULL;
    struct item item;

    if (read_item(text, &item))
        supposition = find(text, &item);
    if (!supposition) {
        explain(why, ROUTE_WHY_MAX,
                "\"%.64s\": expected region=NAME:up|down|draining, circuit=NAME:open|closed, "
                "rtt.NAME=MS, link.NAME=MS or queue.NAME=MS",
                text);
        return ERR_INVALID;
    }
    size_t region = find_region(in, item.name);
    if (region == ROUTE_NOWHERE) {
        explain(why, ROUTE_WHY_MAX, "no region is called \"%.64s\"", item.name);
        return ERR_INVALID;
    }
    if (supposition->set(in, region, item.value))
        return ERR_OK;
    explain(why, ROUTE_WHY_MAX, "\"%.64s\" can't be", text);
    return ERR_INVALID;
}

enum err route_what_if(const char *text, struct route_inputs *in, char why[ROUTE_WHY_MAX])
{
    struct route_inputs supposed = *in;
    enum err err = ERR_OK;

    if (strlen(text) > ROUTE_WHAT_IF_MAX) {
        explain(why, ROUTE_WHY_MAX, "at most %d bytes are allowed", ROUTE_WHAT_IF_MAX);
        return ERR_INVALID;
    }
    while (*text && !err) {
        char one[2 * WORD_MAX];
        size_t len = strcspn(text, ",");

        snprintf(one, sizeof one, "%.*s", (int)len, text);
        err = len < sizeof one ? suppose(one, &supposed, why) : ERR_INVALID;
        if (len >= sizeof one)
            explain(why, ROUTE_WHY_MAX, "\"%.64s…\" is too long", one);
        text += len + (text[len] == ',');
    }
    if (!err)
        *in = supposed;
    return err;
}
