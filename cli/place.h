/* Place: cities that regions are named after, by the code of their airport, so that a new region
 * needs no more than its name. */
#ifndef CLI_PLACE_H
#define CLI_PLACE_H

struct known_place {
    const char *name;
    const char *ordinal; /* NULL: to be chosen */
    const char *jurisdiction;
    const char *latitude, *longitude; /* degrees */
};

/* NULL when we don't know it. */
const struct known_place *place_find(const char *name);

#endif
