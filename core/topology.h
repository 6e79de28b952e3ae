/* Topology: who the regions are, this one and its peers.
 *
 * It comes from the configuration and the cards of the peers. Regions are kept by ordinal, the
 * byte in the ids that each makes (id.h). A region's index in that order is what a
 * `region_set` counts by; it means nothing outside this process.
 *
 * A jurisdiction is the set of regions that name it. Without a name of its own a region is
 * alone: ordinal 0, no peers, no jurisdiction, and nothing of this shows.
 *
 * Thread: immutable once made; any. */
#ifndef CORE_TOPOLOGY_H
#define CORE_TOPOLOGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/model.h"

#define REGIONS_MAX              16
#define REGION_NAME_LEN_MAX      16 /* bytes, of a jurisdiction's name too */
#define REGION_ORDINAL_MAX       255
#define REGION_JURISDICTIONS_MAX 16
#define REGION_URL_LEN_MAX       256
#define REGION_DIGEST_LEN        32        /* bytes of a SHA-256 */
#define REGION_URI               "region:" /* and the name: what its certificate calls it */
#define TOPOLOGY_WHY_MAX         256

/* Degrees; north and east are positive. */
struct place {
    double latitude;  /* -90 … 90 */
    double longitude; /* -180 … 180 */
};

struct region {
    /* a letter, then a-z 0-9 '-', 1 … 16 bytes; "": alone */
    char name[REGION_NAME_LEN_MAX + 1];
    uint8_t ordinal; /* 1 … 255; 0: alone */
    bool has_place;
    struct place place;
    struct text_list jurisdictions; /* names as a region's; at least one, unless alone */
    char *public_url;               /* of the API; NULL = not said */
    char *link_url;                 /* https, where peers reach it; NULL = they can't */
    char *certificate_pem;          /* of its link, a PEM block; NULL = none yet */
    uint8_t certificate_sha256[REGION_DIGEST_LEN];
};

/* The fields of a region by the names that configuration, cards and the API share. */
enum region_field {
    REGION_NAME,
    REGION_ORDINAL,
    REGION_JURISDICTIONS,
    REGION_LATITUDE,
    REGION_LONGITUDE,
    REGION_PUBLIC_URL,
    REGION_LINK_URL,
    REGION_CERTIFICATE,
    REGION_FIELDS, /* how many there are */
};

/* What is wrong: this field of this one of the regions given. */
struct topology_fault {
    size_t region;
    enum region_field field;
    char why[TOPOLOGY_WHY_MAX];
};

struct topology {
    size_t count;
    size_t self;                        /* an index */
    struct region regions[REGIONS_MAX]; /* by ordinal, lowest first */
};

/* Regions of one topology: bit i is regions[i]. */
typedef uint32_t region_set;

#define REGION_SET_NONE ((region_set)0)

static inline region_set region_set_of(size_t index)
{
    return (region_set)1 << index;
}

static inline bool region_set_has(region_set set, size_t index)
{
    return (set & region_set_of(index)) != 0;
}

static inline size_t region_set_count(region_set set)
{
    return (size_t)__builtin_popcount(set);
}

const char *region_field_name(enum region_field field); /* "public_url" */

/* Of a region or a jurisdiction. */
bool region_name_is_valid(const char *name);
#define REGION_NAME_WANTED "expected a letter and then a-z, 0-9 or '-', at most 16 in all"

/* One region by itself: ERR_INVALID when a field is out of its bounds or missing; `fault` then
 * says which, its `region` untouched. */
MUST_USE enum err region_check(const struct region *region, struct topology_fault *fault);

/* Frees what a region points to, not the region. */
void region_fini(struct region *region);

/* From `count` regions, this one at `self`. On ERR_OK what they point to is the topology's and
 * the array is zeroed; otherwise it is as it was and `fault` is filled in. ERR_INVALID: as
 * region_check(), or a region alone among several; ERR_CONFLICT: two of one name, ordinal or
 * certificate; ERR_LIMIT: more than REGIONS_MAX. */
MUST_USE enum err topology_new(struct region *regions, size_t count, size_t self,
                               struct topology **out, struct topology_fault *fault);
struct topology *topology_new_single(void);    /* one region, alone */
void topology_free(struct topology *topology); /* NULL does nothing */

bool topology_is_single(const struct topology *t); /* this region has no name */
const struct region *topology_self(const struct topology *t);

/* NULL when there is none. */
const struct region *topology_by_name(const struct topology *t, const char *name);
const struct region *topology_by_ordinal(const struct topology *t, uint8_t ordinal);

/* Of one of t's own regions. */
size_t topology_index(const struct topology *t, const struct region *region);
region_set topology_all(const struct topology *t);

/* The regions that name it; REGION_SET_NONE when none does: there is no such jurisdiction. */
region_set topology_jurisdiction(const struct topology *t, const char *name);

/* The region that owns what belongs to the whole organization: that of the lowest ordinal. */
const struct region *topology_directory(const struct topology *t);

/* On a great circle of a sphere with the Earth's mean radius (haversine); within 0.6 %. */
double place_distance_km(const struct place *a, const struct place *b);

#endif
