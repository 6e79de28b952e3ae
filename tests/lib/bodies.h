/* Bodies: what requests send, for tests of those who read it. A test fails where these do. */
#ifndef TESTS_LIB_BODIES_H
#define TESTS_LIB_BODIES_H

#include "wire/faults.h"
#include "wire/json.h"

/* A body, and the one fault it gets; a NULL `loc`: none. */
struct body_row {
    const char *body, *loc, *type;
};

/* The tree of a text that must be JSON. */
struct json *body_parse(const char *text);

void assert_body_fault(const struct body_row *row, const struct faults *faults);

#endif
