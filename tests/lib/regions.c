#include "tests/lib/regions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/count.h"
#include "core/mem.h"

#define URL_ROOM (REGION_NAME_LEN_MAX + 16)

static void require(bool ok, const char *what, const char *about)
{
    if (ok)
        return;
    fprintf(stderr, "regions: %s: %s\n", about, what);
    abort();
}

/* Each word of `text` between `separator`s, in turn; NULL at the end. */
static char *next_word(const char **text, char separator)
{
    const char separators[] = { separator, '\0' };
    size_t len = strcspn(*text, separators);
    char *word = len > 0 ? xmemdup(*text, len) : NULL;

    *text += len + ((*text)[len] == separator);
    return word;
}

static struct region read_region(const char *words)
{
    struct region region = { .ordinal = 0 };
    char url[URL_ROOM], *name = next_word(&words, ' '), *ordinal = next_word(&words, ' ');

    snprintf(region.name, sizeof region.name, "%s", name);
    snprintf(url, sizeof url, "http://%s.test", name);
    region.ordinal = (uint8_t)strtoul(ordinal, NULL, 10);
    region.public_url = xstrdup(url);
    free(name);
    free(ordinal);
    for (char *word; (word = next_word(&words, ',')); free(word))
        text_list_add(&region.jurisdictions, word, strlen(word));
    return region;
}

struct topology *regions_topology(const char *const *regions, size_t count, const char *self)
{
    struct region all[REGIONS_MAX];
    struct topology_fault fault = { .region = 0 };
    struct topology *t = NULL;
    size_t at = count;

    for (size_t i = 0; i < count; i++) {
        all[i] = read_region(regions[i]);
        if (strcmp(all[i].name, self) == 0)
            at = i;
    }
    require(at < count, "not among them", self);
    require(topology_new(all, count, at, &t, &fault) == ERR_OK, fault.why, self);
    return t;
}

struct topology *regions_five(const char *self)
{
    static const char *const regions[] = {
        "fra 1 eu", "iad 2 us", "sin 3 sg", "gru 4 br", "dub 7 eu",
    };

    return regions_topology(regions, COUNT(regions), self);
}

region_set regions_set(const struct topology *t, const char *names)
{
    region_set set = REGION_SET_NONE;

    for (char *name; (name = next_word(&names, ' ')); free(name)) {
        const struct region *region = topology_by_name(t, name);
        require(region != NULL, "no such region", name);
        set |= region_set_of(topology_index(t, region));
    }
    return set;
}
