/* Carrier: in the place of the link between regions. It remembers the last errand and answers as it
 * was told to. */
#ifndef TESTS_LIB_CARRIER_H
#define TESTS_LIB_CARRIER_H

#include <stdbool.h>

#include "api/elsewhere.h"

struct carrier {
    struct elsewhere elsewhere; /* for api_options */

    /* what it answers; set by the test */
    enum err err;
    unsigned status;
    const char *reply;          /* the body; NULL = none */
    const char *const *headers; /* lines up to a NULL; NULL = none */
    bool waits;                 /* until it is told to go on, or canceled */

    /* what it was given */
    unsigned errands, canceled;
    uint8_t region;
    char *method, *path, *query, *body;
    struct text_list lines;
    struct errand *waiting;
};

void carrier_open(struct carrier *c);
void carrier_close(struct carrier *c);

/* Answer the errand that waits. */
void carrier_go_on(struct carrier *c);

/* The value of a line that went along; NULL: there was none. */
const char *carrier_header(const struct carrier *c, const char *name);

#endif
