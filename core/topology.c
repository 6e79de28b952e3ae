#include "core/topology.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "core/explain.h"
#include "core/mem.h"

#define EARTH_RADIUS_KM 6371.0088 /* mean radius R1, IUGG 1980 */
#define RADIANS         (3.14159265358979323846 / 180)

static_assert(REGIONS_MAX <= sizeof(region_set) * 8, "a bit for each region");

static const char *const FIELDS[] = {
    "name",      "ordinal",    "jurisdictions", "latitude",
    "longitude", "public_url", "link_url",      "certificate",
};

static_assert(sizeof FIELDS / sizeof *FIELDS == REGION_FIELDS, "FIELDS follows region_field");

const char *region_field_name(enum region_field field)
{
    return FIELDS[field];
}

bool region_name_is_valid(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return *name >= 'a' && *name <= 'z' && len <= REGION_NAME_LEN_MAX && name[len] == '\0';
}

static enum err find_fault(struct topology_fault *fault, enum err err, enum region_field field,
                           const char *format, ...) __attribute__((format(printf, 4, 5)));

static enum err find_fault(struct topology_fault *fault, enum err err, enum region_field field,
                           const char *format, ...)
{
    va_list args;

    va_start(args, format);
    explain_list(fault->why, sizeof fault->why, format, args);
    va_end(args);
    fault->field = field;
    return err;
}

static enum err check_jurisdictions(const struct text_list *names, struct topology_fault *fault)
{
    const enum region_field field = REGION_JURISDICTIONS;

    if (names->count == 0)
        return find_fault(fault, ERR_INVALID, field, "names none");
    if (names->count > REGION_JURISDICTIONS_MAX)
        return find_fault(fault, ERR_INVALID, field, "names more than %d",
                          REGION_JURISDICTIONS_MAX);
    for (size_t i = 0; i < names->count; i++) {
        if (!region_name_is_valid(names->items[i]))
            return find_fault(fault, ERR_INVALID, field, "\"%.64s\" is no jurisdiction's name",
                              names->items[i]);
        for (size_t j = 0; j < i; j++)
            if (strcmp(names->items[i], names->items[j]) == 0)
                return find_fault(fault, ERR_INVALID, field, "names %s twice", names->items[i]);
    }
    return ERR_OK;
}

/* False for what is no number, too. */
static bool is_within(double degrees, double most)
{
    return degrees >= -most && degrees <= most;
}

static enum err check_place(const struct region *region, struct topology_fault *fault)
{
    if (!region->has_place)
        return ERR_OK;
    if (!is_within(region->place.latitude, 90))
        return find_fault(fault, ERR_INVALID, REGION_LATITUDE,
                          "expected degrees from -90 to 90");
    if (!is_within(region->place.longitude, 180))
        return find_fault(fault, ERR_INVALID, REGION_LONGITUDE,
                          "expected degrees from -180 to 180");
    return ERR_OK;
}

/* Paths are put behind it, so it ends where one may begin; printable, without user info. */
static bool is_base_url(const char *url, const char *scheme)
{
    size_t scheme_len = strlen(scheme), len = strlen(url);

    if (len > REGION_URL_LEN_MAX || strncmp(url, scheme, scheme_len) != 0)
        return false;
    for (const char *c = url; *c; c++)
        if (*c <= ' ' || *c >= 0x7f || strchr("@?#\\\"<>", *c))
            return false;
    return url[scheme_len] != '\0' && url[scheme_len] != '/' && url[len - 1] != '/';
}

static enum err check_urls(const struct region *region, struct topology_fault *fault)
{
    const char *public = region->public_url, *link = region->link_url;

    if (public && !is_base_url(public, "https://") && !is_base_url(public, "http://"))
        return find_fault(fault, ERR_INVALID, REGION_PUBLIC_URL,
                          "expected http:// or https://, a host, and no '/' at the end");
    if (link && !is_base_url(link, "https://"))
        return find_fault(fault, ERR_INVALID, REGION_LINK_URL,
                          "expected https://, a host, and no '/' at the end");
    return ERR_OK;
}

/* Lines such as PEM has, and nothing around them; RFC 7468. */
static bool is_pem(const char *text)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----\n";

    if (strncmp(text, begin, sizeof begin - 1) != 0)
        return false;
    while (*text) {
        size_t len = strcspn(text, "\n");

        if (len == 0 || *text == ' ' || text[len] != '\n' ||
            strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                         "0123456789+/=- ") < len)
            return false;
        text += len + 1;
    }
    return true;
}

enum err region_check(const struct region *region, struct topology_fault *fault)
{
    if (!region_name_is_valid(region->name))
        return find_fault(fault, ERR_INVALID, REGION_NAME, REGION_NAME_WANTED);
    if (region->ordinal == 0)
        return find_fault(fault, ERR_INVALID, REGION_ORDINAL, "expected 1 to %d",
                          REGION_ORDINAL_MAX);
    enum err err = check_jurisdictions(&region->jurisdictions, fault);
    if (!err)
        err = check_place(region, fault);
    if (!err)
        err = check_urls(region, fault);
    if (!err && region->certificate_pem && !is_pem(region->certificate_pem))
        err = find_fault(fault, ERR_INVALID, REGION_CERTIFICATE, "expected a certificate, PEM");
    return err;
}

void region_fini(struct region *region)
{
    text_list_fini(&region->jurisdictions);
    free(region->public_url);
    free(region->link_url);
    free(region->certificate_pem);
    *region = (struct region){ .ordinal = 0 };
}

/* `region` against one that was there before it. */
static enum err check_pair(const struct region *other, const struct region *region,
                           struct topology_fault *fault)
{
    if (strcmp(region->name, other->name) == 0)
        return find_fault(fault, ERR_CONFLICT, REGION_NAME, "there is a region %s already",
                          region->name);
    if (region->ordinal == other->ordinal)
        return find_fault(fault, ERR_CONFLICT, REGION_ORDINAL, "%u is that of %s already",
                          region->ordinal, other->name);
    if (region->certificate_pem && other->certificate_pem &&
        memcmp(region->certificate_sha256, other->certificate_sha256, REGION_DIGEST_LEN) == 0)
        return find_fault(fault, ERR_CONFLICT, REGION_CERTIFICATE, "is that of %s already",
                          other->name);
    return ERR_OK;
}

/* Of two that don't go together the later one is to blame, but never this region: what an
 * operator adds is a peer. */
static enum err check_all(const struct region *regions, size_t count, size_t self,
                          struct topology_fault *fault)
{
    for (size_t i = 0; i < count; i++) {
        fault->region = i;
        enum err err = region_check(&regions[i], fault);
        if (!err && i != self)
            err = check_pair(&regions[self], &regions[i], fault);
        for (size_t j = 0; j < i && i != self && !err; j++)
            err = check_pair(&regions[j], &regions[i], fault);
        if (err)
            return err;
    }
    return ERR_OK;
}

/* Insertion: sixteen at most. */
static void add_in_order(struct topology *t, struct region *region)
{
    size_t i = t->count++;

    for (; i > 0 && t->regions[i - 1].ordinal > region->ordinal; i--)
        t->regions[i] = t->regions[i - 1];
    t->regions[i] = *region;
    *region = (struct region){ .ordinal = 0 };
}

enum err topology_new(struct region *regions, size_t count, size_t self, struct topology **out,
                      struct topology_fault *fault)
{
    assert(self < count);
    if (count > REGIONS_MAX) {
        fault->region = REGIONS_MAX;
        return find_fault(fault, ERR_LIMIT, REGION_NAME, "there are more than %d regions",
                          REGIONS_MAX);
    }
    enum err err = check_all(regions, count, self, fault);
    if (err)
        return err;

    struct topology *t = xcalloc(1, sizeof *t);
    uint8_t ordinal = regions[self].ordinal;
    for (size_t i = 0; i < count; i++)
        add_in_order(t, &regions[i]);
    t->self = topology_index(t, topology_by_ordinal(t, ordinal));
    *out = t;
    return ERR_OK;
}

struct topology *topology_new_single(void)
{
    struct topology *t = xcalloc(1, sizeof *t);

    t->count = 1;
    return t;
}

void topology_free(struct topology *topology)
{
    if (!topology)
        return;
    for (size_t i = 0; i < topology->count; i++)
        region_fini(&topology->regions[i]);
    free(topology);
}

bool topology_is_single(const struct topology *t)
{
    return t->regions[t->self].name[0] == '\0';
}

const struct region *topology_self(const struct topology *t)
{
    return &t->regions[t->self];
}

const struct region *topology_by_name(const struct topology *t, const char *name)
{
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->regions[i].name, name) == 0)
            return &t->regions[i];
    return NULL;
}

const struct region *topology_by_ordinal(const struct topology *t, uint8_t ordinal)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->regions[i].ordinal == ordinal)
            return &t->regions[i];
    return NULL;
}

size_t topology_index(const struct topology *t, const struct region *region)
{
    assert(region >= t->regions && region < t->regions + t->count);
    return (size_t)(region - t->regions);
}

region_set topology_all(const struct topology *t)
{
    return region_set_of(t->count) - 1;
}

region_set topology_jurisdiction(const struct topology *t, const char *name)
{
    region_set set = REGION_SET_NONE;

    for (size_t i = 0; i < t->count; i++)
        if (text_list_has(&t->regions[i].jurisdictions, name))
            set |= region_set_of(i);
    return set;
}

const struct region *topology_directory(const struct topology *t)
{
    return &t->regions[0];
}

/* Half the chord's square between two angles. */
static double haversine(double degrees)
{
    double half = sin(degrees * RADIANS / 2);

    return half * half;
}

double place_distance_km(const struct place *a, const struct place *b)
{
    double h = haversine(b->latitude - a->latitude) +
               cos(a->latitude * RADIANS) * cos(b->latitude * RADIANS) *
                   haversine(b->longitude - a->longitude);

    return 2 * EARTH_RADIUS_KM * asin(sqrt(fmin(h, 1))); /* antipodes may round above 1 */
}
